"""The audit: what must hold between orders, payments, refunds and stock, checked from the database alone.

Each rule is one statement that finds the rows which break it. Nothing is changed. The rules about orders are asked for
some thousand orders at a time, so that the memory it takes and the time of a statement do not grow with the orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from models import (
    CouponRow,
    Dispute,
    HistoryEntry,
    InboxEvent,
    Mail,
    Order,
    OrderAdjustment,
    OrderLine,
    Payment,
    Product,
    Refund,
    RefundLine,
    ShipmentLine,
    TaxTransaction,
)
from store.domain.states import OrderState, PaymentState, RefundState, ReservationState
from store.services.database import Database
from store.services.documents import auditing as documents
from store.services.findings import Finding
from store.services.mail import TO_MERCHANT
from store.services.mail.outbox import TO_SEND
from store.services.orders import reviews
from store.services.payments.disputes import STANDING
from store.services.payments.refunds import RETURNING
from store.services.payments.refunds.lines import STANDS

PAID_ORDERS = (OrderState.PAID, OrderState.FULFILLED)
GONE_ORDERS = (OrderState.EXPIRED, OrderState.CANCELLED)
# How long the worker may be behind before it counts as not running.
LATE = timedelta(minutes=15)
# How long a mail that was given up is reported. Nothing in the database says that a person has seen to it.
REPORTED = timedelta(days=14)
# How many orders one statement is about: by their ids from one to another, or by a list of ids, which is longer.
RANGE, LIST = 10_000, 1_000

# Makes of a column with the id of an order the condition that it is one that a rule is asked about. It is said of each
# table that is joined: PostgreSQL infers it of none, and would read all of it.
Among = Callable[[InstrumentedAttribute[int]], ColumnElement[bool]]


def run(session: Session, now: datetime, since: datetime | None = None) -> list[Finding]:
    """Every disagreement there is, among the orders whose history goes on after `since` where that is given. Orders
    that wait for a person are findings too, and so is what was not done in time, whenever it began.
    """
    found = [finding for among in _parts(session, since) for finding in _of_orders(session, now, among)]
    return found + list(_of_store(session, now))


def stream(
    database: Database,
    now: datetime,
    since: datetime | None = None,
    *,
    size: int = RANGE,
    report: Callable[[int, int], object] = lambda _done, _parts: None,
) -> Iterator[Finding]:
    """The same, one by one, with a transaction of its own for each part of the orders, which is of `size` at the most;
    `report` is called with how many parts of how many are done. Raises StoreBusy.
    """
    with database.reading() as session:
        parts = list(_parts(session, since, size))
    for done, among in enumerate(parts, 1):
        with database.reading() as session:
            found = list(_of_orders(session, now, among))
        yield from found
        report(done, len(parts))
    with database.reading() as session:
        found = list(_of_store(session, now))
    yield from found


def _parts(session: Session, since: datetime | None, size: int = RANGE) -> Iterator[Among]:
    """Conditions that together hold for each order that is to be checked."""
    if since is None:
        first, last = session.execute(select(func.min(Order.id), func.max(Order.id))).one()
        for start in range(first or 0, (last or -1) + 1, size):
            yield partial(_is_between, first=start, last=start + size - 1)
    else:
        changed = Order.id.in_(select(HistoryEntry.order_id).where(HistoryEntry.at >= since))
        for ids in session.scalars(select(Order.id).where(changed).order_by(Order.id)).partitions(min(size, LIST)):
            yield partial(_is_one_of, ids=ids)


def _is_between(order_id: InstrumentedAttribute[int], *, first: int, last: int) -> ColumnElement[bool]:
    return order_id.between(first, last)


def _is_one_of(order_id: InstrumentedAttribute[int], *, ids: Sequence[int]) -> ColumnElement[bool]:
    return order_id.in_(ids)


def _of_orders(session: Session, now: datetime, among: Among) -> Iterator[Finding]:
    for rule in ORDER_RULES:
        yield from rule(session, now, among)


def _of_store(session: Session, now: datetime) -> Iterator[Finding]:
    for rule in STORE_RULES:
        yield from rule(session, now)


def _orders(session: Session, query: Select[str], code: str) -> Iterator[Finding]:
    for reference in session.scalars(query):
        yield Finding(f"order {reference}", code)


def _joined(among: Among) -> Select[str]:
    """The references of orders, each with its live payment."""
    joined = select(Order.reference).join(Order.payment).order_by(Order.id)
    return joined.where(among(Order.id), among(Payment.order_id))


def _with_lines(among: Among) -> Select[str]:
    """The references of orders, each once, with its lines."""
    joined = select(Order.reference).join(OrderLine)
    return joined.where(among(Order.id), among(OrderLine.order_id)).group_by(Order.id).order_by(Order.id)


def _without_payment(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    live = exists().where(Payment.order_id == Order.id, Payment.live, among(Payment.order_id))
    query = select(Order.reference).where(among(Order.id), ~live).order_by(Order.id)
    return _orders(session, query, "no_live_payment")


def _in_review(session: Session, _now: datetime) -> Iterator[Finding]:
    for waiting in reviews.waiting(session):
        data = {"reason": waiting.review.reason, "reference": waiting.reference}
        yield Finding(f"order {waiting.reference}", "in_review", data)


def _paid_without_payment(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    unpaid = and_(Order.total_minor > 0, Payment.state != PaymentState.PAID)
    opened = and_(Order.total_minor == 0, Payment.state != PaymentState.UNOPENED)  # there was nothing to pay
    query = _joined(among).where(Order.state.in_(PAID_ORDERS), or_(unpaid, opened))
    return _orders(session, query, "paid_without_payment")


def _payment_without_order(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    query = _joined(among).where(
        Payment.state == PaymentState.PAID,
        Order.state.in_((OrderState.AWAITING_PAYMENT, *GONE_ORDERS)),
        Payment.refund_due.is_(False),
        ~Order.needs_review,
    )
    return _orders(session, query, "payment_without_order")


def _wrong_amount(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    query = _joined(among).where(
        Payment.state.in_((PaymentState.PAID, PaymentState.REFUNDED)),
        # A payment that was authorised first may be captured in part.
        Payment.received_minor != func.coalesce(Payment.capture_minor, Order.total_minor),
    )
    return _orders(session, query, "other_amount_received")


def _wrong_authorisation(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    waits = and_(Order.state == OrderState.AWAITING_PAYMENT, Order.authorised_at.is_not(None))
    query = _joined(among).where(waits != (Payment.state == PaymentState.AUTHORISED), ~Order.needs_review)
    return _orders(session, query, "authorisation_differs")


def _wrong_total(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
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
    query = select(Order).where(among(Order.id), Order.total_minor != lines + adjustments).order_by(Order.id)
    for order in session.scalars(query.options(selectinload(Order.lines), selectinload(Order.adjustments))):
        data = {"total": order.total.text(), "quoted": order.quote.total.text()}
        yield Finding(f"order {order.reference}", "total_differs", data)


def _wrong_payment(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    query = _joined(among).where(Payment.amount_minor != Order.total_minor)
    return _orders(session, query, "other_payment_amount")


def _wrong_refunds(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
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
            among(Order.id),
            among(Payment.order_id),
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


def _unreturned_second(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    query = (
        select(Order.reference)
        .join(Order.payments)
        .where(among(Order.id), among(Payment.order_id), ~Payment.live, Payment.state == PaymentState.PAID)
        .where(Payment.refund_due.is_(False), ~Order.needs_review)
        .order_by(Order.id)
    )
    return _orders(session, query, "second_payment_kept")


def _wrong_shipments(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    sent = (
        select(ShipmentLine.order_id, ShipmentLine.product_id, func.sum(ShipmentLine.quantity).label("pieces"))
        .where(among(ShipmentLine.order_id))
        .group_by(ShipmentLine.order_id, ShipmentLine.product_id)
        .subquery()
    )
    same = and_(sent.c.order_id == OrderLine.order_id, sent.c.product_id == OrderLine.product_id)
    left = and_(Order.state == OrderState.FULFILLED, OrderLine.to_ship > 0)
    query = (
        _with_lines(among)
        .outerjoin(sent, same)
        .where(
            or_(
                OrderLine.shipped != func.coalesce(sent.c.pieces, 0),
                and_(OrderLine.shipped > 0, Order.shipped_at.is_(None)),
                left,
            )
        )
    )
    return _orders(session, query, "shipments_differ")


def _wrong_refund_lines(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    def pieces(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((which, RefundLine.quantity), else_=0))

    back = and_(RefundLine.restock, or_(RefundLine.refund_id.is_(None), Refund.accepted_at.is_not(None)))
    refunded = (
        select(
            RefundLine.order_id,
            RefundLine.product_id,
            pieces(~RefundLine.sent).label("unsent"),
            pieces(and_(RefundLine.sent)).label("sent"),
            pieces(back).label("restocked"),
        )
        .outerjoin(Refund)
        .where(among(RefundLine.order_id), RefundLine.product_id.is_not(None), STANDS)
        .group_by(RefundLine.order_id, RefundLine.product_id)
        .subquery()
    )
    same = and_(refunded.c.order_id == OrderLine.order_id, refunded.c.product_id == OrderLine.product_id)
    query = (
        _with_lines(among)
        .outerjoin(refunded, same)
        .where(
            or_(
                OrderLine.refunded_unsent != func.coalesce(refunded.c.unsent, 0),
                OrderLine.refunded_sent != func.coalesce(refunded.c.sent, 0),
                OrderLine.restocked != func.coalesce(refunded.c.restocked, 0),
            )
        )
    )
    return _orders(session, query, "refund_lines_differ")


def _wrong_refund_amounts(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    worth = (
        select(RefundLine.refund_id, func.sum(RefundLine.amount_minor).label("amount"))
        .where(among(RefundLine.order_id), RefundLine.refund_id.is_not(None))
        .group_by(RefundLine.refund_id)
        .subquery()
    )
    query = (
        select(Order.reference)
        .join(Order.payments)
        .join(Refund)
        .join(worth, worth.c.refund_id == Refund.id)
        .where(among(Order.id), among(Payment.order_id), Refund.amount_minor != worth.c.amount)
        .group_by(Order.id)
        .order_by(Order.id)
    )
    return _orders(session, query, "refund_amount_differs_from_lines")


def _wrong_reservation(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    expected = case(  # of a refunded order nothing: what was sent before stays committed
        (Order.state == OrderState.AWAITING_PAYMENT, ReservationState.RESERVED.value),
        (Order.state.in_(PAID_ORDERS), ReservationState.COMMITTED.value),
        (Order.state.in_(GONE_ORDERS), ReservationState.RELEASED.value),
    )
    query = _joined(among).where(~Order.needs_review, Order.reservation != expected)
    return _orders(session, query, "stock_misplaced")


def _wrong_taxes(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    recorded = (
        select(func.coalesce(func.sum(TaxTransaction.amount_minor), 0))
        .where(TaxTransaction.order_id == Order.id)
        .scalar_subquery()
    )
    refused = exists().where(TaxTransaction.order_id == Order.id, TaxTransaction.refused)
    query = _joined(among).where(
        Order.tax_recorded_at.is_not(None), ~refused, recorded != Payment.received_minor - Payment.refunded_minor
    )
    return _orders(session, query, "taxes_differ")


def _wrong_reserved(session: Session, _now: datetime) -> Iterator[Finding]:
    reserved = (
        select(OrderLine.product_id, func.sum(OrderLine.quantity).label("pieces"))
        .join(Order)
        .where(Order.reservation == ReservationState.RESERVED)
        .group_by(OrderLine.product_id)
        .subquery()
    )
    needed = func.coalesce(reserved.c.pieces, 0)
    query = (
        select(Product.slug, Product.reserved, needed.label("needed"))
        .outerjoin(reserved, reserved.c.product_id == Product.id)
        .where(Product.reserved != needed)
        .order_by(Product.id)
    )
    for row in session.execute(query):
        yield Finding(f"product {row.slug}", "reserved_differs", {"reserved": row.reserved, "needed": row.needed})


def _wrong_uses(session: Session, _now: datetime) -> Iterator[Finding]:
    uses = (
        select(Order.coupon_id, func.count().label("orders"))
        .where(Order.coupon_id.is_not(None), Order.reservation != ReservationState.RELEASED)
        .group_by(Order.coupon_id)
        .subquery()
    )
    orders = func.coalesce(uses.c.orders, 0)
    query = (
        select(CouponRow.code, CouponRow.used, orders.label("orders"))
        .outerjoin(uses, uses.c.coupon_id == CouponRow.id)
        .where(CouponRow.used != orders)
        .order_by(CouponRow.id)
    )
    for row in session.execute(query):
        yield Finding(f"coupon {row.code}", "uses_differ", {"used": row.used, "orders": row.orders})


def _wrong_flag(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    standing = exists().where(
        Dispute.payment_id == Payment.id,
        Payment.order_id == Order.id,
        among(Payment.order_id),
        Dispute.state.in_(STANDING),
    )
    query = select(Order.reference).where(among(Order.id), Order.disputed != standing).order_by(Order.id)
    return _orders(session, query, "dispute_flag_wrong")


def _overdue(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference).where(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at < now - LATE)
    return _orders(session, query.order_by(Order.expires_at, Order.id), "overdue")


def _refund_overdue(session: Session, now: datetime) -> Iterator[Finding]:
    requested = (
        select(Payment.order_id)
        .join(Refund)
        .where(Refund.state == RefundState.REQUESTED, Refund.requested_at < now - LATE)
    )
    # Two queries, each of which goes by its index: one for both would read every payment.
    late = union_all(select(Payment.order_id).where(Payment.refund_due), requested)
    return _orders(session, select(Order.reference).where(Order.id.in_(late)).order_by(Order.id), "refund_overdue")


def _capture_overdue(session: Session, now: datetime) -> Iterator[Finding]:
    late = select(Payment.order_id).where(
        Payment.state == PaymentState.AUTHORISED, Payment.capture_requested_at < now - LATE
    )
    return _orders(session, select(Order.reference).where(Order.id.in_(late)).order_by(Order.id), "capture_overdue")


def _tax_overdue(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference).where(
        Order.tax_calculation.is_not(None),
        Order.paid_at.is_not(None),
        Order.tax_recorded_at.is_(None),
        Order.paid_at < now - LATE,
    )
    return _orders(session, query.order_by(Order.id), "tax_overdue")


def _unhandled_events(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(InboxEvent).where(InboxEvent.handled_at.is_(None), InboxEvent.received_at < now - LATE)
    for event in session.scalars(query):
        yield Finding(f"event {event.id}", "event_unhandled", {"type": event.type, "error": event.last_error})


def _unsent_mail(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference, Mail.kind, Mail.attempts).join(Order).where(*TO_SEND, Mail.written_at < now - LATE)
    for reference, kind, attempts in session.execute(query):
        yield Finding(f"order {reference}", "mail_unsent", {"kind": kind, "attempts": attempts})


def _refused_mail(session: Session, now: datetime) -> Iterator[Finding]:
    query = select(Order.reference, Mail.kind).join(Order).where(Mail.failed_at >= now - REPORTED)
    for reference, kind in session.execute(query.order_by(Mail.failed_at, Mail.id)):
        if kind in TO_MERCHANT:
            yield Finding(f"order {reference}", "merchant_mail_refused", {"kind": kind})
        else:
            yield Finding(f"order {reference}", "mail_refused", {"kind": kind})


ORDER_RULES: tuple[Callable[[Session, datetime, Among], Iterator[Finding]], ...] = (
    _without_payment,
    _paid_without_payment,
    _payment_without_order,
    _wrong_amount,
    _wrong_authorisation,
    _wrong_total,
    _wrong_payment,
    _wrong_refunds,
    _unreturned_second,
    _wrong_shipments,
    _wrong_refund_lines,
    _wrong_refund_amounts,
    _wrong_reservation,
    _wrong_flag,
    _wrong_taxes,
    documents.wrong_invoice,
    documents.no_invoice,
    documents.wrong_credit,
    documents.number_before_missing,
)
STORE_RULES: tuple[Callable[[Session, datetime], Iterator[Finding]], ...] = (
    _in_review,
    _wrong_reserved,
    _wrong_uses,
    documents.last_number_missing,
    _overdue,
    _refund_overdue,
    _capture_overdue,
    _tax_overdue,
    _unhandled_events,
    _unsent_mail,
    _refused_mail,
)
