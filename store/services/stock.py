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
from store.domain.states import GoodsState
from store.services.ledger import LockedOrder


@dataclass(frozen=True, slots=True)
class Piece:
    """So many of one product."""

    product_id: int
    quantity: int


def pieces_of(session: Session, order_id: int) -> list[Piece]:
    """What an order is made of, in product order."""
    rows = session.execute(
        select(OrderLine.product_id, OrderLine.quantity)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.product_id)
    )
    return [Piece(product_id, quantity) for product_id, quantity in rows]


def hold(session: Session, pieces: Sequence[Piece]) -> None:
    """Reserve every piece. Raises OutOfStock on the first that is not there; the transaction is then to be given up."""
    for piece in sorted(pieces, key=lambda piece: piece.product_id):
        if not _reserve(session, piece):
            name, stock, held = session.execute(
                select(Product.name, Product.stock, Product.held).where(Product.id == piece.product_id)
            ).one()
            raise OutOfStock(name, max(stock - held, 0))


def sell(session: Session, order: LockedOrder) -> bool:
    """Let the order's goods go with it: those it holds, or the same again from the shelf if it had given them up.

    False, and nothing changed, when they are not there any more.
    """
    pieces = pieces_of(session, order.id)
    if order.goods is GoodsState.SOLD:
        return True
    if order.goods is GoodsState.FREE and not _hold_again(session, pieces):
        return False
    _change(session, pieces, held=-1, stock=-1)
    _note(session, order, GoodsState.SOLD)
    return True


def free(session: Session, order: LockedOrder) -> None:
    """Put the order's goods back on the shelf, whether it holds them or they were sold to it."""
    if order.goods is GoodsState.HELD:
        _change(session, pieces_of(session, order.id), held=-1, stock=0)
    elif order.goods is GoodsState.SOLD:
        _change(session, pieces_of(session, order.id), held=0, stock=1)
    _note(session, order, GoodsState.FREE)


def _hold_again(session: Session, pieces: Sequence[Piece]) -> bool:
    for number, piece in enumerate(pieces):
        if not _reserve(session, piece):
            _change(session, pieces[:number], held=-1, stock=0)
            return False
    return True


def _change(session: Session, pieces: Sequence[Piece], *, held: int, stock: int) -> None:
    for piece in pieces:
        session.execute(
            update(Product)
            .where(Product.id == piece.product_id)
            .values(held=Product.held + held * piece.quantity, stock=Product.stock + stock * piece.quantity)
        )


def _note(session: Session, order: LockedOrder, goods: GoodsState) -> None:
    if order.goods is not goods:
        session.execute(update(Order).where(Order.id == order.id).values(goods=goods))
        order.goods = goods


def _reserve(session: Session, piece: Piece) -> bool:
    reserved = session.execute(
        update(Product)
        .where(Product.id == piece.product_id, Product.stock - Product.held >= piece.quantity)
        .values(held=Product.held + piece.quantity)
        .returning(Product.id)
    )
    return reserved.one_or_none() is not None
