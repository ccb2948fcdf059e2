"""Stock: reserved when an order is placed, committed when it is paid, released when it is closed.

Every change is one statement for all lines of an order, after one that locks their products in id order, so buyers
cannot oversell and cannot deadlock. These are two statements: one that locks a row and changes it as well goes back to
the row as it was when the statement began, and can wait there for somebody who waits for its lock. `reserved` never
exceeds `stock`: the database refuses it. Who commits or releases an order's stock writes the order's `reservation`
together with its state. The use of a coupon goes the same way, and its row is locked before the products'.

What is reserved, committed or released of an order are the pieces that are still to be sent: of those that were sent or
refunded, only a refund brings some back (`restock`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import OrderLine, Product
from store.domain.errors import OutOfStock
from store.domain.states import ReservationState
from store.services import coupons
from store.services.database import ROWS_ALONE


def reserve(session: Session, order_id: int, product_ids: Collection[int]) -> None:
    """Reserve every line of an order of these products. Raises OutOfStock with the first of them that is not there;
    then roll the transaction back.

    Everybody who orders the same product waits until the transaction is over: have this as its last statement.
    """
    missing = set(product_ids) - set(_change(session, order_id, reserved=1, stock=0, only_available=True))
    if missing:
        name, available = session.execute(
            select(Product.name, Product.stock - Product.reserved).where(Product.id == min(missing))
        ).one()
        raise OutOfStock(name, max(available, 0))


def commit(session: Session, order_id: int, reservation: ReservationState) -> bool:
    """Take an order's stock out for good: what is reserved for it, or the same again if that was released.

    False, and nothing changed, when it is not there any more.
    """
    if reservation is ReservationState.COMMITTED:
        return True
    released = reservation is ReservationState.RELEASED
    if released and not coupons.reserve_again(session, order_id):
        return False
    enough = Product.stock - Product.reserved >= OrderLine.to_ship
    if released and not all(session.scalars(_locked_products(order_id, enough))):
        coupons.release(session, order_id)
        return False
    _change(session, order_id, reserved=0 if released else -1, stock=-1)
    return True


def release(session: Session, order_id: int, reservation: ReservationState) -> None:
    """Make an order's stock available again, whether it was reserved or committed, and its coupon's use."""
    if reservation is not ReservationState.RELEASED:
        coupons.release(session, order_id)
    if reservation is ReservationState.RESERVED:
        _change(session, order_id, reserved=-1, stock=0)
    elif reservation is ReservationState.COMMITTED:
        _change(session, order_id, reserved=0, stock=1)


def restock(session: Session, order_id: int, pieces: Mapping[int, int]) -> None:
    """Put so many pieces of an order's products, by their ids, up for sale again."""
    session.execute(_locked_products(order_id, Product.id))  # all of them, before some are changed
    for product_id, count in sorted(pieces.items()):
        change = update(Product).where(Product.id == product_id).values(stock=Product.stock + count)
        session.execute(change, execution_options=ROWS_ALONE)


def _change(
    session: Session, order_id: int, *, reserved: int, stock: int, only_available: bool = False
) -> Collection[int]:
    """Change every product of the order, or those only of which as many as ordered are available, in one statement.
    Returns the ids of what was changed.
    """
    if session.get_bind().dialect.name != "sqlite":  # where a transaction has the database to itself
        session.execute(_locked_products(order_id, Product.id))
    pieces = OrderLine.to_ship
    there: ColumnElement[bool] = Product.stock - Product.reserved >= pieces if only_available else true()
    changed = (
        update(Product)
        .where(Product.id == OrderLine.product_id, OrderLine.order_id == order_id, there)
        .values(reserved=Product.reserved + reserved * pieces, stock=Product.stock + stock * pieces)
        .returning(Product.id)
    )
    return session.scalars(changed, execution_options=ROWS_ALONE).all()


def _locked_products(order_id: int, *wanted: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """What is wanted of each product of an order and its line, in id order. The products are locked until the
    transaction ends.
    """
    of_order = select(*wanted).join_from(Product, OrderLine, OrderLine.product_id == Product.id)
    of_order = of_order.where(OrderLine.order_id == order_id).order_by(Product.id)
    return of_order.with_for_update(of=Product, key_share=True)
