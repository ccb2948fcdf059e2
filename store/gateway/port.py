"""What the store asks of a payment service, and of the post, in the store's own words.

Every call to the payment service may raise `PaymentUnavailable` (no answer, or out of order: the outcome is unknown and
the same call may be made again; its kind `PaymentServiceFailed` says that it would fail again under the same key) or
`PaymentMisconfigured` (refused for a reason that only a person can mend).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from store.domain.money import Money
from store.domain.states import DisputeEvent, PaymentEvent, RefundEvent


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
    provider_payment_id: str
    card: Card


class CancelReason(StrEnum):
    """Why the store gives a payment up."""

    EXPIRED = "expired"
    BY_SHOPPER = "by_shopper"
    REPLACED = "replaced"
    CARD_TESTING = "card_testing"


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment as the service described it at one moment.

    `event` is the fact that the description stands for. Only `PAID` and `CANCELLED` are final; any other may be out
    of date by the time it is read. `amount` is what was asked, `received` what came in.
    """

    provider_payment_id: str
    event: PaymentEvent
    amount: Money
    received: Money
    live: bool
    order_reference: str | None
    decline: Decline | None = None
    card: Card | None = None
    cancelled_because: CancelReason | None = None


@dataclass(frozen=True, slots=True)
class PaymentSession:
    """A payment together with the secret with which the shopper's browser confirms it. The secret is never stored or
    logged.
    """

    snapshot: PaymentSnapshot
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
class RefundSnapshot:
    """A refund as the service described it at one moment. `key` is the store's own name for it, if the store asked."""

    provider_refund_id: str
    provider_payment_id: str
    amount: Money
    event: RefundEvent
    key: str | None


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A dispute as the service described it at one moment."""

    provider_dispute_id: str
    provider_payment_id: str
    amount: Money
    event: DisputeEvent


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something the payment service told by a signed webhook.

    `kind` is the service's own name for what happened, `about` what it happened to, where that concerns a store.
    """

    event_id: str
    kind: str
    live: bool
    created: datetime
    about: PaymentSnapshot | CardUsed | RefundSnapshot | DisputeSnapshot | None


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """A notice as it goes over the wire: a body, and the signature that goes with it."""

    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An address that is told; `types` are the names of what it is told of, `*` for everything."""

    url: str
    enabled: bool
    api_version: str | None
    types: frozenset[str]


class PaymentGateway(Protocol):
    def create_payment(self, request: PaymentRequest) -> PaymentSession:
        """Open the payment of an order, or find the one that the same request opened before."""

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        """What the service says of the payment now."""

    def payment_of_order(self, order_reference: str, since: datetime) -> PaymentSession | None:
        """The payment that was opened for an order since then and is not cancelled; None when there is none."""

    def cancel_payment(self, provider_payment_id: str, reason: CancelReason) -> PaymentSnapshot:
        """Give the payment up. When it is too late for that (paid, or the bank is deciding), say what it is instead."""

    def refund_payment(self, provider_payment_id: str, amount: Money, key: str, attempt: int = 1) -> RefundSnapshot:
        """Return `amount` of a payment that was received; asking again with the same `key` finds the same refund,
        under whichever `attempt` it was made. The next attempt is for after PaymentServiceFailed.

        Raises RefundRefused when the service will not return it: returned already, or disputed.
        """

    def payments_since(self, since: datetime) -> Iterator[PaymentSnapshot]:
        """Every payment that was opened since then, by whatever program on the account."""

    def refunds_since(self, since: datetime) -> Iterator[RefundSnapshot]:
        """Every refund that was made since then."""

    def disputes_since(self, since: datetime) -> Iterator[DisputeSnapshot]:
        """Every dispute that was opened since then."""

    def find_payment(self, provider_payment_id: str) -> PaymentSnapshot | None:
        """What the service says of a payment now; None when it does not have it."""

    def find_refund(self, provider_refund_id: str) -> RefundSnapshot | None:
        """What the service says of a refund now; None when it does not have it."""

    def find_dispute(self, provider_dispute_id: str) -> DisputeSnapshot | None:
        """What the service says of a dispute now; None when it does not have it."""

    def list_undelivered_events(self, since: datetime, types: Collection[str]) -> Iterator[WebhookEvent]:
        """What of these types was told since then and did not arrive, the newest first. At most 20 types."""

    def events_for(self, provider_payment_id: str, since: datetime) -> dict[str, str]:
        """What was told of one payment since then: the kind of each notice by its id."""

    def webhook_endpoints(self) -> list[WebhookEndpoint]:
        """Where the service sends its webhooks."""

    def clock(self) -> datetime:
        """The service's own time."""

    def parse_webhook(self, body: bytes, signature: str) -> WebhookEvent:
        """Check a webhook's signature and age and read it; needs no network.

        Raises SignatureInvalid, and NoticeUnreadable when the body is signed but is not an event.
        """

    def sign_test_event(self, at: datetime, *, forged: bool) -> SignedEvent:
        """A webhook that tells of nothing, as the service would sign it at that moment, or as one `forged` by somebody
        who does not know the secret. To be sent to the store, which forgets it.
        """


@dataclass(frozen=True, slots=True)
class Email:
    """A mail to one person. `kind` chooses its text, which is filled with `facts`."""

    kind: str
    to: str
    message_id: str
    facts: Mapping[str, object]


class Mailer(Protocol):
    def send(self, email: Email) -> None:
        """Hand a letter over. Raises MailUnavailable when it was not taken; it may then be handed over again."""
