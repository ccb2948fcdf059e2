"""Placing an order: the cart's lines with their prices copied, the stock reserved, an end to the reservation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import Base, HistoryEntry, Order, OrderAdjustment, OrderLine, Payment
from store.domain.errors import CouponRefusal, CouponRefused
from store.domain.states import OrderState
from store.domain.tariffs import NO_TARIFFS, Tariffs
from store.services import carts, coupons, history, stock
from store.services.card_testing import Shopper
from store.services.carts import CartItem
from store.services.orders import drafting, nothing_due
from store.services.orders.drafting import CartLineToOrder, CartToOrder, Draft, Row
from store.services.orders.terms import Customer, ShownPrice


@dataclass(frozen=True, slots=True)
class ConflictingOrder:
    """The cart has an open order for something else already; that has to be closed before a new one is placed."""

    reference: str


def draft(
    session: Session,
    cart_id: str | None,
    browser_id: str,
    customer: Customer,
    now: datetime,
    hold: timedelta,
    shopper: Shopper | None = None,
    tariffs: Tariffs = NO_TARIFFS,
    shown: ShownPrice | None = None,
) -> Draft:
    """The order of a cart as it is now. Raises what `drafting.draft` does."""
    cart = read(session, cart_id, customer.code, shown.code if shown is not None else None)
    return drafting.draft(cart, browser_id, customer, now, hold, shopper, tariffs, shown)


def read(session: Session, cart_id: str | None, code: str | None, shown: str | None) -> CartToOrder:
    """What is in the cart, and the coupons with the customer's `code` and with that of the price that was `shown`."""
    items = sorted(carts.items(session, cart_id), key=lambda item: item.product.id)
    coupon = coupons.find(session, code, cart_id)
    other = coupons.find(session, shown, cart_id) if shown != code else coupon
    return CartToOrder(cart_id, [_line(item) for item in items], coupon, other)


def place(session: Session, new: Draft) -> Order | ConflictingOrder:
    """Place an order; where the cart has an open one for the same already, return that. One that costs nothing is paid
    at once. Raises OutOfStock, and CouponRefused where no use of its coupon is left, or none for this customer.
    """
    if not new.order["total_minor"]:
        done = nothing_due.ordered_already(session, new.order["cart_id"], new.lines)
        if done is not None:
            return done
    # Of two clicks at once the second waits here until the first order is there.
    order_id = session.scalar(history.unless_there(session, Order, new.order).returning(Order.id))
    if order_id is None:
        return _open_order(session, new)
    for table, rows in _rows_of(new):
        session.execute(insert(table), [{**row, "order_id": order_id} for row in rows])
    if new.order["coupon_id"] is not None:
        coupons.reserve(session, new.order["coupon_id"], new.code or "")
    stock.reserve(session, order_id, [line["product_id"] for line in new.lines])
    if not new.order["total_minor"]:
        return nothing_due.complete(session, order_id, new.order["placed_at"])
    return new.placed(order_id)


def _rows_of(new: Draft) -> list[tuple[type[Base], Sequence[Row]]]:
    rows: dict[type[Base], Sequence[Row]] = {
        OrderLine: new.lines,
        OrderAdjustment: new.adjustments,
        Payment: [new.payment],
        HistoryEntry: [new.entry],
    }
    return [(table, of_table) for table, of_table in rows.items() if of_table]


def _open_order(session: Session, new: Draft) -> Order | ConflictingOrder:
    """The order for which no other one could be placed. Raises CouponRefused where that was not the cart's."""
    of_cart = select(Order).where(Order.cart_id == new.order["cart_id"], Order.state == OrderState.AWAITING_PAYMENT)
    found = session.scalars(of_cart.where(Order.authorised_at.is_(None))).one_or_none()
    if found is None:
        raise CouponRefused(CouponRefusal.USED_BEFORE, new.code or "")
    same = found.fingerprint == new.order["fingerprint"] and found.expires_at > new.order["placed_at"]
    return found if same else ConflictingOrder(found.reference)


def _line(item: CartItem) -> CartLineToOrder:
    product = item.product
    return CartLineToOrder(item.quote_line, product.slug, product.name, product.thumbnail, item.orderable)
