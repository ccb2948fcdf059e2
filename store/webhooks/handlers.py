"""Which events the store acts on, and how: one table on one screen. Every other event is ignored."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from store.gateway.port import CardUsed, DisputeSnapshot, PaymentSnapshot, RefundSnapshot, WebhookEvent
from store.services import payments
from store.services.payments import disputes, refunds, unmatched_events
from store.services.services import Services
from store.services.transitions import Origin

# A handler writes the event's effects in the transaction it is given. It says whether the event was about this store.
Handler = Callable[[Session, Services, WebhookEvent, Origin], bool]


def payment_changed(session: Session, services: Services, event: WebhookEvent, origin: Origin) -> bool:
    return isinstance(event.about, PaymentSnapshot) and payments.record(session, services, event.about, origin)


def card_used(session: Session, _services: Services, event: WebhookEvent, _origin: Origin) -> bool:
    return isinstance(event.about, CardUsed) and payments.note_card(session, event.about)


def refund_changed(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> bool:
    if not isinstance(event.about, RefundSnapshot):
        return False
    known = refunds.record(session, event.about, origin)
    if not known:
        unmatched_events.keep(session, event.about, origin)
    return known


def dispute_changed(session: Session, _services: Services, event: WebhookEvent, origin: Origin) -> bool:
    if not isinstance(event.about, DisputeSnapshot):
        return False
    known = disputes.record(session, event.about, origin)
    if not known:
        unmatched_events.keep(session, event.about, origin)
    return known


HANDLERS: dict[str, Handler] = {
    "payment_intent.created": payment_changed,
    "payment_intent.requires_action": payment_changed,
    "payment_intent.processing": payment_changed,
    "payment_intent.payment_failed": payment_changed,
    "payment_intent.succeeded": payment_changed,
    "payment_intent.canceled": payment_changed,
    "charge.succeeded": card_used,
    "refund.created": refund_changed,
    "refund.updated": refund_changed,
    "refund.failed": refund_changed,
    "charge.dispute.created": dispute_changed,
    "charge.dispute.updated": dispute_changed,
    "charge.dispute.closed": dispute_changed,
    "charge.dispute.funds_withdrawn": dispute_changed,
    "charge.dispute.funds_reinstated": dispute_changed,
}
