"""What webhooks said of refunds and disputes whose payment is not known here yet: kept, and recorded once it is.

Webhooks come in any order, and an event that was answered does not come again. Most of what is kept is about payments
of other programs on the account; the worker deletes it when it is old.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import Order, Payment, UnmatchedEvent
from store.domain.money import Money
from store.domain.states import DisputeEvent, RefundEvent
from store.gateway.port import DisputeSnapshot, RefundSnapshot
from store.services.history import Origin
from store.services.payments import disputes, refunds

# Stripe repeats an event for three days.
KEPT = timedelta(days=7)

REFUND, DISPUTE = "refund", "dispute"


def store(session: Session, snapshot: RefundSnapshot | DisputeSnapshot, origin: Origin) -> None:
    """Keep a snapshot until its payment is known."""
    data: dict[str, Any] = {
        "event": snapshot.event,
        "amount": snapshot.amount.minor,
        "currency": snapshot.amount.currency,
    }
    if isinstance(snapshot, RefundSnapshot):
        kind, data = REFUND, {**data, "id": snapshot.provider_refund_id}
    else:
        kind, data = DISPUTE, {**data, "id": snapshot.provider_dispute_id}
    session.add(
        UnmatchedEvent(provider_payment_id=snapshot.provider_payment_id, kind=kind, data=data, received_at=origin.at)
    )


def replay(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Record all that was kept of a payment, whose order is locked."""
    of_payment = delete(UnmatchedEvent).where(UnmatchedEvent.provider_payment_id == payment.provider_payment_id)
    kept = session.scalars(of_payment.returning(UnmatchedEvent)).all()
    for event in sorted(kept, key=lambda event: event.id):
        if event.kind == REFUND:
            refunds.record_of(session, order, payment, _refund(event), origin)
        else:
            disputes.record_of(session, order, payment, _dispute(event), origin)


def delete_old(session: Session, now: datetime) -> None:
    """Delete what was kept for so long that it must be another program's."""
    session.execute(delete(UnmatchedEvent).where(UnmatchedEvent.received_at < now - KEPT))


def _refund(event: UnmatchedEvent) -> RefundSnapshot:
    data = event.data
    return RefundSnapshot(
        provider_refund_id=data["id"],
        provider_payment_id=event.provider_payment_id,
        amount=Money(data["amount"], data["currency"]),
        event=RefundEvent(data["event"]),
        key=None,  # the store requests no refund of a payment that it does not know, so it was made elsewhere
    )


def _dispute(event: UnmatchedEvent) -> DisputeSnapshot:
    data = event.data
    return DisputeSnapshot(
        provider_dispute_id=data["id"],
        provider_payment_id=event.provider_payment_id,
        amount=Money(data["amount"], data["currency"]),
        event=DisputeEvent(data["event"]),
    )
