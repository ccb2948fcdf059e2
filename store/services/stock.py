"""Stock: held when an order is placed, sold when it is paid, freed when it is given up.

Every statement checks and changes in one go and products are touched in id order, so buyers cannot oversell and cannot
deadlock. `held` never exceeds `stock`: the database refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import OrderLine, Product
from store.domain.errors import OutOfStock


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


def hold_again(session: Session, pieces: Sequence[Piece]) -> bool:
    """Reserve every piece for an order that had given its hold up. False, and nothing reserved, when any is missing."""
    for number, piece in enumerate(pieces):
        if not _reserve(session, piece):
            release(session, pieces[:number])
            return False
    return True


def release(session: Session, pieces: Sequence[Piece]) -> None:
    """Give held pieces back."""
    for piece in pieces:
        session.execute(
            update(Product).where(Product.id == piece.product_id).values(held=Product.held - piece.quantity)
        )


def sell(session: Session, pieces: Sequence[Piece]) -> None:
    """Turn held pieces into sold ones."""
    for piece in pieces:
        session.execute(
            update(Product)
            .where(Product.id == piece.product_id)
            .values(held=Product.held - piece.quantity, stock=Product.stock - piece.quantity)
        )


def _reserve(session: Session, piece: Piece) -> bool:
    reserved = session.execute(
        update(Product)
        .where(Product.id == piece.product_id, Product.stock - Product.held >= piece.quantity)
        .values(held=Product.held + piece.quantity)
        .returning(Product.id)
    )
    return reserved.one_or_none() is not None
