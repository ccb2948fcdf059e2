"""Stripe's objects as the port's snapshots: the statuses, reasons and fields of the API, each read in one place.

Everything here takes an object as the API or an event carries it (a mapping of JSON types). Nothing here uses the
network.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.domain.addresses import Address
from store.domain.errors import Detail
from store.domain.evidence import EvidenceKind
from store.domain.money import Money
from store.domain.states import DisputeEvent, PaymentEvent, RefundEvent
from store.gateway.port import (
    CancelReason,
    Card,
    CardUsed,
    Decline,
    DisputeEvidence,
    DisputeSnapshot,
    EventObject,
    FraudWarningSnapshot,
    HostedPageSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    RiskReviewSnapshot,
    WebhookEvent,
)

# The metadata keys that name the order of a PaymentIntent, the store's number of one that is made by Checkout, and the
# store's request for a refund.
ORDER_REFERENCE, PAYMENT_NUMBER, REFUND_KEY = "order_reference", "payment_number", "refund_key"

# A status that is not here, such as `requires_source` of an older API version, is unknown to the store.
CANCELLED = "canceled"
STATUS_TO_EVENT = {
    "requires_payment_method": PaymentEvent.OPENED,
    "requires_confirmation": PaymentEvent.OPENED,
    "requires_action": PaymentEvent.ACTION_REQUIRED,
    "processing": PaymentEvent.PROCESSING,
    "requires_capture": PaymentEvent.AUTHORISED,
    "succeeded": PaymentEvent.PAID,
    CANCELLED: PaymentEvent.CANCELLED,
}

REFUND_STATUS_TO_EVENT = {
    "requires_action": RefundEvent.PENDING,
    "pending": RefundEvent.PENDING,
    "succeeded": RefundEvent.SUCCEEDED,
    "failed": RefundEvent.FAILED,
    "canceled": RefundEvent.CANCELLED,
}
# The parameters in which an order's details travel. `shipping` is an address with a name and a telephone number.
DETAIL_OF_PARAM = {
    "receipt_email": Detail.EMAIL,
    "customer_email": Detail.EMAIL,
    "shipping[name]": Detail.FULL_NAME,
    "shipping[phone]": Detail.PHONE,
    "shipping[address][line1]": Detail.LINE1,
    "shipping[address][line2]": Detail.LINE2,
    "shipping[address][city]": Detail.CITY,
    "shipping[address][state]": Detail.REGION,
    "shipping[address][postal_code]": Detail.POSTAL_CODE,
    "shipping[address][country]": Detail.COUNTRY,
}
OF_PAYMENT = "payment_intent_data"  # what of a Checkout Session's parameters are its payment's
CHARGE_RETURNED, CHARGE_DISPUTED = "charge_already_refunded", "charge_disputed"

# A status that is not here is one more step of a dispute that is not over.
DISPUTE_STATUS_TO_EVENT = {
    "warning_needs_response": DisputeEvent.INQUIRY,
    "warning_under_review": DisputeEvent.INQUIRY,
    "warning_closed": DisputeEvent.CLOSED,
    "prevented": DisputeEvent.CLOSED,
    "needs_response": DisputeEvent.NEEDS_RESPONSE,
    "under_review": DisputeEvent.UNDER_REVIEW,
    "won": DisputeEvent.WON,
    "lost": DisputeEvent.LOST,
    # A loss that is being appealed is a loss until the appeal is won.
    "appeal_needs_response": DisputeEvent.LOST,
    "appeal_under_review": DisputeEvent.LOST,
}

WITH_A_CARD = (PaymentEvent.AUTHORISED, PaymentEvent.PAID)
MANUAL = "manual"  # the capture method of a payment that is authorised first

CANCELLATION_REASONS: dict[CancelReason, Any] = {
    CancelReason.EXPIRED: "abandoned",
    CancelReason.BY_SHOPPER: "requested_by_customer",
    CancelReason.REPLACED: "duplicate",
    CancelReason.CARD_TESTING: "fraudulent",
}
CANCEL_REASONS = {name: reason for reason, name in CANCELLATION_REASONS.items()}


def snapshot_of(intent: Mapping[str, Any], observed_at: datetime) -> PaymentSnapshot:
    """A PaymentIntent as it was at that moment."""
    currency = intent["currency"]
    event = STATUS_TO_EVENT.get(intent["status"])
    error = intent.get("last_payment_error")
    decline = None
    if event is PaymentEvent.OPENED and error:
        event = PaymentEvent.DECLINED
        decline = Decline(error.get("decline_code") or error.get("code") or "unknown", _attempt(intent, error))
    return PaymentSnapshot(
        provider_payment_id=intent["id"],
        event=event,
        observed_at=observed_at,
        amount=Money(intent["amount"], currency),
        received=Money(intent.get("amount_received") or 0, currency),
        live=intent["livemode"],
        order_reference=(intent.get("metadata") or {}).get(ORDER_REFERENCE),
        payment_number=_payment_number(intent),
        decline=decline,
        card=_card(intent.get("latest_charge")) if event in WITH_A_CARD else None,
        cancelled_because=CANCEL_REASONS.get(intent.get("cancellation_reason") or ""),
        manual_capture=intent.get("capture_method") == MANUAL,
        capture_before=_capture_before(intent.get("latest_charge")) if event is PaymentEvent.AUTHORISED else None,
    )


def page_of(checkout: Mapping[str, Any], observed_at: datetime, *, failed_later: bool = False) -> HostedPageSnapshot:
    """A Checkout Session of mode `payment` as it was at that moment, with its PaymentIntent expanded or as its id.
    `failed_later`: its payment, which was not decided when it was completed, has failed.
    """
    amount = Money(checkout["amount_total"], checkout["currency"])
    number = _payment_number(checkout)
    reference = (checkout.get("metadata") or {}).get(ORDER_REFERENCE)
    intent, payment = checkout["payment_intent"], None
    if checkout["status"] == "expired":
        pass  # what was tried on it has come to nothing
    elif isinstance(intent, Mapping):
        payment = snapshot_of(intent, observed_at)
    elif intent is not None and checkout["status"] == "complete":
        paid = checkout["payment_status"] == "paid"
        undecided = PaymentEvent.DECLINED if failed_later else PaymentEvent.PROCESSING
        payment = PaymentSnapshot(
            provider_payment_id=intent,
            event=PaymentEvent.PAID if paid else undecided,
            observed_at=observed_at,
            amount=amount,
            received=amount if paid else Money(0, amount.currency),
            live=checkout["livemode"],
            order_reference=reference,
            payment_number=number,
        )
    return HostedPageSnapshot(
        provider_page_id=checkout["id"],
        open=checkout["status"] == "open",
        observed_at=observed_at,
        amount=amount,
        live=checkout["livemode"],
        order_reference=reference,
        payment_number=number,
        payment=payment,
    )


def refund_of(refund: Mapping[str, Any]) -> RefundSnapshot:
    """A Refund."""
    return RefundSnapshot(
        provider_refund_id=refund["id"],
        provider_payment_id=refund.get("payment_intent") or "",
        amount=Money(refund["amount"], refund["currency"]),
        event=REFUND_STATUS_TO_EVENT.get(refund.get("status") or "", RefundEvent.PENDING),
        key=(refund.get("metadata") or {}).get(REFUND_KEY),
    )


def dispute_of(dispute: Mapping[str, Any]) -> DisputeSnapshot:
    """A Dispute."""
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeSnapshot(
        provider_dispute_id=dispute["id"],
        provider_payment_id=dispute.get("payment_intent") or "",
        amount=Money(dispute["amount"], dispute["currency"]),
        event=DISPUTE_STATUS_TO_EVENT.get(dispute["status"], DisputeEvent.NEEDS_RESPONSE),
        due_by=datetime.fromtimestamp(due, UTC) if due else None,
    )


_EVIDENCE_FILES = {
    EvidenceKind.RECEIPT: "receipt",
    EvidenceKind.COMMUNICATION: "customer_communication",
    EvidenceKind.SHIPPING: "shipping_documentation",
    EvidenceKind.SERVICE: "service_documentation",
    EvidenceKind.OTHER: "uncategorized_file",
}


def evidence_of(evidence: DisputeEvidence, files: Mapping[EvidenceKind, str]) -> dict[str, str]:
    """Evidence as Stripe's parameters name it; what is empty is left out."""
    said = {
        "uncategorized_text": evidence.explanation,
        "product_description": evidence.product_description,
        "customer_name": evidence.customer_name,
        "customer_email_address": evidence.customer_email,
        "billing_address": evidence.billing_address,
        "shipping_address": evidence.shipping_address,
        "shipping_date": evidence.shipped_on,
        "shipping_tracking_number": evidence.tracking,
    }
    said |= {_EVIDENCE_FILES[kind]: provider_file_id for kind, provider_file_id in files.items()}
    return {name: text for name, text in said.items() if text}


def fraud_warning_of(warning: Mapping[str, Any]) -> FraudWarningSnapshot:
    """An early fraud warning."""
    return FraudWarningSnapshot(
        provider_warning_id=warning["id"],
        provider_payment_id=warning.get("payment_intent") or "",
        actionable=warning["actionable"],
        fraud_type=warning["fraud_type"],
    )


def risk_review_of(review: Mapping[str, Any]) -> RiskReviewSnapshot:
    """A Radar review."""
    return RiskReviewSnapshot(
        provider_review_id=review["id"],
        provider_payment_id=review.get("payment_intent") or "",
        open=review["open"],
        reason=review["opened_reason"] if review["open"] else review.get("closed_reason") or review["reason"],
    )


def detail_of(param: str) -> Detail | None:
    """Which of an order's details a parameter is, be it a PaymentIntent's or a Checkout Session's."""
    inner = param.removeprefix(f"{OF_PAYMENT}[")
    return DETAIL_OF_PARAM.get(param if inner == param else inner.replace("]", "", 1))


def _payment_number(thing: Mapping[str, Any]) -> int | None:
    """The store's number of a payment; None in what others have written."""
    written = str((thing.get("metadata") or {}).get(PAYMENT_NUMBER, ""))
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _attempt(intent: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """What identifies a declined attempt: its charge, or its card where the bank was never asked."""
    method = error.get("payment_method") or {}
    return error.get("charge") or method.get("id") or f"{intent['id']}:{error.get('code')}"


def _card(charge: Any) -> Card | None:
    """The card of an expanded charge; None where only the charge's id is given."""
    if not isinstance(charge, Mapping):
        return None
    card = (charge.get("payment_method_details") or {}).get("card")
    return Card(card["brand"], card["last4"]) if card else None


def _capture_before(charge: Any) -> datetime | None:
    """Until when an expanded charge that is not captured can be; None where only its id is given."""
    if not isinstance(charge, Mapping) or charge.get("captured"):
        return None
    until = ((charge.get("payment_method_details") or {}).get("card") or {}).get("capture_before")
    return datetime.fromtimestamp(until, UTC) if until else None


def shipping_of(to: Address) -> dict[str, Any]:
    """The `shipping` parameter. Stripe refuses empty texts, so empty parts are left out."""
    address = {
        "line1": to.line1,
        "line2": to.line2,
        "city": to.city,
        "state": to.region,
        "postal_code": to.postal_code,
        "country": to.country,
    }
    shipping: dict[str, Any] = {"name": to.full_name, "address": {key: part for key, part in address.items() if part}}
    if to.phone:
        shipping["phone"] = to.phone
    return shipping


def event_of(event: Mapping[str, Any]) -> WebhookEvent:
    """An event with its object. Raises KeyError, TypeError, ValueError or AttributeError for what is not one."""
    created = datetime.fromtimestamp(int(event["created"]), UTC)
    return WebhookEvent(
        event_id=str(event["id"]),
        type=str(event["type"]),
        live=bool(event["livemode"]),
        created=created,
        object=_object(event["data"]["object"], created, str(event["type"])),
    )


def is_of_own_account(event: Mapping[str, Any]) -> bool:
    """Whether an event happened on the account of the store's key. Only an event of another account, which Stripe
    Connect sends to a platform, names its account (Event.account in the API reference).
    """
    return event.get("account") is None


def _object(thing: Mapping[str, Any], observed_at: datetime, event_type: str) -> EventObject | None:
    match thing["object"]:
        case "payment_intent":
            return snapshot_of(thing, observed_at)
        case "checkout.session" if thing["mode"] == "payment":
            return page_of(thing, observed_at, failed_later=event_type == "checkout.session.async_payment_failed")
        case "refund":
            return refund_of(thing)
        case "dispute":
            return dispute_of(thing)
        case "charge" if thing.get("payment_intent") and (card := _card(thing)):
            # Stripe copies the metadata of a payment to its charges.
            reference = (thing.get("metadata") or {}).get(ORDER_REFERENCE)
            return CardUsed(thing["payment_intent"], card, reference, _capture_before(thing))
        case "radar.early_fraud_warning":
            return fraud_warning_of(thing)
        case "review":
            return risk_review_of(thing)
        case _:
            return None
