"""What an entry of the balance at the payment service is about."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """Money that customers paid, that went back to them, that banks took or gave back, that was paid out to the
    merchant's bank account, and the rest, such as fees of their own.
    """

    SALE = "sale"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    OTHER = "other"
