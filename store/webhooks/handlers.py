"""Which events the store handles, and how: one table on one screen. Every other event is ignored."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from models import Order
from store.gateway.port import (
    CardUsed,
    DisputeSnapshot,
    FraudWarningSnapshot,
    HostedPageSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    RiskReviewSnapshot,
    WebhookEvent,
)
from store.services import payments
from store.services.history import Origin
from store.services.payments import disputes, refunds, risk, unmatched_events
from store.services.services import Services

# A handler writes the event's effects in the transaction that it is given. It returns the reference of the order that
# the event is about, or None when the event is not about this store.
Handler = Callable[[Session, Services, WebhookEvent, Origin], str | None]


def payment_changed(session: Session, services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, PaymentSnapshot | HostedPageSnapshot):
        return None
    order = payments.record(session, services, event.object, origin)
    return order.reference if order is not None else None


def card_used(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, CardUsed):
        return None
    order = payments.note_card(session, event.object)
    if order is None and event.object.order_reference is not None:
        unmatched_events.store(session, event.object, origin)  # on a hosted page the card comes before its payment
    return order


def refund_changed(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, RefundSnapshot):
        return None
    return _known(session, refunds.record(session, event.object, origin), event.object, origin)


def dispute_changed(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, DisputeSnapshot):
        return None
    return _known(session, disputes.record(session, event.object, origin), event.object, origin)


def fraud_warned(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, FraudWarningSnapshot):
        return None
    return _known(session, risk.record_warning(session, event.object, origin), event.object, origin)


def risk_review_changed(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> str | None:
    if not isinstance(event.object, RiskReviewSnapshot):
        return None
    return _known(session, risk.record_review(session, event.object, origin), event.object, origin)


def _known(session: Session, order: Order | None, snapshot: unmatched_events.Kept, origin: Origin) -> str | None:
    """What is said of a payment that is not known yet is kept until it is."""
    if order is None:
        unmatched_events.store(session, snapshot, origin)
        return None
    return order.reference


HANDLERS: dict[str, Handler] = {
    "payment_intent.created": payment_changed,  # sent when the payment page was opened for the first time
    "payment_intent.requires_action": payment_changed,  # … the bank asks the shopper (3-D Secure)
    "payment_intent.processing": payment_changed,  # … the bank takes its time to decide
    "payment_intent.payment_failed": payment_changed,  # … a card was declined, or 3-D Secure failed
    "payment_intent.amount_capturable_updated": payment_changed,  # … the card is authorised, to be charged later
    "payment_intent.succeeded": payment_changed,  # … the money is received
    "payment_intent.canceled": payment_changed,  # … the payment was cancelled, by the store or by anybody else
    "checkout.session.completed": payment_changed,  # … the shopper has paid on the hosted page
    "checkout.session.expired": payment_changed,  # … the hosted page is over, and was not paid
    "checkout.session.async_payment_succeeded": payment_changed,  # … the bank has decided after the page was left
    "checkout.session.async_payment_failed": payment_changed,  # … the same, and it was refused
    "charge.succeeded": card_used,  # … a card was charged; it says which
    "refund.created": refund_changed,  # … a refund was asked for, by the store or in the dashboard
    "refund.updated": refund_changed,  # … its state changed
    "refund.failed": refund_changed,  # … it failed, perhaps after it had succeeded
    "charge.dispute.created": dispute_changed,  # … the cardholder disputes the charge, or their bank inquires
    "charge.dispute.updated": dispute_changed,  # … evidence was sent, or the state changed
    "charge.dispute.closed": dispute_changed,  # … it is won, lost, or withdrawn
    "charge.dispute.funds_withdrawn": dispute_changed,  # … the disputed amount was taken from the balance
    "charge.dispute.funds_reinstated": dispute_changed,  # … the disputed amount came back
    "radar.early_fraud_warning.created": fraud_warned,  # … a card network takes the payment for fraud
    "radar.early_fraud_warning.updated": fraud_warned,  # … a refund prevents nothing any more: disputed, or made
    "review.opened": risk_review_changed,  # … Radar asks the merchant to look at the payment
    "review.closed": risk_review_changed,  # … somebody did, or the payment was refunded or disputed
}
