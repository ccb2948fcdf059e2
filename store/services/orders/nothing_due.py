"""Orders that cost nothing, such as with a coupon for all of it: paid without a payment when they are placed.

Such an order has the payment of any order, which nobody ever opens. It is never open to others, so it is not found as a
cart's open order: here the cart is locked instead, and what is in it says whether it was ordered already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Cart, CartLine, Order
from store.domain.errors import CartEmpty
from store.domain.states import OrderEvent, OrderState, ReservationState
from store.services import carts, mail, stock, transitions
from store.services.history import Origin, Source

PAID = (OrderState.PAID, OrderState.FULFILLED)


def complete(session: Session, order_id: int, now: datetime) -> Order:
    """Make an order that was just placed paid: nothing is due for it."""
    order = transitions.lock(session, Order.id == order_id)
    if order is None:
        raise LookupError(order_id)
    stock.commit(session, order.id, order.reservation)
    values = {"paid_at": now, "reservation": ReservationState.COMMITTED}
    transitions.apply(session, order, order, OrderEvent.NOTHING_DUE, Origin(Source.SHOPPER, now), values=values)
    carts.empty_of(session, order.cart_id, order.id)
    mail.write(session, order, mail.Kind.ORDER_PAID, now)
    return order


def ordered_already(session: Session, cart_id: str, lines: Sequence[Mapping[str, Any]]) -> Order | None:
    """Lock the cart, and return the order that has taken `lines` out of it meanwhile; None where they are in it.

    Raises CartEmpty where they are not, and no such order was placed.
    """
    session.execute(select(Cart.id).where(Cart.id == cart_id).with_for_update())
    found = session.execute(select(CartLine.product_id, CartLine.quantity).where(CartLine.cart_id == cart_id))
    in_cart = {(row.product_id, row.quantity) for row in found}
    if {(line["product_id"], line["quantity"]) for line in lines} <= in_cart:
        return None
    order = ordered_for_nothing(session, cart_id)
    if order is None:
        raise CartEmpty
    return order


def ordered_for_nothing(session: Session, cart_id: str | None, since: datetime | None = None) -> Order | None:
    """The last order of a cart, if it cost nothing, is paid, and was placed `since` then."""
    last = select(Order).where(Order.cart_id == (cart_id or "")).order_by(Order.id.desc()).limit(1)
    order = session.scalars(last).one_or_none()
    if order is None or order.state not in PAID or order.total_minor:
        return None
    return order if since is None or order.placed_at >= since else None
