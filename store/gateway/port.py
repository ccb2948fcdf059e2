"""What the store asks of a payment service, in the store's own words.

Errors: every call may raise `PaymentUnavailable` (no answer, or out of order: the outcome is unknown and the same
call may be made again) or `PaymentMisconfigured` (refused for a reason that only a person can mend).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from store.domain.money import Money
from store.domain.states import PaymentEvent


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a card was not taken. `attempt` names the attempt, so that the same decline told twice is known again."""

    code: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of the card that paid."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class CardUsed:
    payment_id: str
    card: Card


class CancelReason(StrEnum):
    """Why the store gives a payment up."""

    EXPIRED = "expired"
    BY_SHOPPER = "by_shopper"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payment as the service described it at one moment.

    `event` is the fact that the description stands for. Only `PAID` and `CANCELLED` are final; any other may be out
    of date by the time it is read. `amount` is what was asked, `received` what came in.
    """

    payment_id: str
    event: PaymentEvent
    amount: Money
    received: Money
    live: bool
    order_reference: str | None
    decline: Decline | None = None
    card: Card | None = None
    cancelled_because: CancelReason | None = None


@dataclass(frozen=True, slots=True)
class OpenedPayment:
    """A payment together with the secret with which the shopper's browser confirms it. The secret is never stored or
    logged.
    """

    snapshot: Snapshot
    client_secret: str

    def __repr__(self) -> str:
        return f"OpenedPayment({self.snapshot!r})"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who an order goes to. `country` is a two-letter ISO code; the optional parts are empty text when absent."""

    full_name: str
    address_line1: str
    address_line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment to open: one for each order. Asking again with the same `idempotency_key` finds the same payment."""

    order_reference: str
    amount: Money
    description: str
    recipient: Recipient
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Refund:
    refund_id: str
    payment_id: str
    amount: Money
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the payment service told by a signed webhook.

    `kind` is the service's own name for what happened; `snapshot` is there when it is about a payment, `card_used`
    when it is about the card that a payment was made with.
    """

    notice_id: str
    kind: str
    live: bool
    created: datetime
    snapshot: Snapshot | None = None
    card_used: CardUsed | None = None


class PaymentGateway(Protocol):
    def open_payment(self, request: PaymentRequest) -> OpenedPayment:
        """Open the payment of an order, or find the one that the same request opened before."""

    def retrieve_payment(self, payment_id: str) -> OpenedPayment:
        """What the service says of the payment now."""

    def cancel_payment(self, payment_id: str, reason: CancelReason) -> Snapshot:
        """Give the payment up. When it is too late for that (paid, or the bank is deciding), say what it is instead."""

    def refund_payment(self, payment_id: str, amount: Money, idempotency_key: str) -> Refund:
        """Return `amount` of a payment that was received."""

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Check a webhook's signature and age and read it; needs no network.

        Raises SignatureInvalid, and NoticeUnreadable when the body is signed but is not an event.
        """
