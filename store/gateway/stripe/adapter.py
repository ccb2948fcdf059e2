"""The payment gateway at Stripe: one method of the SDK after the other, in the store's terms.

Built for API version 2026-10-28.endive, in which `payment_method_types` is gone and `allowed_payment_method_types`
takes its place. Every call that could do harm twice carries a derived idempotency key.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import stripe
from stripe import HTTPClient

from store.domain.errors import (
    CaptureRefusal,
    CaptureRefused,
    DisputeNotAnswered,
    EvidenceFileRefusal,
    EvidenceFileRefused,
    PaymentMisconfigured,
    RefundRefusal,
    RefundRefused,
)
from store.domain.evidence import EvidenceKind
from store.domain.money import Money
from store.gateway.deadline import RequestDeadline
from store.gateway.port import (
    CancelReason,
    DisputeEvidence,
    DisputeSnapshot,
    FoundEvent,
    HostedPage,
    HostedPageRequest,
    HostedPageSnapshot,
    KeyTrial,
    PaymentRequest,
    PaymentSession,
    PaymentSnapshot,
    RefundReason,
    RefundSnapshot,
    SignedEvent,
    WebhookEndpoint,
    WebhookEvent,
)
from store.gateway.stripe import checkout, webhooks
from store.gateway.stripe.balance import StripeBalance
from store.gateway.stripe.mapping import (
    CANCELLATION_REASONS,
    CANCELLED,
    CHARGE_DISPUTED,
    CHARGE_RETURNED,
    MANUAL,
    ORDER_REFERENCE,
    PAYMENT_NUMBER,
    REFUND_KEY,
    dispute_of,
    evidence_of,
    refund_of,
    shipping_of,
    snapshot_of,
)
from store.gateway.stripe.taxes import StripeTaxes
from store.gateway.stripe.transport import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    RETRIES,
    StripeHTTPClient,
    UploadedFile,
    date_of,
    permits,
    retrieve_or_none,
    translate_errors,
)

__all__ = ["HTTPClient", "StripeGateway"]  # the type of the client too: nobody else imports the SDK

PAGE = 100  # the most that one list request gives
OVERLAP = timedelta(seconds=10)  # Stripe counts whole seconds, and a request takes a few
FEW = 25  # for what is most likely among the newest
MOST_TYPES = 20  # that one list request for events takes
STRIPE = "https://api.stripe.com"
# Ids that Stripe gives to no payment, session or coupon.
NO_OBJECT, NO_PAGE, NO_COUPON, NO_DISPUTE = "pi_of_nobody", "cs_of_nobody", "coupon_of_nobody", "dp_of_nobody"

stripe.enable_telemetry = False  # it would write a file into the user's home


class StripeGateway:
    """A PaymentGateway that asks Stripe at `api_base`, with `secret_key`.

    `account_id` is the key's account, where that is known without asking. `webhook_secrets` are tried one after the
    other, so that one can be rolled without losing an event. With `receipts`, Stripe mails its own receipt to the
    shopper. A web request waits no longer than `request_deadline`. `http_client` is for tests, which answer in process.
    """

    def __init__(
        self,
        secret_key: str,
        api_base: str,
        api_version: str,
        webhook_secrets: Sequence[str],
        *,
        account_id: str = "",
        receipts: bool = False,
        request_deadline: RequestDeadline | None = None,
        http_client: HTTPClient | None = None,
    ) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            # What stands in for Stripe takes files where it takes everything else; Stripe itself has another address.
            base_addresses={"api": api_base} if api_base == STRIPE else {"api": api_base, "files": api_base},
            stripe_version=api_version,
            max_network_retries=RETRIES,
            http_client=StripeHTTPClient(
                http_client or stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)),
                request_deadline or RequestDeadline(),
            ),
        )
        self._taxes = StripeTaxes(self._client)
        self._balance = StripeBalance(self._client)
        self._webhook_secrets = list(webhook_secrets)
        self._receipts = receipts
        self._account_id = account_id or None

    @property
    def balance(self) -> StripeBalance:
        return self._balance

    @property
    def taxes(self) -> StripeTaxes:
        return self._taxes

    def create_payment(self, request: PaymentRequest) -> PaymentSession:
        with translate_errors("create_payment", request.order_reference):
            intent = self._client.v1.payment_intents.create(
                self._payment(request),  # type: ignore[arg-type]  # built in steps, so not a TypedDict literal
                {"idempotency_key": request.idempotency_key},
            )
        return _session(intent, date_of(intent))

    def _payment(self, request: PaymentRequest) -> dict[str, Any]:
        params: dict[str, Any] = {
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "allowed_payment_method_types": ["card"],
            "description": request.description,
            "metadata": {ORDER_REFERENCE: request.order_reference},
        }
        if request.shipping is not None:
            params["shipping"] = shipping_of(request.shipping)
        if request.manual_capture:
            params["capture_method"] = MANUAL
        if self._receipts:
            params["receipt_email"] = request.email
        return params

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        with translate_errors("retrieve_payment", provider_payment_id):
            intent = self._client.v1.payment_intents.retrieve(provider_payment_id, {"expand": ["latest_charge"]})
            return _session(intent, date_of(intent))

    def find_payment_of_order(self, order_reference: str, age: timedelta) -> PaymentSession | None:
        # By the list: the search index is a minute behind. By Stripe's own clock: to allow for the difference of two
        # clocks would be to read through some minutes of a busy shop, while a page waits.
        since = self.clock() - age - OVERLAP
        with translate_errors("find_payment_of_order", order_reference):
            found = self._client.v1.payment_intents.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for intent in found.auto_paging_iter():
                metadata = intent.metadata.to_dict()
                made_here = metadata.get(ORDER_REFERENCE) == order_reference and PAYMENT_NUMBER not in metadata
                if made_here and intent.status != CANCELLED:
                    return _session(intent, date_of(found))
        return None

    def cancel_payment(self, provider_payment_id: str, reason: CancelReason) -> PaymentSnapshot:
        with translate_errors("cancel_payment", provider_payment_id):
            try:
                # No key of ours: a second cancel does no harm, while a refusal under a key would be repeated for a day,
                # long after the bank has decided.
                intent = self._client.v1.payment_intents.cancel(
                    provider_payment_id, {"cancellation_reason": CANCELLATION_REASONS[reason]}
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code != "payment_intent_unexpected_state":
                    raise
                return self.retrieve_payment(provider_payment_id).snapshot
        return snapshot_of(intent.to_dict(), date_of(intent))

    def capture_payment(self, provider_payment_id: str, amount: Money, key: str) -> PaymentSnapshot:
        with translate_errors("capture_payment", provider_payment_id):
            try:
                intent = self._client.v1.payment_intents.capture(
                    provider_payment_id,
                    {"amount_to_capture": amount.minor, "expand": ["latest_charge"]},
                    {"idempotency_key": key},
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code == "payment_intent_unexpected_state":
                    return self.retrieve_payment(provider_payment_id).snapshot
                if refusal.code == "resource_missing":
                    raise
                raise CaptureRefused(CaptureRefusal.BY_PAYMENT_SERVICE) from refusal
            except stripe.CardError as refusal:
                raise CaptureRefused(CaptureRefusal.BY_PAYMENT_SERVICE) from refusal
        return snapshot_of(intent.to_dict(), date_of(intent))

    def create_hosted_page(self, request: HostedPageRequest) -> HostedPage:
        with translate_errors("create_hosted_page", request.payment.order_reference):
            return checkout.create(self._client, request, self._payment(request.payment))

    def retrieve_hosted_page(self, provider_page_id: str) -> HostedPage:
        with translate_errors("retrieve_hosted_page", provider_page_id):
            return checkout.retrieve(self._client, provider_page_id)

    def find_page_of_payment(self, order_reference: str, payment_number: int, age: timedelta) -> HostedPage | None:
        since = self.clock() - age - OVERLAP  # as for a payment
        with translate_errors("find_page_of_payment", order_reference):
            for page in checkout.open_since(self._client, since):
                if (page.snapshot.order_reference, page.snapshot.payment_number) == (order_reference, payment_number):
                    return page
        return None

    def expire_hosted_page(self, provider_page_id: str) -> HostedPageSnapshot:
        with translate_errors("expire_hosted_page", provider_page_id):
            return checkout.expire(self._client, provider_page_id)

    def list_open_pages(self, since: datetime) -> Iterator[HostedPageSnapshot]:
        with translate_errors("list_open_pages", "all"):
            for page in checkout.open_since(self._client, since):
                yield page.snapshot

    def refund_payment(
        self,
        provider_payment_id: str,
        amount: Money,
        key: str,
        attempt: int = 1,
        reason: RefundReason | None = None,
    ) -> RefundSnapshot:
        params: Any = {"payment_intent": provider_payment_id, "amount": amount.minor, "metadata": {REFUND_KEY: key}}
        if reason is not None:
            params["reason"] = reason.value
        with translate_errors("refund_payment", provider_payment_id):
            # Stripe keeps an idempotency key for a day, and the answer may be missing for longer than that.
            if (earlier := self._find_refund_by_key(provider_payment_id, key)) is not None:
                return earlier
            try:
                refund = self._client.v1.refunds.create(
                    params, {"idempotency_key": key if attempt == 1 else f"{key}-{attempt}"}
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code == CHARGE_DISPUTED:
                    raise RefundRefused(RefundRefusal.DISPUTED) from refusal
                if refusal.code == CHARGE_RETURNED or refusal.param == "amount":
                    raise RefundRefused from refusal
                raise
        return refund_of(refund.to_dict())

    def _find_refund_by_key(self, provider_payment_id: str, key: str) -> RefundSnapshot | None:
        """The refund that an earlier request with this key made."""
        found = self._client.v1.refunds.list({"payment_intent": provider_payment_id, "limit": PAGE})
        snapshots = (refund_of(refund.to_dict()) for refund in found.auto_paging_iter())
        return next((snapshot for snapshot in snapshots if snapshot.key == key), None)

    def list_payments(self, since: datetime) -> Iterator[PaymentSnapshot]:
        with translate_errors("list_payments", "all"):
            found = self._client.v1.payment_intents.list(
                {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": ["data.latest_charge"]}
            )
            asked_at = date_of(found)
            for intent in found.auto_paging_iter():
                yield snapshot_of(intent.to_dict(), asked_at)

    def list_refunds(self, since: datetime) -> Iterator[RefundSnapshot]:
        with translate_errors("list_refunds", "all"):
            found = self._client.v1.refunds.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for refund in found.auto_paging_iter():
                yield refund_of(refund.to_dict())

    def list_disputes(self, since: datetime) -> Iterator[DisputeSnapshot]:
        with translate_errors("list_disputes", "all"):
            found = self._client.v1.disputes.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            for dispute in found.auto_paging_iter():
                yield dispute_of(dispute.to_dict())

    def find_payment(self, provider_payment_id: str) -> PaymentSnapshot | None:
        with translate_errors("find_payment", provider_payment_id):
            intent = retrieve_or_none(
                self._client.v1.payment_intents.retrieve, provider_payment_id, {"expand": ["latest_charge"]}
            )
        return None if intent is None else snapshot_of(intent.to_dict(), date_of(intent))

    def find_hosted_page(self, provider_page_id: str) -> HostedPageSnapshot | None:
        with translate_errors("find_hosted_page", provider_page_id):
            found = retrieve_or_none(checkout.retrieve, self._client, provider_page_id)
        return None if found is None else found.snapshot

    def find_refund(self, provider_refund_id: str) -> RefundSnapshot | None:
        with translate_errors("find_refund", provider_refund_id):
            refund = retrieve_or_none(self._client.v1.refunds.retrieve, provider_refund_id)
        return None if refund is None else refund_of(refund.to_dict())

    def find_dispute(self, provider_dispute_id: str) -> DisputeSnapshot | None:
        with translate_errors("find_dispute", provider_dispute_id):
            dispute = retrieve_or_none(self._client.v1.disputes.retrieve, provider_dispute_id)
        return None if dispute is None else dispute_of(dispute.to_dict())

    def upload_evidence(self, name: str, content: bytes, key: str) -> str:
        with translate_errors("upload_evidence", name):
            try:
                uploaded = self._client.v1.files.create(
                    {"file": UploadedFile(name, content), "purpose": "dispute_evidence"}, {"idempotency_key": key}
                )
            except stripe.InvalidRequestError as refusal:
                raise EvidenceFileRefused(EvidenceFileRefusal.BY_PAYMENT_SERVICE) from refusal
        return uploaded.id

    def answer_dispute(
        self, provider_dispute_id: str, evidence: DisputeEvidence, files: Mapping[EvidenceKind, str], key: str
    ) -> DisputeSnapshot:
        params: Any = {"evidence": evidence_of(evidence, files), "submit": True}
        with translate_errors("answer_dispute", provider_dispute_id):
            try:
                dispute = self._client.v1.disputes.update(provider_dispute_id, params, {"idempotency_key": key})
            except stripe.InvalidRequestError as refusal:
                raise DisputeNotAnswered from refusal
        return dispute_of(dispute.to_dict())

    def accept_dispute(self, provider_dispute_id: str) -> DisputeSnapshot:
        with translate_errors("accept_dispute", provider_dispute_id):
            try:
                dispute = self._client.v1.disputes.close(provider_dispute_id)
            except stripe.InvalidRequestError as refusal:
                raise DisputeNotAnswered from refusal
        return dispute_of(dispute.to_dict())

    def find_event(self, event_id: str) -> FoundEvent | None:
        with translate_errors("find_event", event_id):
            event = retrieve_or_none(self._client.v1.events.retrieve, event_id)
        if event is None:
            return None
        said = event.to_dict()
        return FoundEvent(webhooks.readable(said), webhooks.shown(said))

    def list_undelivered_events(self, since: datetime, types: Collection[str]) -> Iterator[WebhookEvent]:
        wanted = sorted(set(types))
        with translate_errors("list_undelivered_events", "all"):
            listed = [
                self._client.v1.events.list(
                    {
                        "created": {"gte": int(since.timestamp())},
                        "limit": PAGE,
                        "delivery_success": False,
                        "types": wanted[first : first + MOST_TYPES],
                    }
                ).auto_paging_iter()
                for first in range(0, len(wanted), MOST_TYPES)
            ]
            # An event has one type, so that no two lists have the same one.
            for listed_event in heapq.merge(*listed, key=lambda event: event.created, reverse=True):
                if (event := webhooks.readable(listed_event.to_dict())) is not None:
                    yield event

    def events_for(self, provider_payment_id: str, since: datetime) -> dict[str, str]:
        types: dict[str, str] = {}
        created_at = int(since.timestamp())
        with translate_errors("events_for", provider_payment_id):
            found = self._client.v1.events.list({"created": {"gte": created_at}, "limit": FEW})
            for listed in found.auto_paging_iter():
                if listed.created < created_at:
                    break  # newest first: no event is about a payment that was not created yet
                event = listed.to_dict()
                subject = event["data"]["object"]
                if provider_payment_id not in (subject.get("id"), subject.get("payment_intent")):
                    continue
                types[event["id"]] = event["type"]
                if event["type"] == "payment_intent.created":
                    created_at = event["created"]
        return types

    def list_webhook_endpoints(self) -> list[WebhookEndpoint]:
        with translate_errors("list_webhook_endpoints", "all"):
            found = self._client.v1.webhook_endpoints.list({"limit": PAGE})
            return [
                WebhookEndpoint(
                    provider_endpoint_id=endpoint.id,
                    url=endpoint.url,
                    enabled=endpoint.status == "enabled",
                    api_version=endpoint.api_version,
                    types=frozenset(endpoint.enabled_events),
                )
                for endpoint in found.auto_paging_iter()
            ]

    def create_webhook_endpoint(self, url: str, types: Collection[str], api_version: str) -> str:
        params: Any = {"url": url, "enabled_events": sorted(types), "api_version": api_version}
        with translate_errors("create_webhook_endpoint", url):
            return self._client.v1.webhook_endpoints.create(params).secret or ""

    def update_webhook_endpoint(self, provider_endpoint_id: str, types: Collection[str]) -> None:
        params: Any = {"enabled_events": sorted(types), "disabled": False}
        with translate_errors("update_webhook_endpoint", provider_endpoint_id):
            self._client.v1.webhook_endpoints.update(provider_endpoint_id, params)

    def disable_webhook_endpoint(self, provider_endpoint_id: str) -> None:
        with translate_errors("disable_webhook_endpoint", provider_endpoint_id):
            self._client.v1.webhook_endpoints.update(provider_endpoint_id, {"disabled": True})

    def clock(self) -> datetime:
        with translate_errors("clock", "account"):
            return date_of(self._client.v1.payment_intents.list({"limit": 1}))

    def account_id(self) -> str:
        if self._account_id is None:
            with translate_errors("account_id", "account"):
                try:
                    self._account_id = self._client.v1.accounts.retrieve_current().id
                except stripe.PermissionError:  # a restricted key may lack this, and needs it for nothing else
                    self._account_id = ""
        return self._account_id

    def known_account_id(self) -> str:
        return self._account_id or ""

    def missing_permissions(self) -> list[str]:
        v1 = self._client.v1
        no_file: Any = {"purpose": "dispute_evidence"}
        # Who lacks a permission is refused with 403 before anybody looks whether the object exists.
        probes: dict[str, Callable[[], object]] = {
            "PaymentIntents (write)": lambda: v1.payment_intents.cancel(NO_OBJECT),
            "Checkout Sessions (write)": lambda: v1.checkout.sessions.expire(NO_PAGE),
            "Coupons (write)": lambda: v1.coupons.update(NO_COUPON, {"name": "nobody's"}),
            "Charges and Refunds (write)": lambda: v1.refunds.create({"payment_intent": NO_OBJECT}),
            "Disputes (write)": lambda: v1.disputes.update(NO_DISPUTE, {"submit": False}),
            "Files (write)": lambda: v1.files.create(no_file),
            "Balance (read)": lambda: v1.balance_transactions.list({"limit": 1}),
            "Events (read)": lambda: v1.events.list({"limit": 1}),
            "Webhook Endpoints (read)": lambda: v1.webhook_endpoints.list({"limit": 1}),
        }
        with translate_errors("missing_permissions", "account"):
            return [permission for permission, probe in probes.items() if not permits(probe)]

    def try_keys(self, publishable_key: str, amount: Money) -> KeyTrial:
        with translate_errors("try_keys", "account"):
            intents = self._client.v1.payment_intents
            intent = intents.create(
                {
                    "amount": amount.minor,
                    "currency": amount.currency,
                    "allowed_payment_method_types": ["card"],
                    "description": "flask doctor tries the keys with this payment, and cancels it",
                }
            )
            try:
                secret = intent.client_secret or ""
                intents.retrieve(intent.id, {"client_secret": secret}, {"api_key": publishable_key})
                same_account = True
            except (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError):
                same_account = False
            finally:
                intents.cancel(intent.id)
        return KeyTrial(intent.id, same_account)

    def parse_webhook(self, body: bytes, signature: str, types: Collection[str]) -> WebhookEvent | None:
        webhooks.verify(body, signature, self._webhook_secrets)
        return webhooks.parse(body, types)

    def sign_test_event(self, at: datetime, *, forged: bool) -> SignedEvent:
        return webhooks.sign_test_event(at, f"whsec_{secrets.token_hex()}" if forged else self._webhook_secrets[0])


def _session(intent: stripe.PaymentIntent, observed_at: datetime) -> PaymentSession:
    if not intent.client_secret:
        raise PaymentMisconfigured
    return PaymentSession(snapshot_of(intent.to_dict(), observed_at), intent.client_secret)
