"""Carts: what a shopper is about to order. A cart reserves nothing; stock is reserved when the order is placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from models import Cart, CartLine, Order, OrderLine, Product
from store.domain.errors import NotFound, OutOfStock, QuantityInvalid, Subject
from store.domain.money import Money
from store.domain.pricing import Quote, QuoteLine
from store.domain.references import new_token
from store.domain.shipping import has_shippable
from store.domain.states import OrderState
from store.domain.tariffs import NO_TARIFFS, Tariffs
from store.services import catalogue
from store.services.partial_indexes import one_written_out

MOST = 99


@dataclass(frozen=True, slots=True)
class CartItem:
    """One product in a cart, how many of it, and how many the cart's own open order has `reserved`. One that is not
    `orderable` stops the checkout.
    """

    product: Product
    quantity: int
    reserved: int

    @property
    def available(self) -> int:
        return max(self.product.available + self.reserved, 0)

    @property
    def orderable(self) -> bool:
        return self.quantity <= self.available

    @property
    def unit_price(self) -> Money:
        return self.product.price

    @property
    def total(self) -> Money:
        return self.product.price * self.quantity

    @property
    def quote_line(self) -> QuoteLine:
        return catalogue.quote_line(self.product, self.quantity)


@dataclass(frozen=True, slots=True)
class CartView:
    """What is in a cart, and its price as it would be ordered now."""

    lines: list[CartItem]
    quote: Quote
    tariffs: Tariffs

    @property
    def total(self) -> Money:
        return self.quote.total

    @property
    def is_shipped(self) -> bool:
        """Whether anything of it is sent by a carrier."""
        return has_shippable(self.quote.lines)

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def can_check_out(self) -> bool:
        return bool(self.lines) and all(line.orderable for line in self.lines)


def view(
    session: Session, cart_id: str | None, currency: str, now: datetime, tariffs: Tariffs = NO_TARIFFS
) -> CartView:
    """What is in the cart, with what is left of it. Pieces that the cart's own open order has reserved count as left.

    `currency` is that of an empty cart; otherwise it is the products'. The price is that of the lines: what `tariffs`
    add depends on where the order goes.
    """
    lines = items(session, cart_id)
    price = tariffs.quote([line.quote_line for line in lines], None, None, (), now, currency=currency)
    return CartView(lines, price, tariffs)


def items(session: Session, cart_id: str | None) -> list[CartItem]:
    """What is in the cart, in the order in which it was put there."""
    if cart_id is None:
        return []
    return [CartItem(*row) for row in session.execute(_ITEMS, {"cart": cart_id})]


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
    known = cart_id if cart_id is not None and _touch(session, cart_id, now) else None
    item = _item(session, known, slug)
    if item.product.hidden:
        raise NotFound(Subject.PRODUCT)
    wanted = quantity if exactly else item.quantity + quantity
    _check(item, wanted)
    if known is None:
        known = new_token()
        session.execute(insert(Cart).values(id=known, created_at=now, updated_at=now))
    if item.quantity:
        _set(session, known, item.product.id, wanted)
    else:
        line = {"cart_id": known, "product_id": item.product.id, "quantity": wanted, "added_at": now}
        session.execute(insert(CartLine).values(line))
    return known


def change(session: Session, cart_id: str | None, slug: str, quantity: int, now: datetime) -> None:
    """Ask for `quantity` of a product that is in the cart; 0 takes it out. Raises as `add` does."""
    if not 0 <= quantity <= MOST:
        raise QuantityInvalid(MOST)
    known = cart_id if cart_id is not None and _touch(session, cart_id, now) else None
    item = _item(session, known, slug)
    if known is None or not item.quantity:
        raise NotFound(Subject.CART_LINE)
    if quantity == 0:
        session.execute(delete(CartLine).where(CartLine.cart_id == known, CartLine.product_id == item.product.id))
        return
    _check(item, quantity)
    _set(session, known, item.product.id, quantity)


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


def _item(session: Session, cart_id: str | None, slug: str) -> CartItem:
    """A product and how many of it are in the cart by now, which may be none. Raises NotFound."""
    row = session.execute(_ITEM, {"cart": cart_id or "", "slug": slug}).one_or_none()
    if row is None:
        raise NotFound(Subject.PRODUCT)
    return CartItem(*row)


def _touch(session: Session, cart_id: str, now: datetime) -> bool:
    """Lock the cart, so that two tabs change it one after the other; False when there is none."""
    touched = update(Cart).where(Cart.id == cart_id).values(updated_at=now).returning(Cart.id)
    return session.execute(touched).one_or_none() is not None


def _set(session: Session, cart_id: str, product_id: int, quantity: int) -> None:
    session.execute(
        update(CartLine).where(CartLine.cart_id == cart_id, CartLine.product_id == product_id).values(quantity=quantity)
    )


def _check(item: CartItem, quantity: int) -> None:
    if quantity > MOST:
        raise QuantityInvalid(MOST)
    if quantity > item.available:
        raise OutOfStock(item.product.name, item.available)


# Products, how many of each are in a cart, and how many its open order has reserved: what a CartItem has. The order is
# looked up first: a product may be in very many.
_CART = bindparam("cart", type_=Cart.id.type)
_OPEN_ORDER = (
    select(Order.id)
    .where(Order.cart_id == _CART, Order.state == one_written_out(OrderState.AWAITING_PAYMENT))
    .where(Order.authorised_at.is_(None))
    .scalar_subquery()
)
_RESERVED = (
    select(OrderLine.quantity)
    .where(OrderLine.order_id == _OPEN_ORDER, OrderLine.product_id == Product.id)
    .correlate(Product)
    .scalar_subquery()
)
_PRODUCTS = select(Product, func.coalesce(CartLine.quantity, 0), func.coalesce(_RESERVED, 0)).outerjoin(
    CartLine, and_(CartLine.product_id == Product.id, CartLine.cart_id == _CART)
)
_ITEMS = _PRODUCTS.where(CartLine.cart_id == _CART).order_by(CartLine.added_at, Product.id)
_ITEM = _PRODUCTS.where(Product.slug == bindparam("slug"))
