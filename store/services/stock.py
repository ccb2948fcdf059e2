"""Stock: reserved when an order is placed, committed when it is paid, released when it is closed.

Every statement checks and changes in one go and locks products in id order, so buyers cannot oversell and cannot
deadlock. `reserved` never exceeds `stock`: the database refuses it. Who commits or releases an order's stock writes
the order's `reservation` together with its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import OrderLine, Product
from store.domain.errors import OutOfStock
from store.domain.states import ReservationState


@dataclass(frozen=True, slots=True)
class StockLine:
    """So many of one product."""

    product_id: int
    quantity: int


def reserve(session: Session, lines: Sequence[StockLine]) -> None:
    """Reserve every line. Raises OutOfStock on the first that is not there; then roll the transaction back."""
    for line in sorted(lines, key=lambda line: line.product_id):
        if not _reserve(session, line):
            name, stock, reserved = session.execute(
                select(Product.name, Product.stock, Product.reserved).where(Product.id == line.product_id)
            ).one()
            raise OutOfStock(name, max(stock - reserved, 0))


def commit(session: Session, order_id: int, reservation: ReservationState) -> bool:
    """Take an order's stock out for good: what is reserved for it, or the same again if that was released.

    False, and nothing changed, when it is not there any more.
    """
    if reservation is ReservationState.COMMITTED:
        return True
    if reservation is ReservationState.RELEASED and not _reserve_again(session, order_id):
        return False
    _change(session, order_id, reserved=-1, stock=-1)
    return True


def release(session: Session, order_id: int, reservation: ReservationState) -> None:
    """Make an order's stock available again, whether it was reserved or committed."""
    if reservation is ReservationState.RESERVED:
        _change(session, order_id, reserved=-1, stock=0)
    elif reservation is ReservationState.COMMITTED:
        _change(session, order_id, reserved=0, stock=1)


def _reserve_again(session: Session, order_id: int) -> bool:
    rows = session.execute(
        select(OrderLine.product_id, OrderLine.quantity)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.product_id)
    )
    lines = [StockLine(product_id, quantity) for product_id, quantity in rows]
    for number, line in enumerate(lines):
        if not _reserve(session, line):
            for reserved in lines[:number]:
                _release_line(session, reserved)
            return False
    return True


def _change(session: Session, order_id: int, *, reserved: int, stock: int) -> None:
    """Change every product of the order in one statement, which locks them in id order first."""
    lines = (
        select(Product.id, OrderLine.quantity)
        .join(OrderLine, OrderLine.product_id == Product.id)
        .where(OrderLine.order_id == order_id)
        .order_by(Product.id)
        .with_for_update(of=Product)
        .subquery()
    )
    session.execute(
        update(Product)
        .where(Product.id == lines.c.id)
        .values(
            reserved=Product.reserved + reserved * lines.c.quantity, stock=Product.stock + stock * lines.c.quantity
        ),
        execution_options={"synchronize_session": False, "autoflush": False},
    )


def _reserve(session: Session, line: StockLine) -> bool:
    reserved = session.execute(
        update(Product)
        .where(Product.id == line.product_id, Product.stock - Product.reserved >= line.quantity)
        .values(reserved=Product.reserved + line.quantity)
        .returning(Product.id)
    )
    return reserved.one_or_none() is not None


def _release_line(session: Session, line: StockLine) -> None:
    session.execute(
        update(Product).where(Product.id == line.product_id).values(reserved=Product.reserved - line.quantity)
    )
