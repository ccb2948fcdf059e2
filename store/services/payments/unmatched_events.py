"""What webhooks said of a payment that is not known here yet, of its refunds, disputes and risk: kept, and recorded
once it is known.

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
from store.gateway.port import CardUsed, DisputeSnapshot, FraudWarningSnapshot, RefundSnapshot, RiskReviewSnapshot
from store.services import transitions
from store.services.history import Origin
from store.services.payments import authorising, disputes, refunds, risk

# An event is repeated for three days.
KEPT = timedelta(days=7)

REFUND, DISPUTE, FRAUD_WARNING, RISK_REVIEW, CARD = "refund", "dispute", "fraud_warning", "risk_review", "card"

Kept = RefundSnapshot | DisputeSnapshot | FraudWarningSnapshot | RiskReviewSnapshot | CardUsed


def store(session: Session, snapshot: Kept, origin: Origin) -> None:
    """Keep a snapshot until its payment is known. One that names no payment is nobody's."""
    if not snapshot.provider_payment_id:
        return
    kind, data = _data(snapshot)
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
        elif event.kind == DISPUTE:
            disputes.record_of(session, order, payment, _dispute(event), origin)
        elif event.kind == FRAUD_WARNING:
            risk.record_warning_of(session, order, _fraud_warning(event), origin)
        elif event.kind == CARD:
            _record_card(session, order, payment, event.data)
        else:
            risk.record_review_of(session, order, _risk_review(event), origin)


def delete_old(session: Session, now: datetime) -> None:
    """Delete what was kept for so long that it must be another program's."""
    session.execute(delete(UnmatchedEvent).where(UnmatchedEvent.received_at < now - KEPT))


def _data(snapshot: Kept) -> tuple[str, dict[str, Any]]:
    """How a snapshot is kept; `_refund`, `_dispute`, `_fraud_warning` and `_risk_review` read it. A card is kept as the
    columns of its payment, with `capture_before` as text.
    """
    match snapshot:
        case RefundSnapshot():
            return REFUND, {"id": snapshot.provider_refund_id, **_event_and_amount(snapshot)}
        case DisputeSnapshot():
            due_by = snapshot.due_by.isoformat() if snapshot.due_by is not None else None
            return DISPUTE, {"id": snapshot.provider_dispute_id, "due_by": due_by, **_event_and_amount(snapshot)}
        case FraudWarningSnapshot(id_, _, actionable, fraud_type):
            return FRAUD_WARNING, {"id": id_, "actionable": actionable, "fraud_type": fraud_type}
        case RiskReviewSnapshot(id_, _, is_open, reason):
            return RISK_REVIEW, {"id": id_, "open": is_open, "reason": reason}
        case CardUsed(_, card, _, capture_before):
            until = {"capture_before": capture_before.isoformat()} if capture_before is not None else {}
            return CARD, {"card_brand": card.brand, "card_last4": card.last4, **until}


def _event_and_amount(snapshot: RefundSnapshot | DisputeSnapshot) -> dict[str, Any]:
    return {"event": snapshot.event, "amount": snapshot.amount.minor, "currency": snapshot.amount.currency}


def _record_card(session: Session, order: Order, payment: Payment, data: dict[str, Any]) -> None:
    transitions.write(session, payment, {name: data[name] for name in ("card_brand", "card_last4")})
    if "capture_before" in data:
        authorising.note_end(session, order, payment, datetime.fromisoformat(data["capture_before"]))


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
        due_by=datetime.fromisoformat(data["due_by"]) if data.get("due_by") else None,
    )


def _fraud_warning(event: UnmatchedEvent) -> FraudWarningSnapshot:
    data = event.data
    return FraudWarningSnapshot(data["id"], event.provider_payment_id, data["actionable"], data["fraud_type"])


def _risk_review(event: UnmatchedEvent) -> RiskReviewSnapshot:
    data = event.data
    return RiskReviewSnapshot(data["id"], event.provider_payment_id, data["open"], data["reason"])
