"""Orders in another order than that of time: by their total, or by their state. Each page begins where the one before
ended, and goes by an index of the orders in a state, one after the other, or side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session

from models import Order
from store.domain.states import OrderState


class Sort(StrEnum):
    """By what orders are sorted."""

    DATE = "date"
    TOTAL = "total"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the order, and the key by which it was found, or the total or state by which it is sorted."""

    order_id: int
    key: str = ""


def by_total(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    after: Cursor | None,
    most: int,
    *,
    smallest_first: bool,
) -> list[Cursor]:
    """The orders for which the conditions hold by their totals, the greatest first or the smallest, and of the same
    total the newest first or the oldest.
    """
    place = tuple_(Order.total_minor, Order.id)
    by = (Order.total_minor, Order.id) if smallest_first else (Order.total_minor.desc(), Order.id.desc())
    begin: list[ColumnElement[bool]] = []
    if after is not None and _is_number(after.key):
        end = tuple_(literal(int(after.key)), literal(after.order_id))
        begin = [place > end if smallest_first else place < end]
    found: list[tuple[int, int]] = []
    for state in OrderState:
        of_state = select(Order.total_minor, Order.id).where(Order.state == state, *conditions, *begin)
        found += [(row.total_minor, row.id) for row in session.execute(of_state.order_by(*by).limit(most))]
    found.sort(reverse=not smallest_first)
    return [Cursor(order_id, str(total)) for total, order_id in found[:most]]


def by_state(
    session: Session, conditions: Sequence[ColumnElement[bool]], after: Cursor | None, most: int
) -> list[Cursor]:
    """The orders for which the conditions hold as they go through the shop: those that wait for their payment, those
    that are paid, and so on; of each state the newest first.
    """
    states = list(OrderState)
    at = states.index(OrderState(after.key)) if after is not None and after.key in states else None
    found: list[Cursor] = []
    for number, state in enumerate(states[at or 0 :]):
        of_state = select(Order.id).where(Order.state == state, *conditions)
        if after is not None and at is not None and number == 0:
            of_state = of_state.where(Order.id < after.order_id)
        ids = session.scalars(of_state.order_by(Order.id.desc()).limit(most - len(found)))
        found += [Cursor(order_id, state.value) for order_id in ids]
        if len(found) == most:
            break
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
