"""The audit: what must hold between orders, payments, refunds and stock, checked from the database alone.

Each rule is one statement that finds the rows which break it. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from models import Dispute, InboxEvent, Mail, Order, OrderLine, Payment, Product, Refund
from store.domain.states import OrderState, PaymentState, ReservationState
from store.services.findings import Finding
from store.services.payments.disputes import STANDING
from store.services.payments.refunds import RETURNING

PAID_ORDERS = (OrderState.PAID, OrderState.FULFILLED)
GONE_ORDERS = (OrderState.EXPIRED, OrderState.CANCELLED)
# How long upkeep may be behind before it counts as not running.
LATE = timedelta(minutes=15)


def run(session: Session, now: datetime) -> list[Finding]:
    """Every disagreement there is. Orders that are set aside for a person are findings too."""
    return [finding for rule in RULES for finding in rule(session, now)]


def _orders(session: Session, query: Select[str], wrong: str, remedy: str) -> Iterator[Finding]:
    for reference in session.scalars(query):
        yield Finding(f"order {reference}", wrong, remedy)


def _joined() -> Select[str]:
    return select(Order.reference).join(Payment).order_by(Order.id)


def _without_payment(session: Session, _now: datetime) -> Iterator[Finding]:
    query = select(Order.reference).outerjoin(Payment).where(Payment.order_id.is_(None)).order_by(Order.id)
    return _orders(session, query, "has no payment, not even one that is not opened.", "Find out who removed it.")


def _set_aside(session: Session, _now: datetime) -> Iterator[Finding]:
    query = select(Order.reference).where(Order.needs_review).order_by(Order.id)
    return _orders(session, query, "is set aside for a person.", "Its timeline says why: settle it with the shopper.")


def _paid_without_payment(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(Order.state.in_(PAID_ORDERS), Payment.state != PaymentState.PAID)
    return _orders(
        session, query, "is paid, but its payment is not.", "Run `flask reconcile`; send nothing out before."
    )


def _payment_without_order(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(
        Payment.state == PaymentState.PAID,
        Order.state.in_((OrderState.AWAITING_PAYMENT, *GONE_ORDERS)),
        Payment.refund_due.is_(False),
        Order.needs_review.is_(False),
    )
    return _orders(session, query, "was paid for, but is not paid.", "Refund it with `flask refund`, or look into it.")


def _wrong_amount(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(
        Payment.state.in_((PaymentState.PAID, PaymentState.REFUNDED)), Payment.received_minor != Order.total_minor
    )
    return _orders(session, query, "was paid with another amount than its total.", "Settle the difference.")


def _wrong_total(session: Session, _now: datetime) -> Iterator[Finding]:
    lines = (
        select(func.sum(OrderLine.unit_price_minor * OrderLine.quantity))
        .where(OrderLine.order_id == Order.id)
        .scalar_subquery()
    )
    query = _joined().where(
        or_(Order.total_minor != func.coalesce(lines, 0), Payment.amount_minor != Order.total_minor)
    )
    return _orders(session, query, "has a total that is not the sum of its lines.", "Look into it before it is sent.")


def _wrong_refunds(session: Session, _now: datetime) -> Iterator[Finding]:
    returned = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.order_id == Order.id, Refund.state.in_(RETURNING))
        .scalar_subquery()
    )
    settled = Payment.state.in_((PaymentState.PAID, PaymentState.REFUNDED))
    all_back = Payment.refunded_minor == Payment.received_minor
    query = _joined().where(
        settled,
        or_(
            Payment.refunded_minor != returned,
            and_(Payment.state == PaymentState.REFUNDED, ~all_back),
            and_(Payment.state == PaymentState.PAID, all_back),
            (Order.state == OrderState.REFUNDED) != (Payment.state == PaymentState.REFUNDED),
        ),
    )
    return _orders(session, query, "does not agree with its refunds.", "Run `flask reconcile`.")


def _wrong_goods(session: Session, _now: datetime) -> Iterator[Finding]:
    expected = case(  # of a refunded order nothing: what was sent before stays sold
        (Order.state == OrderState.AWAITING_PAYMENT, ReservationState.RESERVED.value),
        (Order.state.in_(PAID_ORDERS), ReservationState.COMMITTED.value),
        (Order.state.in_(GONE_ORDERS), ReservationState.RELEASED.value),
    )
    query = _joined().where(Order.needs_review.is_(False), Order.reservation != expected)
    return _orders(session, query, "has goods that are not where its state says.", "Look into its timeline.")


def _wrong_holds(session: Session, _now: datetime) -> Iterator[Finding]:
    promised = (
        select(func.coalesce(func.sum(OrderLine.quantity), 0))
        .join(Order)
        .where(OrderLine.product_id == Product.id, Order.reservation == ReservationState.RESERVED)
        .scalar_subquery()
    )
    query = select(Product.slug, Product.reserved, promised.label("promised")).where(Product.reserved != promised)
    for row in session.execute(query):
        wrong = f"{row.reserved} pieces are held, open orders were promised {row.promised}."
        yield Finding(f"product {row.slug}", wrong, "Set `held` to what was promised.")


def _wrong_flag(session: Session, _now: datetime) -> Iterator[Finding]:
    standing = exists().where(Dispute.order_id == Order.id, Dispute.state.in_(STANDING))
    query = select(Order.reference).where(Order.disputed != standing).order_by(Order.id)
    return _orders(session, query, "is flagged as disputed, or not, against its disputes.", "Run `flask reconcile`.")


def _overdue(session: Session, now: datetime) -> Iterator[Finding]:
    query = _joined().where(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at < now - LATE)
    remedy = "Is `flask worker --every 30` running? If it is, `flask reconcile` says what stands in its way."
    return _orders(session, query, "should have expired long ago.", remedy)


def _refund_overdue(session: Session, now: datetime) -> Iterator[Finding]:
    asked = select(Refund.order_id).where(Refund.state == "requested", Refund.asked_at < now - LATE)
    query = _joined().where(or_(Payment.refund_due, Order.id.in_(asked)))
    return _orders(session, query, "waits for a refund that was not made.", "Is `flask worker --every 30` running?")


def _unhandled_events(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(InboxEvent).where(InboxEvent.handled_at.is_(None), InboxEvent.received_at < now - LATE)
    for event in session.scalars(query):
        wrong = f"a webhook of kind {event.kind} could not be handled ({event.last_error})."
        yield Finding(f"event {event.id}", wrong, "Run `flask reconcile`, and look into the log.")


def _unsent_mail(session: Session, now: datetime) -> Iterator[Finding]:
    query = (
        select(Order.reference, Mail.kind, Mail.attempts)
        .join(Order)
        .where(Mail.sent_at.is_(None), Mail.written_at < now - LATE)
    )
    for reference, kind, attempts in session.execute(query):
        wrong = f"its letter “{kind}” was not sent after {attempts} tries."
        yield Finding(f"order {reference}", wrong, "Check MAIL_SERVER with `flask doctor`.")


RULES: tuple[Callable[[Session, datetime], Iterator[Finding]], ...] = (
    _without_payment,
    _set_aside,
    _paid_without_payment,
    _payment_without_order,
    _wrong_amount,
    _wrong_total,
    _wrong_refunds,
    _wrong_goods,
    _wrong_holds,
    _wrong_flag,
    _overdue,
    _refund_overdue,
    _unhandled_events,
    _unsent_mail,
)
