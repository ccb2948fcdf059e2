"""Stock: held when an order is placed, sold when it is paid, freed when it is given up.

Every statement checks and changes in one go and products are touched in id order, so buyers cannot oversell and cannot
deadlock. `held` never exceeds `stock`: the database refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Order, OrderLine, Product
from store.domain.errors import OutOfStock
from store.domain.states import ReservationState
from store.services.transitions import LockedOrder


@dataclass(frozen=True, slots=True)
class StockLine:
    """So many of one product."""

    product_id: int
    quantity: int


def stock_lines(session: Session, order_id: int) -> list[StockLine]:
    """What an order is made of, in product order."""
    rows = session.execute(
        select(OrderLine.product_id, OrderLine.quantity)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.product_id)
    )
    return [StockLine(product_id, quantity) for product_id, quantity in rows]


def hold(session: Session, pieces: Sequence[StockLine]) -> None:
    """Reserve every piece. Raises OutOfStock on the first that is not there; the transaction is then to be given up."""
    for piece in sorted(pieces, key=lambda piece: piece.product_id):
        if not _reserve(session, piece):
            name, stock, reserved = session.execute(
                select(Product.name, Product.stock, Product.reserved).where(Product.id == piece.product_id)
            ).one()
            raise OutOfStock(name, max(stock - reserved, 0))


def sell(session: Session, order: LockedOrder) -> bool:
    """Let the order's goods go with it: those it holds, or the same again from the shelf if it had given them up.

    False, and nothing changed, when they are not there any more.
    """
    pieces = stock_lines(session, order.id)
    if order.reservation is ReservationState.COMMITTED:
        return True
    if order.reservation is ReservationState.RELEASED and not _hold_again(session, pieces):
        return False
    _change(session, pieces, reserved=-1, stock=-1)
    _note(session, order, ReservationState.COMMITTED)
    return True


def free(session: Session, order: LockedOrder) -> None:
    """Put the order's goods back on the shelf, whether it holds them or they were sold to it."""
    if order.reservation is ReservationState.RESERVED:
        _change(session, stock_lines(session, order.id), reserved=-1, stock=0)
    elif order.reservation is ReservationState.COMMITTED:
        _change(session, stock_lines(session, order.id), reserved=0, stock=1)
    _note(session, order, ReservationState.RELEASED)


def _hold_again(session: Session, pieces: Sequence[StockLine]) -> bool:
    for number, piece in enumerate(pieces):
        if not _reserve(session, piece):
            _change(session, pieces[:number], reserved=-1, stock=0)
            return False
    return True


def _change(session: Session, pieces: Sequence[StockLine], *, reserved: int, stock: int) -> None:
    for piece in pieces:
        session.execute(
            update(Product)
            .where(Product.id == piece.product_id)
            .values(reserved=Product.reserved + reserved * piece.quantity, stock=Product.stock + stock * piece.quantity)
        )


def _note(session: Session, order: LockedOrder, reservation: ReservationState) -> None:
    if order.reservation is not reservation:
        session.execute(update(Order).where(Order.id == order.id).values(reservation=reservation))
        order.reservation = reservation


def _reserve(session: Session, piece: StockLine) -> bool:
    reserved = session.execute(
        update(Product)
        .where(Product.id == piece.product_id, Product.stock - Product.reserved >= piece.quantity)
        .values(reserved=Product.reserved + piece.quantity)
        .returning(Product.id)
    )
    return reserved.one_or_none() is not None
