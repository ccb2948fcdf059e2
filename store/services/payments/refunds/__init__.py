"""Refunds: those the store requests and those made elsewhere."""

from store.services.payments.refunds.lines import Choice, ChosenPieces, Refundable, refundable, withdraw
from store.services.payments.refunds.recording import RETURNING, recompute, record, record_of, unowed_key
from store.services.payments.refunds.requests import (
    by_key,
    due,
    next_key,
    note_unreachable,
    out_of_reach,
    request,
    requested,
    resubmit,
    return_unowed,
    submit,
)

__all__ = [
    "RETURNING",
    "Choice",
    "ChosenPieces",
    "Refundable",
    "by_key",
    "due",
    "next_key",
    "note_unreachable",
    "out_of_reach",
    "recompute",
    "record",
    "record_of",
    "refundable",
    "request",
    "requested",
    "resubmit",
    "return_unowed",
    "submit",
    "unowed_key",
    "withdraw",
]
