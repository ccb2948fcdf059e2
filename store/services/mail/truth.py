"""Whether a mail is still true. A mail can wait for hours, and what it tells of can change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import Dispute, HistoryEntry, Mail, Order, Payment, Refund, Review
from store.domain.states import DisputeState, OrderState, PaymentState, RefundState
from store.services.mail.kinds import Kind


class Untrue(StrEnum):
    """Why a mail is not sent."""

    ORDER_NOT_AUTHORISED = "order_not_authorised"
    ORDER_NOT_PAID = "order_not_paid"
    ORDER_NOT_EXPIRED = "order_not_expired"
    MONEY_RECEIVED = "money_received"
    NOT_WAITING_FOR_A_CARD = "not_waiting_for_a_card"
    ONLY_RELEASED = "only_released"
    REFUND_FAILED = "refund_failed"
    REVIEW_RESOLVED = "review_resolved"
    DISPUTE_DECIDED = "dispute_decided"
    DISPUTE_REOPENED = "dispute_reopened"


# Not that it was untrue: somebody of the staff has told it another way.
TOLD_OTHERWISE = "told_otherwise"

PAID = (OrderState.PAID, OrderState.FULFILLED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
# Nothing can go back of these. A released authorisation is reported as a refund, too.
UNCHARGED = (PaymentState.AUTHORISED, PaymentState.CANCELLED)
FAILED = (RefundState.FAILED, RefundState.CANCELLED)
DECIDED = (DisputeState.CLOSED, DisputeState.WON, DisputeState.LOST)
# What the history of an order says once somebody has tried to pay it with a card.
TRIED = (
    "payment.declined", "payment.action_required", "payment.processing", "payment.authorised", "payment.paid",
)  # fmt: skip

Check = Callable[[Session, Mail, Order, datetime], Untrue | None]


def contradiction(session: Session, mail: Mail, order: Order, now: datetime) -> Untrue | None:
    """What contradicts a mail that is about to be sent, as the database knows it at `now`; None when it is true."""
    check = CHECKS.get(Kind(mail.kind))
    return check(session, mail, order, now) if check is not None else None


def card_was_tried(session: Session, order: Order) -> bool:
    """Whether anybody has tried to pay the order with a card."""
    session.flush()  # entries of the history are written at the next flush
    tried = exists().where(HistoryEntry.order_id == order.id, HistoryEntry.type.in_(TRIED))
    return bool(session.scalar(select(tried)))


def _authorised(_session: Session, _mail: Mail, order: Order, _now: datetime) -> Untrue | None:
    return None if order.is_authorised else Untrue.ORDER_NOT_AUTHORISED


def _released(session: Session, _mail: Mail, order: Order, _now: datetime) -> Untrue | None:
    return Untrue.MONEY_RECEIVED if _has_received(session, order) else None


def _paid(_session: Session, _mail: Mail, order: Order, _now: datetime) -> Untrue | None:
    return None if order.state in PAID else Untrue.ORDER_NOT_PAID


def _expired(session: Session, _mail: Mail, order: Order, _now: datetime) -> Untrue | None:
    if order.state is not OrderState.EXPIRED:
        return Untrue.ORDER_NOT_EXPIRED
    return Untrue.MONEY_RECEIVED if _has_received(session, order) else None


def _has_received(session: Session, order: Order) -> bool:
    received = exists().where(Payment.order_id == order.id, Payment.state.in_(RECEIVED))
    return bool(session.scalar(select(received)))


def _payment_failed(_session: Session, _mail: Mail, order: Order, now: datetime) -> Untrue | None:
    waiting = order.state is OrderState.AWAITING_PAYMENT and order.expires_at > now
    return None if waiting and order.payment.state is PaymentState.DECLINED else Untrue.NOT_WAITING_FOR_A_CARD


def _returned(session: Session, mail: Mail, _order: Order, _now: datetime) -> Untrue | None:
    name = mail.dedupe_key.removeprefix("refund:")
    refund = select(Refund.state, Payment.state.label("of")).join(Refund.payment)
    found = session.execute(refund.where(Refund.provider_refund_id == name)).one_or_none()
    if found is not None and found.of in UNCHARGED:
        return Untrue.ONLY_RELEASED
    return Untrue.REFUND_FAILED if found is not None and found.state in FAILED else None


def _in_review(session: Session, mail: Mail, _order: Order, _now: datetime) -> Untrue | None:
    review = session.get_one(Review, mail.data["review"])
    return Untrue.REVIEW_RESOLVED if review.resolved_at is not None else None


def _disputed(session: Session, mail: Mail, _order: Order, _now: datetime) -> Untrue | None:
    dispute = session.get(Dispute, mail.dedupe_key.removeprefix("dispute:"))
    return Untrue.DISPUTE_DECIDED if dispute is not None and dispute.state in DECIDED else None


def _decided(session: Session, mail: Mail, _order: Order, _now: datetime) -> Untrue | None:
    dispute = session.get_one(Dispute, mail.data["dispute"])
    return None if dispute.state == mail.data["state"] else Untrue.DISPUTE_REOPENED


# What is not listed stays true: an order that left the shop, a refund that failed, a review that ended elsewhere.
CHECKS: Mapping[Kind, Check] = {
    Kind.ORDER_AUTHORISED: _authorised,
    Kind.AUTHORISATION_RELEASED: _released,
    Kind.ORDER_PAID: _paid,
    Kind.ORDER_EXPIRED: _expired,
    Kind.PAYMENT_FAILED: _payment_failed,
    Kind.LATE_PAYMENT_RETURNED: _returned,
    Kind.SECOND_PAYMENT_RETURNED: _returned,
    Kind.REFUNDED: _returned,
    Kind.REVIEW_OPENED: _in_review,
    Kind.DISPUTE_OPENED: _disputed,
    Kind.DISPUTE_DECIDED: _decided,
}
