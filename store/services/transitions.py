"""Orders under lock, and the only writer of their states and their history.

Lock first, then read, then decide: `lock` takes the order's row and returns what it says now. The statements are few
and go through SQLAlchemy Core, each by an index, because paying runs through here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Base, HistoryEntry, Order, Payment
from store.domain.errors import NotFound
from store.domain.money import Money
from store.domain.states import (
    ORDER,
    PAYMENT,
    Impossible,
    Moves,
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    ReservationState,
)

SETTLED = "order.settled"  # the history's word for an order that a person looked into


class Source(StrEnum):
    """Who told the store what it writes down."""

    SHOPPER = "shopper"
    WEBHOOK = "webhook"
    LOOKUP = "lookup"
    WORKER = "worker"
    RECONCILIATION = "reconciliation"
    STAFF = "staff"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Origin:
    by: Source
    at: datetime


class Answer(enum.Enum):
    """What became of an event."""

    MOVED = enum.auto()
    STALE = enum.auto()
    IMPOSSIBLE = enum.auto()


@dataclass(slots=True)
class LockedOrder:
    """An order and its payment as they stand while this transaction holds the order's lock."""

    id: int
    reference: str
    state: OrderState
    total: Money
    cart_id: str
    expires_at: datetime
    extensions: int
    reservation: ReservationState
    payment_state: PaymentState
    provider_payment_id: str | None
    refund_due: bool
    received_minor: int
    refunded_minor: int
    declines: int


def lock(session: Session, where: ColumnElement[bool]) -> LockedOrder | None:
    """The order that `where` finds, locked until the transaction ends; None when there is none.

    Its payment is locked with it: of a row that is only joined, PostgreSQL returns what it was before the wait.
    """
    row = session.execute(
        select(
            Order.id,
            Order.reference,
            Order.state,
            Order.total_minor,
            Order.currency,
            Order.cart_id,
            Order.expires_at,
            Order.extensions,
            Order.reservation,
            Payment.state.label("payment_state"),
            Payment.provider_payment_id,
            Payment.refund_due,
            Payment.received_minor,
            Payment.refunded_minor,
            Payment.declines,
        )
        .join(Payment)
        .where(where)
        .with_for_update(of=(Order, Payment))
    ).one_or_none()
    if row is None:
        return None
    return LockedOrder(
        id=row.id,
        reference=row.reference,
        state=row.state,
        total=Money(row.total_minor, row.currency),
        cart_id=row.cart_id,
        expires_at=row.expires_at,
        extensions=row.extensions,
        reservation=row.reservation,
        payment_state=row.payment_state,
        provider_payment_id=row.provider_payment_id,
        refund_due=row.refund_due,
        received_minor=row.received_minor,
        refunded_minor=row.refunded_minor,
        declines=row.declines,
    )


def lock_by_reference(session: Session, reference: str) -> LockedOrder:
    """Raises NotFound."""
    order = lock(session, Order.reference == reference)
    if order is None:
        raise NotFound
    return order


def move_order(session: Session, order: LockedOrder, event: OrderEvent, origin: Origin, **detail: Any) -> Answer:
    """Tell the order's machine that `event` happened; writes the new state and the history, or nothing."""
    answer = ORDER.answer(order.state, event)
    if not isinstance(answer, Moves):
        return Answer.IMPOSSIBLE if isinstance(answer, Impossible) else Answer.STALE
    values: dict[str, Any] = {"state": answer.to}
    if answer.to is OrderState.PAID:
        values["paid_at"] = origin.at
    session.execute(update(Order).where(Order.id == order.id).values(values))
    write(session, order.id, f"order.{event}", origin, order.state, answer.to, detail)
    order.state = answer.to
    return Answer.MOVED


def move_payment(
    session: Session,
    order: LockedOrder,
    event: PaymentEvent,
    origin: Origin,
    *,
    amounts: Mapping[str, int] | None = None,
    noted: bool = False,
    **detail: Any,
) -> Answer:
    """Tell the payment's machine that `event` happened; `amounts` are columns that change together with its state.

    With `noted`, the caller has written the happening into the history already.
    """
    answer = PAYMENT.answer(order.payment_state, event)
    if isinstance(answer, Impossible):
        return Answer.IMPOSSIBLE
    if isinstance(answer, Moves):
        session.execute(update(Payment).where(Payment.order_id == order.id).values(state=answer.to, **(amounts or {})))
        if not noted:
            write(session, order.id, f"payment.{event}", origin, order.payment_state, answer.to, detail)
        order.payment_state = answer.to
        for column, amount in (amounts or {}).items():
            setattr(order, column, amount)
        return Answer.MOVED
    return Answer.STALE


def write(
    session: Session,
    order_id: int,
    what: str,
    origin: Origin,
    from_state: StrEnum | None = None,
    to_state: StrEnum | None = None,
    detail: dict[str, Any] | None = None,
    dedupe_key: str | None = None,
) -> bool:
    """Add a line to the order's history. A line with the same `once` is written a single time; False when it was
    there.
    """
    line = {
        "order_id": order_id,
        "at": origin.at,
        "what": what,
        "from_state": from_state,
        "to_state": to_state,
        "told_by": origin.by,
        "detail": detail or {},
        "once": dedupe_key,
    }
    return insert_once(session, HistoryEntry, line)


def insert_once(session: Session, table: type[Base], row: dict[str, Any]) -> bool:
    """Insert a row unless one with the same unique columns is there; says whether it was inserted."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    key = inspect(table).primary_key[0]
    return session.execute(insert(table).values(row).on_conflict_do_nothing().returning(key)).one_or_none() is not None


def flag_for_review(session: Session, order: LockedOrder, reason: str, origin: Origin, **detail: Any) -> None:
    """Set the order aside for a person, with the reason in its history; telling it again adds nothing.

    `payment`, `refund` and `dispute` in the detail are ids: two of a kind are two reasons. What is wrong with a payment
    is told by every reconciliation, so once a person settled it, it stays settled; anything else is told when it
    happens, so after a person settled the order it is a new reason.
    """
    dedupe_key = ":".join(
        ["review", reason, *(str(detail[kind]) for kind in ("payment", "refund", "dispute") if kind in detail)]
    )
    if "payment" not in detail and (settled := _times_settled(session, order)):
        dedupe_key += f":{settled}"
    if write(
        session, order.id, "order.needs_review", origin, detail={"reason": reason, **detail}, dedupe_key=dedupe_key
    ):
        session.execute(update(Order).where(Order.id == order.id).values(needs_review=True))


def _times_settled(session: Session, order: LockedOrder) -> int:
    lines = select(func.count()).where(HistoryEntry.order_id == order.id, HistoryEntry.what == SETTLED)
    return session.scalar(lines) or 0
