"""The payment gateway at Stripe: the only module of the store that calls Stripe; `stripe_words` reads what it answers.

Built for API version 2026-10-28.endive, in which `payment_method_types` is gone and `allowed_payment_method_types`
takes its place. Every call that could do harm twice carries a derived idempotency key; all have a time-out and
are repeated by the SDK, for as long as the page that asks may take.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import stripe
import structlog
from stripe import HTTPClient

from store.domain.errors import (
    NoticeUnreadable,
    PaymentMisconfigured,
    PaymentServiceFailed,
    PaymentUnavailable,
    RefundRefused,
    SignatureInvalid,
)
from store.domain.money import Money
from store.gateway.page_time import PageTime
from store.gateway.port import (
    CancelReason,
    DisputeSnapshot,
    Notice,
    OpenedPayment,
    PaymentRequest,
    RefundSnapshot,
    SignedNotice,
    Snapshot,
    WebhookEndpoint,
)
from store.gateway.stripe_words import (
    CANCELLATION_REASONS,
    CANCELLED,
    CANNOT_BE_REFUNDED,
    ORDER_REFERENCE,
    REFUND_KEY,
    dispute_of,
    notice_of,
    refund_of,
    shipping_of,
    snapshot_of,
)

__all__ = ["HTTPClient", "StripeGateway"]  # the client's type is given on: nobody else imports the SDK

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Seconds for each try, and how often it is tried again after no answer, 5xx, or a conflict with the same request from
# another tab.
CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 3.0
TRY = CONNECT_TIMEOUT + READ_TIMEOUT
RETRIES = 2
PAGE = 100  # the most that one list request gives
FEW = 25  # for what is most likely among the newest
TRIAL = "till.trial"  # a kind of event that Stripe does not have and no handler takes
SIGNATURE_TOLERANCE = 300  # seconds; a signature older than this is refused as a replay

stripe.enable_telemetry = False  # it writes a file into the user's home and slows nothing but us


class StripeGateway:
    """A PaymentGateway that asks Stripe at `api_base`, with `secret_key`.

    `webhook_secrets` are tried one after the other, so that one can be rolled without losing an event. With
    `receipts`, Stripe mails its own receipt to the shopper. No try begins that could outlast `page_time`. `http_client`
    is for tests, which answer in process.
    """

    def __init__(
        self,
        secret_key: str,
        api_base: str,
        api_version: str,
        webhook_secrets: Sequence[str],
        *,
        receipts: bool = False,
        page_time: PageTime | None = None,
        http_client: HTTPClient | None = None,
    ) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            stripe_version=api_version,
            max_network_retries=RETRIES,
            http_client=_PunctualClient(
                http_client or stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)), page_time or PageTime()
            ),
        )
        self._webhook_secrets = list(webhook_secrets)
        self._receipts = receipts

    def open_payment(self, request: PaymentRequest) -> OpenedPayment:
        params: dict[str, Any] = {
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "allowed_payment_method_types": ["card"],
            "description": request.description,
            "metadata": {ORDER_REFERENCE: request.order_reference},
            "shipping": shipping_of(request),
        }
        if self._receipts:
            params["receipt_email"] = request.recipient.email
        with _named_failures("open_payment", request.order_reference):
            intent = self._client.v1.payment_intents.create(
                params,  # type: ignore[arg-type]  # built in steps, so not a TypedDict literal
                {"idempotency_key": request.idempotency_key},
            )
        return _opened(intent)

    def retrieve_payment(self, payment_id: str) -> OpenedPayment:
        with _named_failures("retrieve_payment", payment_id):
            return _opened(self._client.v1.payment_intents.retrieve(payment_id, {"expand": ["latest_charge"]}))

    def payment_of_order(self, order_reference: str, since: datetime) -> OpenedPayment | None:
        # By the list: the search index lags behind by a minute.
        with _named_failures("payment_of_order", order_reference):
            found = self._client.v1.payment_intents.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for intent in found.auto_paging_iter():
                if intent.metadata.to_dict().get(ORDER_REFERENCE) == order_reference and intent.status != CANCELLED:
                    return _opened(intent)
        return None

    def cancel_payment(self, payment_id: str, reason: CancelReason) -> Snapshot:
        with _named_failures("cancel_payment", payment_id):
            try:
                # No key of ours: a second cancel does no harm, while a refusal remembered under a key would be given
                # again for a day, long after the bank has decided.
                intent = self._client.v1.payment_intents.cancel(
                    payment_id, {"cancellation_reason": CANCELLATION_REASONS[reason]}
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code != "payment_intent_unexpected_state":
                    raise
                return self.retrieve_payment(payment_id).snapshot
        return snapshot_of(intent.to_dict())

    def refund_payment(self, payment_id: str, amount: Money, key: str, attempt: int = 1) -> RefundSnapshot:
        with _named_failures("refund_payment", payment_id):
            # Stripe forgets an idempotency key after a day, and an answer may be missing for longer than that.
            if (made := self._refund_made(payment_id, key)) is not None:
                return made
            try:
                refund = self._client.v1.refunds.create(
                    {"payment_intent": payment_id, "amount": amount.minor, "metadata": {REFUND_KEY: key}},
                    {"idempotency_key": key if attempt == 1 else f"{key}-{attempt}"},
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code in CANNOT_BE_REFUNDED or refusal.param == "amount":
                    raise RefundRefused from refusal
                raise
        return refund_of(refund.to_dict())

    def _refund_made(self, payment_id: str, key: str) -> RefundSnapshot | None:
        """The refund that was made when the store asked for it under this key before."""
        made = self._client.v1.refunds.list({"payment_intent": payment_id, "limit": PAGE})
        snapshots = (refund_of(refund.to_dict()) for refund in made.auto_paging_iter())
        return next((snapshot for snapshot in snapshots if snapshot.key == key), None)

    def payments_since(self, since: datetime) -> Iterator[Snapshot]:
        with _named_failures("payments_since", "all"):
            found = self._client.v1.payment_intents.list(
                {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": ["data.latest_charge"]}
            )
            for intent in found.auto_paging_iter():
                yield snapshot_of(intent.to_dict())

    def refunds_since(self, since: datetime) -> Iterator[RefundSnapshot]:
        with _named_failures("refunds_since", "all"):
            found = self._client.v1.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for refund in found.auto_paging_iter():
                yield refund_of(refund.to_dict())

    def disputes_since(self, since: datetime) -> Iterator[DisputeSnapshot]:
        with _named_failures("disputes_since", "all"):
            found = self._client.v1.disputes.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for dispute in found.auto_paging_iter():
                yield dispute_of(dispute.to_dict())

    def find_payment(self, payment_id: str) -> Snapshot | None:
        with _named_failures("find_payment", payment_id):
            intent = _if_there(self._client.v1.payment_intents.retrieve, payment_id, {"expand": ["latest_charge"]})
        return None if intent is None else snapshot_of(intent.to_dict())

    def find_refund(self, refund_id: str) -> RefundSnapshot | None:
        with _named_failures("find_refund", refund_id):
            refund = _if_there(self._client.v1.refunds.retrieve, refund_id)
        return None if refund is None else refund_of(refund.to_dict())

    def find_dispute(self, dispute_id: str) -> DisputeSnapshot | None:
        with _named_failures("find_dispute", dispute_id):
            dispute = _if_there(self._client.v1.disputes.retrieve, dispute_id)
        return None if dispute is None else dispute_of(dispute.to_dict())

    def undelivered_notices(self, since: datetime, kinds: Collection[str]) -> Iterator[Notice]:
        with _named_failures("undelivered_notices", "all"):
            found = self._client.v1.events.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": PAGE,
                    "delivery_success": False,
                    "types": sorted(kinds),
                }
            )
            for event in found.auto_paging_iter():
                yield notice_of(event.to_dict())

    def notices_about(self, payment_id: str, since: datetime) -> dict[str, str]:
        about: dict[str, str] = {}
        opened_at = int(since.timestamp())
        with _named_failures("notices_about", payment_id):
            found = self._client.v1.events.list({"created": {"gte": opened_at}, "limit": FEW})
            for listed in found.auto_paging_iter():
                if listed.created < opened_at:
                    break  # newest first: nothing is about a payment before it was opened
                event = listed.to_dict()
                subject = event["data"]["object"]
                if payment_id not in (subject.get("id"), subject.get("payment_intent")):
                    continue
                about[event["id"]] = event["type"]
                if event["type"] == "payment_intent.created":
                    opened_at = event["created"]
        return about

    def webhook_endpoints(self) -> list[WebhookEndpoint]:
        with _named_failures("webhook_endpoints", "all"):
            found = self._client.v1.webhook_endpoints.list({"limit": PAGE})
            return [
                WebhookEndpoint(
                    url=endpoint.url,
                    enabled=endpoint.status == "enabled",
                    api_version=endpoint.api_version,
                    kinds=frozenset(endpoint.enabled_events),
                )
                for endpoint in found.auto_paging_iter()
            ]

    def clock(self) -> datetime:
        with _named_failures("clock", "account"):
            answer = self._client.v1.payment_intents.list({"limit": 1}).last_response
        return (
            parsedate_to_datetime(answer.headers["Date"]) if answer and "Date" in answer.headers else datetime.now(UTC)
        )

    def read_notice(self, body: bytes, signature: str) -> Notice:
        _verify(body, signature, self._webhook_secrets)
        try:
            event = json.loads(body)
            if event["object"] != "event":
                raise NoticeUnreadable
            return notice_of(event)
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            raise NoticeUnreadable from failure

    def trial_notice(self, at: datetime, *, forged: bool) -> SignedNotice:
        seconds = int(at.timestamp())
        event = {"id": "evt_trial", "object": "event", "type": TRIAL, "livemode": False, "created": seconds}
        body = json.dumps({**event, "data": {"object": {"object": "trial"}}})
        secret = f"whsec_{secrets.token_hex()}" if forged else self._webhook_secrets[0]
        signature = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=seconds)
        return SignedNotice(body.encode(), signature)


class _PunctualClient(stripe.HTTPClient):
    """Asks through `client`, and gives up where the page that asks could not wait for another try."""

    name = "punctual"

    def __init__(self, client: HTTPClient, page_time: PageTime) -> None:
        super().__init__()
        self._client, self._page_time = client, page_time

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        if not self._page_time.allows(TRY):
            raise stripe.APIConnectionError("the page's time is over", should_retry=False)  # type: ignore[no-untyped-call]  # the SDK types it not
        return self._client.request(method, url, headers, post_data)

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the SDK types it not


def _if_there(retrieve: Callable[..., T], *args: Any) -> T | None:
    """What Stripe has under this id; None when there is no such thing."""
    try:
        return retrieve(*args)
    except stripe.InvalidRequestError as refusal:
        if refusal.code != "resource_missing":
            raise
        return None


def _opened(intent: stripe.PaymentIntent) -> OpenedPayment:
    if not intent.client_secret:
        raise PaymentMisconfigured
    return OpenedPayment(snapshot_of(intent.to_dict()), intent.client_secret)


def _verify(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """Stripe's own bare check; `construct_event` would do the same and then build SDK objects that nobody needs."""
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        raise SignatureInvalid from failure
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE)
        except stripe.SignatureVerificationError:
            continue
        return
    raise SignatureInvalid


@contextmanager
def _named_failures(call: str, about: str) -> Iterator[None]:
    """Name what went wrong, once: no answer we can build on, or a refusal that only a person can mend.

    Logged without Stripe's message and body, which can carry a key's ending, a client secret or personal data.
    """
    try:
        yield
    except stripe.StripeError as failure:
        # A failure of Stripe's own is kept under the idempotency key, as is every first answer.
        kept = failure.http_status == 500 or isinstance(failure, stripe.IdempotencyError)
        unknown = kept or isinstance(failure, (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError))
        log.warning(
            "stripe did not answer" if unknown else "stripe refused",
            call=call,
            about=about,
            status=failure.http_status,
            code=failure.error.code if failure.error else None,
            param=getattr(failure, "param", None),
            stripe_request=failure.request_id,
        )
        if kept:
            raise PaymentServiceFailed from failure
        raise (PaymentUnavailable if unknown else PaymentMisconfigured) from failure
