"""The orders as the staff lists them: searched, filtered, sorted, page by page. A page costs the same with a million
orders as with a thousand: each begins where the one before ended, and goes by an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from models import Dispute, Order, OrderKey, Payment, Review
from store.domain.states import OrderState
from store.services.orders import search, sorting
from store.services.orders.search import Search
from store.services.orders.sorting import Cursor, Sort
from store.services.partial_indexes import written_out
from store.services.payments.disputes import UNDECIDED
from store.services.services import Services

PAGE = 50  # orders
# An order's id follows its time but for the seconds in which several are placed at once.
APART = timedelta(minutes=10)


class Show(StrEnum):
    """Which orders are listed: all, those that wait for something, or those in a state."""

    ALL = "all"
    TO_SHIP = "to_ship"
    AUTHORISED = "authorised"
    REVIEW = "review"
    DISPUTED = "disputed"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    FULFILLED = "fulfilled"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What is looked for. `since` and `until` are about when an order was placed; `until` is not in it any more. What
    is searched is sorted by date only. `oldest_first`, of totals, is the smallest first.
    """

    show: Show = Show.ALL
    search: Search | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False
    sort: Sort = Sort.DATE


@dataclass(frozen=True, slots=True)
class OrderPart:
    """One page of orders, with their lines and live payments. More follow `after`; None where there are none."""

    orders: Sequence[Order]
    after: Cursor | None


def find(
    session: Session, wanted: OrderFilter, after: Cursor | None = None, most: int = PAGE, *, shipments: bool = False
) -> OrderPart:
    """A page of the orders that are wanted, with their shipments where these are asked for. Those that are found by a
    name come in the order of the names, else as they are to be sorted.
    """
    if wanted.search is not None and wanted.search.key is not None:
        found = _by_key(session, wanted, wanted.search.key, after, most)
    elif wanted.search is None and wanted.sort is Sort.TOTAL:
        conditions, smallest = _conditions(session, wanted), wanted.oldest_first
        found = sorting.by_total(session, conditions, after, most + 1, smallest_first=smallest)
    elif wanted.search is None and wanted.sort is Sort.STATE:
        found = sorting.by_state(session, _conditions(session, wanted), after, most + 1)
    else:
        found = [Cursor(order_id) for order_id in session.scalars(_by_id(session, wanted, after, most + 1))]
    more = [selectinload(Order.shipments)] if shipments else []
    orders = _read(session, [cursor.order_id for cursor in found[:most]], more)
    return OrderPart(orders, found[most - 1] if len(found) > most else None)


def stream(services: Services, wanted: OrderFilter) -> Iterator[Order]:
    """All the orders that are wanted, with their shipments, read in parts, each in a transaction of its own. An order
    is there once.
    """
    after, seen = None, set[int]()
    moves = wanted.search is not None or wanted.sort is not Sort.DATE  # an order, from one part to another
    while True:
        with services.database.reading() as session:
            part = find(session, wanted, after, most=500, shipments=True)
        for order in part.orders:
            if not moves or order.id not in seen:
                yield order
        if part.after is None:
            return
        after = part.after
        if moves:
            seen |= {order.id for order in part.orders}


def _by_id(session: Session, wanted: OrderFilter, after: Cursor | None, most: int) -> Select[int]:
    looked_for, conditions = wanted.search or Search(), _conditions(session, wanted)
    number: InstrumentedAttribute[int] = Order.id
    query = select(number)
    if looked_for.last4 is not None:
        # Along the payments, for very many may end alike, such as test cards. One order may have several of them.
        number = Payment.order_id
        query = select(number).distinct().where(Payment.card_last4 == looked_for.last4)
        if conditions:
            query = query.join(Order, Order.id == number)
    if looked_for.few is not None:
        query = query.where(Order.id.in_(session.scalars(looked_for.few).all()))
    if wanted.oldest_first:
        query = query.where(number > (after.order_id if after is not None else 0)).order_by(number)
    else:
        query = query.where(number < (after.order_id if after is not None else _AFTER_ALL)).order_by(number.desc())
    return query.where(*conditions).limit(most)


def _by_key(session: Session, wanted: OrderFilter, key: str, after: Cursor | None, most: int) -> list[Cursor]:
    """Those without keys yet, which are the newest, then by their keys."""
    conditions = _conditions(session, wanted)
    first: list[Cursor] = []
    if after is None or not after.key:
        recent = search.recent_with(session, key)
        later = recent if after is None else [order_id for order_id in recent if order_id < after.order_id]
        first = [Cursor(order_id) for order_id in _among(session, later, conditions, most + 1)]
        if len(first) > most:
            return first
    query = search.found_by_key(key).join(Order, Order.id == -OrderKey.minus_order_id).where(*conditions)
    if after is not None and after.key:
        further = and_(OrderKey.key == after.key, OrderKey.minus_order_id > -after.order_id)
        query = query.where(OrderKey.key >= after.key, or_(OrderKey.key > after.key, further))
    rows = session.execute(query.order_by(OrderKey.key, OrderKey.minus_order_id).limit(most + 1))
    by_id = {cursor.order_id: cursor for cursor in (*first, *(Cursor(row.order_id, row.key) for row in rows))}
    return list(by_id.values())


def _among(session: Session, ids: Sequence[int], conditions: Sequence[ColumnElement[bool]], most: int) -> Sequence[int]:
    """The first of these orders for which the conditions hold, looked up so many at a time."""
    if not conditions:
        return ids[:most]
    found = list[int]()
    for begin in range(0, len(ids), most):
        part = select(Order.id).where(Order.id.in_(ids[begin : begin + most]), *conditions)
        found += session.scalars(part.order_by(Order.id.desc()))
        if len(found) >= most:
            break
    return found[:most]


def _conditions(session: Session, wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions = list(_SHOWN.get(wanted.show, ()))
    if wanted.show in _FEW:
        conditions.append(Order.id.in_(session.scalars(_FEW[wanted.show]).all()))
    if wanted.since is not None:
        conditions += [Order.placed_at >= wanted.since, Order.id >= _first_id(session, wanted.since - APART)]
    if wanted.until is not None:
        conditions += [Order.placed_at < wanted.until, Order.id < _first_id(session, wanted.until + APART)]
    return conditions


def _first_id(session: Session, at: datetime) -> int:
    """The first order that was placed from then on; one that comes after all where there is none."""
    first = select(Order.id).where(Order.placed_at >= at).order_by(Order.placed_at).limit(1)
    found = session.scalar(first)
    return found if found is not None else _AFTER_ALL


def _read(session: Session, ids: Sequence[int], more: Sequence[ORMOption]) -> list[Order]:
    rows = session.scalars(
        select(Order)
        .where(Order.id.in_(ids))
        .options(joinedload(Order.payment, innerjoin=True), selectinload(Order.lines), *more)
    )
    by_id: Mapping[int, Order] = {order.id: order for order in rows}
    return [by_id[each] for each in ids]


_AFTER_ALL = 2**31 - 1
# Which orders these are is asked first: a planner that orders by id may else look for them through all orders.
_FEW: Mapping[Show, Select[int]] = {
    Show.REVIEW: select(Review.order_id).where(Review.resolved_at.is_(None)),
    Show.DISPUTED: select(Payment.order_id).join(Dispute).where(Dispute.state.in_(written_out(UNDECIDED))),
}
_SHOWN: Mapping[Show, tuple[ColumnElement[bool], ...]] = {
    Show.TO_SHIP: (
        Order.state == OrderState.PAID,
        ~exists().where(Review.order_id == Order.id, Review.resolved_at.is_(None)),
        ~Order.disputed,
    ),
    Show.AUTHORISED: (
        Order.state == OrderState.AWAITING_PAYMENT,
        Order.authorised_at.is_not(None),
        ~exists().where(Review.order_id == Order.id, Review.resolved_at.is_(None)),
    ),
    **{Show(state): (Order.state == state,) for state in OrderState},
}
