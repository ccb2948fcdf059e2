"""What the store asks of a payment service and of a mail server.

Every call to the payment service may raise `PaymentUnavailable` (no answer, or out of order: the outcome is unknown and
the same call may be made again; its subclass `PaymentServiceFailed` means that it would fail again under the same key)
or `PaymentMisconfigured` (refused for a reason that only a person can put right).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from store.domain.addresses import Address
from store.domain.balance import EntryKind
from store.domain.evidence import EvidenceKind
from store.domain.itemization import Itemization
from store.domain.money import Money
from store.domain.states import DisputeEvent, PaymentEvent, RefundEvent
from store.domain.tax_questions import TaxAnswer, TaxQuestion


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a card was declined. `attempt` identifies the attempt, so that a decline reported twice counts once."""

    code: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Card:
    """The part of a card that may be shown."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class CardUsed:
    """The card that paid a payment. `order_reference` is the order that the payment names; `capture_before` is until
    when it can be captured, where it was only authorised.
    """

    provider_payment_id: str
    card: Card
    order_reference: str | None
    capture_before: datetime | None = None


class RefundReason(StrEnum):
    """Why the store returns money, where the payment service is told. `FRAUDULENT` has it block the card."""

    FRAUDULENT = "fraudulent"


class CancelReason(StrEnum):
    """Why the store cancels a payment."""

    EXPIRED = "expired"
    BY_SHOPPER = "by_shopper"
    REPLACED = "replaced"
    CARD_TESTING = "card_testing"


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment as the payment service described it at the moment `observed_at`, by the service's own time in seconds.

    `event` is what happened according to it. Only `PAID` and `CANCELLED` are final, and only they follow `AUTHORISED`;
    any other may be out of date by the time it is read. None is a status that the store does not know: it says nothing,
    so ask the service. `amount` was asked for, `received` has come in. `live` is whether it is about real money.
    `payment_number` is the store's own number of the payment, which those that are made on a hosted page carry.

    `manual_capture`: what is authorised comes in only once the store captures it, all or a part, and it can do so until
    `capture_before`, where that is known.
    """

    provider_payment_id: str
    event: PaymentEvent | None
    observed_at: datetime
    amount: Money
    received: Money
    live: bool
    order_reference: str | None
    payment_number: int | None = None
    decline: Decline | None = None
    card: Card | None = None
    cancelled_because: CancelReason | None = None
    manual_capture: bool = False
    capture_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentSession:
    """A payment and the secret with which the shopper's browser confirms it. The secret is never stored or logged."""

    snapshot: PaymentSnapshot
    client_secret: str

    def __repr__(self) -> str:
        return f"PaymentSession({self.snapshot!r})"


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment to create. The same request with the same `idempotency_key` gives the same payment again. `shipping` is
    None where nothing is shipped. With `manual_capture` it is only authorised when the shopper pays.
    """

    order_reference: str
    amount: Money
    description: str
    shipping: Address | None
    email: str
    idempotency_key: str
    manual_capture: bool = False


@dataclass(frozen=True, slots=True)
class HostedPageSnapshot:
    """A hosted page as the payment service described it at the moment `observed_at`: a page of the service's own, on
    which an order is paid. While it is `open` a shopper can pay there, afterwards nobody can.

    `payment` is what it says of the payment that was made on it; None while nobody has tried, and of a page that was
    not paid when its time was over. `amount` is what the page asks for.
    """

    provider_page_id: str
    open: bool
    observed_at: datetime
    amount: Money
    live: bool
    order_reference: str | None
    payment_number: int | None
    payment: PaymentSnapshot | None


@dataclass(frozen=True, slots=True)
class HostedPage:
    """A hosted page and its address, which is None once it is not open. Whoever has the address can pay, so it is never
    stored or logged.
    """

    snapshot: HostedPageSnapshot
    address: str | None

    def __repr__(self) -> str:
        return f"HostedPage({self.snapshot!r})"


@dataclass(frozen=True, slots=True)
class HostedPageRequest:
    """A hosted page to create, on which `payment` is paid. The same request gives the same page again. `itemization`
    comes to the payment's amount. The service sends the shopper's browser to `paid_address` or, when they want to go
    back, to `back_address`.
    """

    payment: PaymentRequest
    payment_number: int
    itemization: Itemization
    expires_at: datetime
    paid_address: str
    back_address: str


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund as the payment service described it at one moment. `key` is the store's own, None where somebody else
    asked for the refund.
    """

    provider_refund_id: str
    provider_payment_id: str
    amount: Money
    event: RefundEvent
    key: str | None


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A dispute as the payment service described it at one moment. `due_by` is until when the merchant can answer."""

    provider_dispute_id: str
    provider_payment_id: str
    amount: Money
    event: DisputeEvent
    due_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeEvidence:
    """What the merchant tells a cardholder's bank. Each is a text, empty where there is nothing to tell; addresses have
    lines.
    """

    explanation: str
    product_description: str = ""
    customer_name: str = ""
    customer_email: str = ""
    billing_address: str = ""
    shipping_address: str = ""
    shipped_on: str = ""
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class FraudWarningSnapshot:
    """A card network warns that a payment is probably fraud. `actionable` is whether a refund may still prevent a
    dispute; `fraud_type` is the network's name for it.
    """

    provider_warning_id: str
    provider_payment_id: str
    actionable: bool
    fraud_type: str


@dataclass(frozen=True, slots=True)
class RiskReviewSnapshot:
    """A review of a payment that the payment service asks the merchant for, or that ended. `reason` is the service's
    own name for why it was opened, or, once it is not `open`, for how it ended.
    """

    provider_review_id: str
    provider_payment_id: str
    open: bool
    reason: str


EventObject = (
    PaymentSnapshot
    | HostedPageSnapshot
    | CardUsed
    | RefundSnapshot
    | DisputeSnapshot
    | FraudWarningSnapshot
    | RiskReviewSnapshot
)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event that the payment service reported, by a webhook or in its list of events.

    `type` is the service's own name for what happened, `object` what it happened to; None for an object that no store
    needs.
    """

    event_id: str
    type: str
    live: bool
    created: datetime
    object: EventObject | None


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event that was asked for, and all that the service says of it, as text without secrets. `event` is None where
    it cannot be read.
    """

    event: WebhookEvent | None
    text: str


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as it is sent: the body, and the signature header for it."""

    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An address to which the payment service sends events; `types` are their types, `*` is all of them. The version of
    the API in which it describes things is fixed when the endpoint is created.
    """

    provider_endpoint_id: str
    url: str
    enabled: bool
    api_version: str | None
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeyTrial:
    """The payment that the keys were tried with, and whether both keys are of the same account."""

    provider_payment_id: str
    same_account: bool


@dataclass(frozen=True, slots=True)
class TaxSetup:
    """Whether the service is set up to compute taxes, and in how many places the account collects them."""

    ready: bool
    places: int


class TaxService(Protocol):
    """What the store asks of a service that computes taxes. Its calls may raise what the payment service's do."""

    def calculate(self, question: TaxQuestion) -> TaxAnswer:
        """The taxes of an order that may be placed. Asked again, it is another calculation of the same. Raises
        TaxAddressUnknown.
        """

    def record_sale(self, calculation: str, reference: str, key: str) -> str:
        """Record what was calculated as collected, once under this `reference`; returns the service's name for it. The
        same `key` again gives the same.

        Raises TaxCalculationGone, and TaxNotRecorded where the service refuses it for good.
        """

    def record_reversal(self, original: str, reference: str, amount: Money | None, key: str) -> str:
        """Take back what was recorded as `original`: all of it, or an `amount` with its taxes; the rest is as with
        `record_sale`. Raises TaxNotRecorded.
        """

    def setup(self) -> TaxSetup:
        """How the service is set up."""


@dataclass(frozen=True, slots=True)
class BalanceEntrySnapshot:
    """Something that changed the balance: `amount` came in, or went out where it is negative, and `fee` was kept of it.
    `category` is the service's word for what it was, `source` its id of that.
    """

    provider_entry_id: str
    at: datetime
    available_at: datetime
    kind: EntryKind
    category: str
    amount: Money
    fee: Money
    source: str | None
    provider_payment_id: str | None

    @property
    def net(self) -> Money:
        return Money(self.amount.minor - self.fee.minor, self.amount.currency)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries, the newest first, and whether there are `more` after them."""

    entries: tuple[BalanceEntrySnapshot, ...]
    more: bool


class BalanceService(Protocol):
    """The merchant's balance at the payment service. All of it raises PaymentUnavailable and PaymentMisconfigured."""

    def list_entries(self, since: datetime | None, after: str | None) -> EntryPage:
        """A page of what was created `since` then, or ever, that comes `after` the entry with this id."""

    def totals(self) -> list[Money]:
        """What is there, available or pending, in each currency."""


class PaymentGateway(Protocol):
    @property
    def balance(self) -> BalanceService:
        """The same service, as one that keeps the money."""

    @property
    def taxes(self) -> TaxService:
        """The same service, as one that computes taxes."""

    def create_payment(self, request: PaymentRequest) -> PaymentSession:
        """Create the payment of an order, or find the one that the same request created before."""

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        """The payment as it is now."""

    def find_payment_of_order(self, order_reference: str, age: timedelta) -> PaymentSession | None:
        """The payment of an order that was placed `age` ago, if one was created for the store's own page and is not
        cancelled; None when there is none. The more payments were created since then, the longer it takes.
        """

    def cancel_payment(self, provider_payment_id: str, reason: CancelReason) -> PaymentSnapshot:
        """Cancel the payment; one that is authorised is released. When it is too late for that (paid, or the bank is
        deciding), the payment as it is.
        """

    def capture_payment(self, provider_payment_id: str, amount: Money, key: str) -> PaymentSnapshot:
        """Capture `amount` of a payment that is authorised, once; what is left of it is released. When it is captured
        or cancelled already, the payment as it is. After PaymentServiceFailed the next try needs another `key`.

        Raises CaptureRefused when the service will not capture it.
        """

    def create_hosted_page(self, request: HostedPageRequest) -> HostedPage:
        """Create the hosted page of a payment, or find the one that the same request created before."""

    def retrieve_hosted_page(self, provider_page_id: str) -> HostedPage:
        """The page as it is now, with its payment."""

    def find_page_of_payment(self, order_reference: str, payment_number: int, age: timedelta) -> HostedPage | None:
        """The open page of a payment, if one was created for an order that was placed `age` ago."""

    def expire_hosted_page(self, provider_page_id: str) -> HostedPageSnapshot:
        """Let nobody pay on a page any more. When it is too late for that, the page as it is."""

    def list_open_pages(self, since: datetime) -> Iterator[HostedPageSnapshot]:
        """Every hosted page that was created since then and is open, by whatever program on the account."""

    def refund_payment(
        self,
        provider_payment_id: str,
        amount: Money,
        key: str,
        attempt: int = 1,
        reason: RefundReason | None = None,
    ) -> RefundSnapshot:
        """Refund `amount` of a payment that was received. The same `key` finds the same refund again, whichever
        `attempt` made it. The next attempt is for after PaymentServiceFailed.

        Raises RefundRefused when the service will not refund it: refunded already, or disputed.
        """

    def list_payments(self, since: datetime) -> Iterator[PaymentSnapshot]:
        """Every payment that was created since then, by whatever program on the account."""

    def list_refunds(self, since: datetime) -> Iterator[RefundSnapshot]:
        """Every refund that was created since then."""

    def list_disputes(self, since: datetime) -> Iterator[DisputeSnapshot]:
        """Every dispute that was opened since then."""

    def find_payment(self, provider_payment_id: str) -> PaymentSnapshot | None:
        """The payment as it is now; None when the service does not have it."""

    def find_hosted_page(self, provider_page_id: str) -> HostedPageSnapshot | None:
        """The page as it is now, with its payment; None when the service does not have it."""

    def find_refund(self, provider_refund_id: str) -> RefundSnapshot | None:
        """The refund as it is now; None when the service does not have it."""

    def find_dispute(self, provider_dispute_id: str) -> DisputeSnapshot | None:
        """The dispute as it is now; None when the service does not have it."""

    def upload_evidence(self, name: str, content: bytes, key: str) -> str:
        """Give the service a file for a dispute; returns the service's name for it. The same `key` again gives the
        same.

        Raises EvidenceFileRefused when the service does not take it.
        """

    def answer_dispute(
        self, provider_dispute_id: str, evidence: DisputeEvidence, files: Mapping[EvidenceKind, str], key: str
    ) -> DisputeSnapshot:
        """Hand the evidence and the `files`, by the service's names, to the cardholder's bank. The same `key` hands
        them over once.

        Raises DisputeNotAnswered when the service does not take it: the time is over, or the bank has decided.
        """

    def accept_dispute(self, provider_dispute_id: str) -> DisputeSnapshot:
        """Leave the money with the cardholder. Raises DisputeNotAnswered as `answer_dispute` does."""

    def find_event(self, event_id: str) -> FoundEvent | None:
        """The event as it was sent; None when the service does not have it, or not any more: after 30 days."""

    def list_undelivered_events(self, since: datetime, types: Collection[str]) -> Iterator[WebhookEvent]:
        """The events of these types, however many types, that were created since then and not delivered: the newest
        first, each once.
        """

    def events_for(self, provider_payment_id: str, since: datetime) -> dict[str, str]:
        """The events about one payment since then: the type of each by its id."""

    def list_webhook_endpoints(self) -> list[WebhookEndpoint]:
        """Where the service sends events."""

    def create_webhook_endpoint(self, url: str, types: Collection[str], api_version: str) -> str:
        """Have events of these types sent to `url`; returns the secret that they are signed with. It is shown once."""

    def update_webhook_endpoint(self, provider_endpoint_id: str, types: Collection[str]) -> None:
        """Have events of exactly these types sent to an endpoint, and enable it."""

    def disable_webhook_endpoint(self, provider_endpoint_id: str) -> None:
        """Have no events sent to an endpoint."""

    def clock(self) -> datetime:
        """The service's own time."""

    def account_id(self) -> str:
        """The service's name for the account of the secret key, which it is asked for once. Empty text when the key may
        not know.
        """

    def known_account_id(self) -> str:
        """What `account_id` would return, without asking the service; empty text until it was asked, unless the key
        itself tells.
        """

    def missing_permissions(self) -> list[str]:
        """What the store needs and its secret key may not do, by the names that the service's dashboard uses; only a
        restricted key lacks any. Nothing is changed.
        """

    def try_keys(self, publishable_key: str, amount: Money) -> KeyTrial:
        """Create a payment with the secret key, read it with the publishable key as a browser does, and cancel it."""

    def parse_webhook(self, body: bytes, signature: str, types: Collection[str]) -> WebhookEvent | None:
        """Check a webhook's signature and age, and read its event. Needs no network.

        None for an event that does not concern this store: it is of none of these types, of another account, or of
        a format without an object. Raises SignatureInvalid, and WebhookUnreadable when the body is signed but is not an
        event.
        """

    def sign_test_event(self, at: datetime, *, forged: bool) -> SignedEvent:
        """An event about nothing, signed at that moment as the service signs, or, where `forged`, with another secret.
        It is for the store itself, which ignores it.
        """


@dataclass(frozen=True, slots=True)
class Email:
    """A mail to one person. `kind` chooses its text, into which `facts` are put."""

    kind: str
    to: str
    message_id: str
    facts: Mapping[str, object]


class MailServerProblem(StrEnum):
    """Why no mail could be handed to the mail server."""

    NO_ANSWER = "no_answer"
    NO_TLS = "no_tls"
    CERTIFICATE = "certificate"
    NO_LOGIN = "no_login"
    LOGIN_REFUSED = "login_refused"


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """What an endpoint of another program has answered: a status of HTTP, and the beginning of the text."""

    status: int
    text: str


class Sender(Protocol):
    """Sends what endpoints of other programs are told."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        """Raises EndpointUnreachable."""


class Mailer(Protocol):
    def send(self, email: Email) -> None:
        """Send a mail. Raises MailUnavailable when it was not taken; it may then be sent again, unless it is its
        subclass MailRefused: this mail will never be taken.
        """

    def check(self) -> MailServerProblem | None:
        """Connect and log in as for a mail, and send none; what went wrong, if anything."""
