"""The transition engine: the writer of states, for orders, payments, refunds and disputes alike.

Lock first, then read, then decide. `lock` takes an order's row together with the payment that is asked for. `apply`
asks the row's machine what an event does to it, writes the new state and the history in the caller's transaction, and
returns what happened. Both go by an index and cost one statement, because paying runs through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, inspect, select, update
from sqlalchemy.orm import Session, contains_eager
from sqlalchemy.orm.attributes import set_committed_value

from models import Base, Dispute, Order, Payment, Refund
from store.domain.errors import NotFound
from store.domain.states import DISPUTE, ORDER, PAYMENT, REFUND, Machine, Outcome
from store.services import history
from store.services.database import ROWS_ALONE
from store.services.history import Origin

MACHINES: Mapping[type[Base], tuple[str, Machine[Any, Any]]] = {
    Order: ("order", ORDER),
    Payment: ("payment", PAYMENT),
    Refund: ("refund", REFUND),
    Dispute: ("dispute", DISPUTE),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event did to a row: `after` is `before` unless it was applied."""

    outcome: Outcome
    before: StrEnum
    after: StrEnum

    @property
    def applied(self) -> bool:
        return self.outcome is Outcome.APPLIED

    @property
    def rejected(self) -> bool:
        return self.outcome is Outcome.REJECTED


def lock(session: Session, where: ColumnElement[bool]) -> Order | None:
    """The order that `where` finds, locked until the transaction ends; None when there is none.

    Its live payment is read and locked with it, as `order.payment`: of a row that is only joined, PostgreSQL returns
    what it was before the wait. A payment of the order is locked by this as well: whoever writes one locks its order.
    """
    query = (
        select(Order)
        .join(Order.payment)
        .where(where)
        .options(contains_eager(Order.payment))
        .with_for_update(of=(Order, Payment))
        .execution_options(populate_existing=True)
    )
    found = session.execute(query).scalar_one_or_none()
    # PostgreSQL looks again at a row that it waited for. Where another payment became the live one meanwhile, the row
    # that was waited for is no longer it, so that nothing is found: the statement after that one finds the new one.
    return found if found is not None else session.execute(query).scalar_one_or_none()


def lock_by_reference(session: Session, reference: str) -> Order:
    """Raises NotFound."""
    order = lock(session, Order.reference == reference)
    if order is None:
        raise NotFound
    return order


def lock_payment(session: Session, provider_payment_id: str) -> tuple[Order, Payment] | None:
    """The payment with this id at the payment service and its order, locked; None when there is none here."""
    return _lock_payment(session, Payment.provider_payment_id == provider_payment_id)


def lock_payment_on_page(session: Session, provider_page_id: str) -> tuple[Order, Payment] | None:
    """The payment that is made on this hosted page and its order, locked; None when there is none here."""
    return _lock_payment(session, Payment.provider_page_id == provider_page_id)


def _lock_payment(session: Session, where: ColumnElement[bool]) -> tuple[Order, Payment] | None:
    order = lock(session, where)
    if order is not None:
        return order, order.payment
    earlier = session.scalars(select(Payment).where(where)).one_or_none()
    if earlier is None:
        return None
    order = lock(session, Order.id == earlier.order_id)
    session.refresh(earlier)
    return (order, earlier) if order is not None else None


def apply(
    session: Session,
    order: Order,
    row: Order | Payment | Refund | Dispute,
    event: StrEnum,
    origin: Origin,
    *,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    recorded: bool = False,
) -> Transition:
    """Apply `event` to `row`, which is `order` or something of it, under the lock of the order.

    When the event is applied, `values` are columns that change together with the state, and `data` goes into the
    history; with `recorded`, the caller has written the event into the history already.
    """
    name, machine = MACHINES[type(row)]
    before = row.state
    outcome, after = machine.decide(before, event)
    if outcome is Outcome.APPLIED:
        write(session, row, {"state": after, **(values or {})})
        if not recorded:
            history.add(session, order, f"{name}.{event}", origin, before, after, data)
    return Transition(outcome, before, after)


def write(session: Session, row: Base, values: Mapping[str, Any]) -> None:
    """Change columns of a row that is locked, in one statement; the object in memory says the same afterwards."""
    mapper = inspect(type(row))
    key = [column == getattr(row, mapper.get_property_by_column(column).key) for column in mapper.primary_key]
    statement = update(type(row)).where(*key).values(dict(values))
    session.execute(statement, execution_options=ROWS_ALONE)
    for attribute, value in values.items():
        set_committed_value(row, attribute, value)
