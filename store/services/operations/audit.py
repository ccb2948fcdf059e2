"""The audit: what must hold between orders, payments, refunds and stock, checked from the database alone.

Each rule is one statement that finds the rows which break it. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from models import Dispute, InboxEvent, Mail, Order, OrderAdjustment, OrderLine, Payment, Product, Refund
from store.domain.states import OrderState, PaymentState, RefundState, ReservationState
from store.services.findings import Finding
from store.services.mail import TO_MERCHANT
from store.services.mail.outbox import TO_SEND
from store.services.orders import reviews
from store.services.payments.disputes import STANDING
from store.services.payments.refunds import RETURNING

PAID_ORDERS = (OrderState.PAID, OrderState.FULFILLED)
GONE_ORDERS = (OrderState.EXPIRED, OrderState.CANCELLED)
# How long the worker may be behind before it counts as not running.
LATE = timedelta(minutes=15)
# How long a mail that was given up is reported. Nothing in the database says that a person has seen to it.
REPORTED = timedelta(days=14)


def run(session: Session, now: datetime) -> list[Finding]:
    """Every disagreement there is. Orders that wait for a person are findings too."""
    return [finding for rule in RULES for finding in rule(session, now)]


def _orders(session: Session, query: Select[str], code: str) -> Iterator[Finding]:
    for reference in session.scalars(query):
        yield Finding(f"order {reference}", code)


def _joined() -> Select[str]:
    """The references of orders, each with its live payment."""
    return select(Order.reference).join(Order.payment).order_by(Order.id)


def _without_payment(session: Session, _now: datetime) -> Iterator[Finding]:
    query = select(Order.reference).outerjoin(Order.payment).where(Payment.id.is_(None)).order_by(Order.id)
    return _orders(session, query, "no_live_payment")


def _in_review(session: Session, _now: datetime) -> Iterator[Finding]:
    for waiting in reviews.waiting(session):
        data = {"reason": waiting.review.reason, "reference": waiting.reference}
        yield Finding(f"order {waiting.reference}", "in_review", data)


def _paid_without_payment(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(Order.state.in_(PAID_ORDERS), Payment.state != PaymentState.PAID)
    return _orders(session, query, "paid_without_payment")


def _payment_without_order(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(
        Payment.state == PaymentState.PAID,
        Order.state.in_((OrderState.AWAITING_PAYMENT, *GONE_ORDERS)),
        Payment.refund_due.is_(False),
        ~Order.needs_review,
    )
    return _orders(session, query, "payment_without_order")


def _wrong_amount(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(
        Payment.state.in_((PaymentState.PAID, PaymentState.REFUNDED)), Payment.received_minor != Order.total_minor
    )
    return _orders(session, query, "other_amount_received")


def _wrong_total(session: Session, _now: datetime) -> Iterator[Finding]:
    lines = (
        select(func.coalesce(func.sum(OrderLine.unit_price_minor * OrderLine.quantity), 0))
        .where(OrderLine.order_id == Order.id)
        .scalar_subquery()
    )
    adjustments = (
        select(func.coalesce(func.sum(OrderAdjustment.amount_minor), 0))
        .where(OrderAdjustment.order_id == Order.id)
        .scalar_subquery()
    )
    query = select(Order).where(Order.total_minor != lines + adjustments).order_by(Order.id)
    for order in session.scalars(query.options(selectinload(Order.lines), selectinload(Order.adjustments))):
        data = {"total": order.total.text(), "quoted": order.quote.total.text()}
        yield Finding(f"order {order.reference}", "total_differs", data)


def _wrong_payment(session: Session, _now: datetime) -> Iterator[Finding]:
    query = _joined().where(Payment.amount_minor != Order.total_minor)
    return _orders(session, query, "other_payment_amount")


def _wrong_refunds(session: Session, _now: datetime) -> Iterator[Finding]:
    returned = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.payment_id == Payment.id, Refund.state.in_(RETURNING))
        .scalar_subquery()
    )
    received = Payment.state.in_((PaymentState.PAID, PaymentState.REFUNDED))
    all_back = Payment.refunded_minor == Payment.received_minor
    query = (
        select(Order.reference)
        .join(Order.payments)
        .order_by(Order.id)
        .where(
            received,
            or_(
                Payment.refunded_minor != returned,
                and_(Payment.state == PaymentState.REFUNDED, ~all_back),
                and_(Payment.state == PaymentState.PAID, all_back),
                and_(Payment.live, (Order.state == OrderState.REFUNDED) != (Payment.state == PaymentState.REFUNDED)),
            ),
        )
    )
    return _orders(session, query, "refunds_differ")


def _unreturned_second(session: Session, _now: datetime) -> Iterator[Finding]:
    query = (
        select(Order.reference)
        .join(Order.payments)
        .where(~Payment.live, Payment.state == PaymentState.PAID, Payment.refund_due.is_(False), ~Order.needs_review)
        .order_by(Order.id)
    )
    return _orders(session, query, "second_payment_kept")


def _wrong_reservation(session: Session, _now: datetime) -> Iterator[Finding]:
    expected = case(  # of a refunded order nothing: what was sent before stays committed
        (Order.state == OrderState.AWAITING_PAYMENT, ReservationState.RESERVED.value),
        (Order.state.in_(PAID_ORDERS), ReservationState.COMMITTED.value),
        (Order.state.in_(GONE_ORDERS), ReservationState.RELEASED.value),
    )
    query = _joined().where(~Order.needs_review, Order.reservation != expected)
    return _orders(session, query, "stock_misplaced")


def _wrong_reserved(session: Session, _now: datetime) -> Iterator[Finding]:
    needed = (
        select(func.coalesce(func.sum(OrderLine.quantity), 0))
        .join(Order)
        .where(OrderLine.product_id == Product.id, Order.reservation == ReservationState.RESERVED)
        .scalar_subquery()
    )
    query = select(Product.slug, Product.reserved, needed.label("needed")).where(Product.reserved != needed)
    for row in session.execute(query):
        yield Finding(f"product {row.slug}", "reserved_differs", {"reserved": row.reserved, "needed": row.needed})


def _wrong_flag(session: Session, _now: datetime) -> Iterator[Finding]:
    standing = exists().where(
        Dispute.payment_id == Payment.id, Payment.order_id == Order.id, Dispute.state.in_(STANDING)
    )
    query = select(Order.reference).where(Order.disputed != standing).order_by(Order.id)
    return _orders(session, query, "dispute_flag_wrong")


def _overdue(session: Session, now: datetime) -> Iterator[Finding]:
    query = _joined().where(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at < now - LATE)
    return _orders(session, query, "overdue")


def _refund_overdue(session: Session, now: datetime) -> Iterator[Finding]:
    requested = exists().where(
        Refund.payment_id == Payment.id, Refund.state == RefundState.REQUESTED, Refund.requested_at < now - LATE
    )
    late = exists().where(Payment.order_id == Order.id, or_(Payment.refund_due, requested))
    query = select(Order.reference).where(late).order_by(Order.id)
    return _orders(session, query, "refund_overdue")


def _unhandled_events(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(InboxEvent).where(InboxEvent.handled_at.is_(None), InboxEvent.received_at < now - LATE)
    for event in session.scalars(query):
        yield Finding(f"event {event.id}", "event_unhandled", {"type": event.type, "error": event.last_error})


def _unsent_mail(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference, Mail.kind, Mail.attempts).join(Order).where(*TO_SEND, Mail.written_at < now - LATE)
    for reference, kind, attempts in session.execute(query):
        yield Finding(f"order {reference}", "mail_unsent", {"kind": kind, "attempts": attempts})


def _refused_mail(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference, Mail.kind).join(Order).where(Mail.failed_at >= now - REPORTED).order_by(Mail.id)
    for reference, kind in session.execute(query):
        if kind in TO_MERCHANT:
            yield Finding(f"order {reference}", "merchant_mail_refused", {"kind": kind})
        else:
            yield Finding(f"order {reference}", "mail_refused", {"kind": kind})


RULES: tuple[Callable[[Session, datetime], Iterator[Finding]], ...] = (
    _without_payment,
    _in_review,
    _paid_without_payment,
    _payment_without_order,
    _wrong_amount,
    _wrong_total,
    _wrong_payment,
    _wrong_refunds,
    _unreturned_second,
    _wrong_reservation,
    _wrong_reserved,
    _wrong_flag,
    _overdue,
    _refund_overdue,
    _unhandled_events,
    _unsent_mail,
    _refused_mail,
)
