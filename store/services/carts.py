"""Carts: what a shopper is about to order. A cart reserves nothing; stock is reserved when the order is placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from models import Cart, CartLine, Order, OrderLine, Product
from store.domain.errors import NotFound, OutOfStock, QuantityInvalid, Subject
from store.domain.money import Money
from store.domain.pricing import Quote, QuoteLine, quote
from store.domain.references import new_token
from store.domain.states import OrderState
from store.services import catalogue

MOST = 99


@dataclass(frozen=True, slots=True)
class CartItem:
    """A product in a cart and how many of it."""

    product: Product
    quantity: int

    @property
    def quote_line(self) -> QuoteLine:
        return QuoteLine(self.product.id, self.product.price, self.quantity)


@dataclass(frozen=True, slots=True)
class CartRow:
    """One product in a cart, with how many are `available`. A row that is not `orderable` stops the checkout."""

    product: Product
    quantity: int
    available: int

    @property
    def unit_price(self) -> Money:
        return self.product.price

    @property
    def total(self) -> Money:
        return self.product.price * self.quantity

    @property
    def orderable(self) -> bool:
        return self.quantity <= self.available


@dataclass(frozen=True, slots=True)
class CartView:
    """What is in a cart, and its price as it would be ordered now."""

    lines: list[CartRow]
    quote: Quote

    @property
    def total(self) -> Money:
        return self.quote.total

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def can_check_out(self) -> bool:
        return bool(self.lines) and all(line.orderable for line in self.lines)


def view(session: Session, cart_id: str | None, currency: str, now: datetime) -> CartView:
    """What is in the cart, with what is left of it. Pieces that the cart's own open order has reserved count as left.

    `currency` is that of an empty cart; otherwise it is the products'.
    """
    items = _items(session, cart_id)
    own = _reserved_by_open_order(session, cart_id) if items else {}
    rows = [
        CartRow(item.product, item.quantity, max(item.product.available + own.get(item.product.id, 0), 0))
        for item in items
    ]
    return CartView(rows, quote([item.quote_line for item in items], None, None, (), now, currency=currency))


def lock_items(session: Session, cart_id: str | None) -> list[CartItem]:
    """What is in the cart, in product order; the cart stays locked, so that two clicks order one after the other."""
    if cart_id is None or _lock(session, cart_id) is None:
        return []
    return sorted(_items(session, cart_id), key=lambda item: item.product.id)


def count(session: Session, cart_id: str | None) -> int:
    """How many pieces are in the cart."""
    if cart_id is None:
        return 0
    return session.scalar(select(func.sum(CartLine.quantity)).where(CartLine.cart_id == cart_id)) or 0


def add(
    session: Session, cart_id: str | None, slug: str, quantity: int, now: datetime, *, exactly: bool = False
) -> str:
    """Put `quantity` more of a product into the cart, or have `exactly` so many in it; returns the cart's id, a new one
    where there was none.

    Raises QuantityInvalid (below 1, or more than 99 in all), OutOfStock and NotFound.
    """
    if not 1 <= quantity <= MOST:
        raise QuantityInvalid(MOST)
    product = catalogue.product(session, slug)
    cart = _lock(session, cart_id) if cart_id else None
    if cart is None:
        cart = Cart(id=new_token(), created_at=now, updated_at=now)
        session.add(cart)
        session.flush()
    already = session.scalar(_line(cart.id, product.id)) or 0
    wanted = quantity if exactly else already + quantity
    _check(session, cart.id, product, wanted)
    if already:
        _set(session, cart, product.id, wanted, now)
    else:
        session.add(CartLine(cart_id=cart.id, product_id=product.id, quantity=quantity, added_at=now))
        cart.updated_at = now
        session.flush()
    return cart.id


def change(session: Session, cart_id: str | None, slug: str, quantity: int, now: datetime) -> None:
    """Ask for `quantity` of a product that is in the cart; 0 takes it out. Raises as `add` does."""
    if not 0 <= quantity <= MOST:
        raise QuantityInvalid(MOST)
    cart = _lock(session, cart_id) if cart_id else None
    product = catalogue.product(session, slug)
    if cart is None or session.scalar(_line(cart.id, product.id)) is None:
        raise NotFound(Subject.CART_LINE)
    if quantity == 0:
        session.execute(delete(CartLine).where(CartLine.cart_id == cart.id, CartLine.product_id == product.id))
        return
    _check(session, cart.id, product, quantity)
    _set(session, cart, product.id, quantity, now)


def remove(session: Session, cart_id: str | None, slug: str, now: datetime) -> None:
    """Take a product out of the cart; fine when it is not in there."""
    try:
        change(session, cart_id, slug, 0, now)
    except NotFound:
        return


def empty_of(session: Session, cart_id: str, order_id: int) -> None:
    """Take what an order contains out of the cart it came from."""
    ordered = select(OrderLine.product_id).where(OrderLine.order_id == order_id)
    session.execute(
        delete(CartLine)
        .where(CartLine.cart_id == cart_id, CartLine.product_id.in_(ordered))
        .execution_options(synchronize_session=False)
    )


def _items(session: Session, cart_id: str | None) -> list[CartItem]:
    rows = session.execute(
        select(Product, CartLine.quantity)
        .join(CartLine)
        .where(CartLine.cart_id == (cart_id or ""))
        .order_by(CartLine.added_at, Product.id)
    )
    return [CartItem(product, quantity) for product, quantity in rows]


def _lock(session: Session, cart_id: str) -> Cart | None:
    return session.get(Cart, cart_id, with_for_update=True)


def _line(cart_id: str, product_id: int) -> Select[int]:
    return select(CartLine.quantity).where(CartLine.cart_id == cart_id, CartLine.product_id == product_id)


def _set(session: Session, cart: Cart, product_id: int, quantity: int, now: datetime) -> None:
    session.execute(
        update(CartLine).where(CartLine.cart_id == cart.id, CartLine.product_id == product_id).values(quantity=quantity)
    )
    cart.updated_at = now


def _check(session: Session, cart_id: str, product: Product, quantity: int) -> None:
    if quantity > MOST:
        raise QuantityInvalid(MOST)
    available = product.available + _reserved_by_open_order(session, cart_id).get(product.id, 0)
    if quantity > available:
        raise OutOfStock(product.name, max(available, 0))


def _reserved_by_open_order(session: Session, cart_id: str | None) -> dict[int, int]:
    rows = session.execute(
        select(OrderLine.product_id, OrderLine.quantity)
        .join(Order)
        .where(Order.cart_id == cart_id, Order.state == OrderState.AWAITING_PAYMENT)
    )
    return {row.product_id: row.quantity for row in rows}
