"""What a card network or the payment service suspects of a payment. A person decides; the store asks for one."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import HistoryEntry, Order, Review
from store.gateway.port import FraudWarningSnapshot, RiskReviewSnapshot
from store.services import history, mail, transitions
from store.services.history import Origin
from store.services.orders import reviews

WARNING = "early_fraud_warning"


def record_warning(session: Session, snapshot: FraudWarningSnapshot, origin: Origin) -> Order | None:
    """Open a review for an early fraud warning; returns the order, locked, or None when it is not of this store."""
    order = _order_of(session, snapshot.provider_payment_id)
    if order is not None:
        record_warning_of(session, order, snapshot, origin)
    return order


def record_review(session: Session, snapshot: RiskReviewSnapshot, origin: Origin) -> Order | None:
    """Open a review of the store's own for one that the payment service opened; note in the history that the service's
    ended. The store's own ends when a person resolves it. Returns the order, locked, or None when it is not of this
    store.
    """
    order = _order_of(session, snapshot.provider_payment_id)
    if order is not None:
        record_review_of(session, order, snapshot, origin)
    return order


def record_warning_of(session: Session, order: Order, snapshot: FraudWarningSnapshot, origin: Origin) -> None:
    """Record a warning about a payment whose order is locked. Once a refund prevents nothing any more, it never does
    again, whichever event comes first.
    """
    known = select(Review).where(
        Review.order_id == order.id, Review.reason == WARNING, Review.subject == snapshot.provider_warning_id
    )
    for review in session.scalars(known):
        if not snapshot.actionable:
            transitions.write(session, review, {"data": {**review.data, "actionable": False}})
        return
    reviews.open_review(
        session, order, WARNING, origin, subject=snapshot.provider_warning_id, lasting=True,
        fraud_type=snapshot.fraud_type, actionable=snapshot.actionable,
    )  # fmt: skip


def record_review_of(session: Session, order: Order, snapshot: RiskReviewSnapshot, origin: Origin) -> None:
    """Record a review of a payment whose order is locked. The event that it ended may come first."""
    subject = snapshot.provider_review_id
    ended = f"risk_review:{subject}:closed"
    if not snapshot.open:
        data = {"subject": subject, "reason": snapshot.reason}
        if history.add_once(session, order, "risk_review.closed", origin, ended, data):
            about = {"ended": snapshot.reason, "subject": subject}
            mail.write(session, order, mail.Kind.RISK_REVIEW_CLOSED, origin.at, dedupe_key=ended, **about)
    elif not _has(session, order, ended):
        reviews.open_review(
            session, order, "risk_review", origin, subject=subject, lasting=True, because=snapshot.reason
        )


def _order_of(session: Session, provider_payment_id: str) -> Order | None:
    found = transitions.lock_payment(session, provider_payment_id)
    return found[0] if found is not None else None


def _has(session: Session, order: Order, dedupe_key: str) -> bool:
    entry = exists().where(HistoryEntry.order_id == order.id, HistoryEntry.dedupe_key == dedupe_key)
    return bool(session.scalar(select(entry)))
