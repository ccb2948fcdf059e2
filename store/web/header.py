"""What stands at the top of every page: how many pieces are in the cart, read in the transaction of the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g
from sqlalchemy.orm import Session

from models import Order
from store.services import carts
from store.services.carts import CartView
from store.web.current import services
from store.web.identity import cart_id

_COUNT = "cart_count"


@contextmanager
def reading() -> Iterator[Session]:
    """A transaction that only reads, for a page. The header's count is read in it too, unless it is known by then."""
    with services().database.reading() as session:
        yield session
        if _COUNT not in g:
            g.cart_count = carts.count(session, cart_id())


def show_cart(cart: CartView) -> None:
    """The page has read this browser's cart: nothing more is asked for the header."""
    g.cart_count = cart.count


def show_cart_of(order: Order) -> None:
    """The same for a page that has read an order of this browser's cart, with how many pieces are in that by now."""
    if order.cart_id == cart_id():
        g.cart_count = order.in_cart


def cart_count() -> int:
    """How many pieces are in this browser's cart."""
    if _COUNT not in g:
        with reading():
            pass  # a page that reads nothing itself
    count: int = g.cart_count
    return count
