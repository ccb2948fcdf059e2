"""Orders: placed from a cart in one transaction, and read back by the browser that placed them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, true
from sqlalchemy.orm import Session, selectinload

from models import Cart, CartLine, Order, OrderLine, Payment, Product
from store.domain.errors import CartEmpty, NotFound
from store.domain.money import Money
from store.domain.pricing import check_chargeable
from store.domain.references import new_reference
from store.domain.states import OrderState
from store.gateway.port import Recipient
from store.services import stock, transitions
from store.services.transitions import Origin, Source


@dataclass(frozen=True, slots=True)
class ConflictingOrder:
    """The cart already has an open order, for something else; it has to be given up before a new one is placed."""

    reference: str


@dataclass(frozen=True, slots=True)
class CartItem:
    """A product and how many of it, read under the cart's lock."""

    product: Product
    quantity: int


def place(
    session: Session, cart_id: str | None, browser_id: str, recipient: Recipient, now: datetime, hold: timedelta
) -> Order | ConflictingOrder:
    """Place the order of a cart: lines with prices copied, stock held, a reference, an end to the hold.

    Placing the same again returns the order that is open already. Raises CartEmpty, OutOfStock and AmountOutOfRange.
    """
    wishes = _read_under_lock(session, cart_id)
    if cart_id is None or not wishes:
        raise CartEmpty
    fingerprint = _fingerprint(wishes, recipient)
    open_order = session.scalars(
        select(Order).where(Order.cart_id == cart_id, Order.state == OrderState.AWAITING_PAYMENT)
    ).one_or_none()
    if open_order is not None:
        same = open_order.fingerprint == fingerprint and open_order.expires_at > now
        return open_order if same else ConflictingOrder(open_order.reference)
    total = Money.sum((wish.product.price * wish.quantity for wish in wishes), wishes[0].product.currency)
    check_chargeable(total)
    stock.hold(session, [stock.StockLine(wish.product.id, wish.quantity) for wish in wishes])
    order = Order(
        reference=new_reference(),
        state=OrderState.AWAITING_PAYMENT,
        cart_id=cart_id,
        browser_id=browser_id,
        fingerprint=fingerprint,
        currency=total.currency,
        total_minor=total.minor,
        placed_at=now,
        expires_at=now + hold,
        **asdict(recipient),
    )
    session.add(order)
    session.flush()
    session.execute(insert(OrderLine), [_line(order, position, wish) for position, wish in enumerate(wishes)])
    session.execute(insert(Payment).values(order_id=order.id, amount_minor=total.minor))
    transitions.write(
        session, order.id, "order.placed", Origin(Source.SHOPPER, now), None, order.state, {"total": total.minor}
    )
    return order


def find(session: Session, reference: str, browser_id: str | None, *, granted: bool = False) -> Order:
    """An order with its lines, payment and history, for the browser that placed it or was `granted` the sight of it.

    NotFound for any other.
    """
    theirs = true() if granted else Order.browser_id == (browser_id or "")
    order = session.scalars(
        select(Order)
        .where(Order.reference == reference, theirs)
        .options(selectinload(Order.lines), selectinload(Order.payment), selectinload(Order.history))
    ).one_or_none()
    if order is None:
        raise NotFound
    return order


def of_browser(session: Session, browser_id: str | None) -> Sequence[Order]:
    """This browser's orders, newest first, with their lines, payments and history."""
    return session.scalars(
        select(Order)
        .where(Order.browser_id == (browser_id or ""))
        .order_by(Order.id.desc())
        .options(selectinload(Order.lines), selectinload(Order.payment), selectinload(Order.history))
        .limit(100)
    ).all()


def recipient_of(order: Order) -> Recipient:
    return Recipient(**{name: getattr(order, name) for name in Recipient.__dataclass_fields__})


def _read_under_lock(session: Session, cart_id: str | None) -> list[CartItem]:
    """The cart's lines in product order; the cart stays locked, so two clicks place one after the other."""
    if cart_id is None or session.get(Cart, cart_id, with_for_update=True) is None:
        return []
    rows = session.execute(
        select(Product, CartLine.quantity).join(CartLine).where(CartLine.cart_id == cart_id).order_by(Product.id)
    )
    return [CartItem(product, quantity) for product, quantity in rows]


def _fingerprint(wishes: Sequence[CartItem], recipient: Recipient) -> str:
    """What tells one request for an order from another: the goods, their prices, and where they go."""
    reservation = [(wish.product.id, wish.quantity, wish.product.price_minor, wish.product.currency) for wish in wishes]
    return hashlib.sha256(json.dumps([reservation, asdict(recipient)], sort_keys=True).encode()).hexdigest()


def _line(order: Order, position: int, wish: CartItem) -> dict[str, object]:
    product = wish.product
    return {
        "order_id": order.id,
        "product_id": product.id,
        "position": position,
        "slug": product.slug,
        "name": product.name,
        "image": product.image,
        "currency": product.currency,
        "unit_price_minor": product.price_minor,
        "quantity": wish.quantity,
    }
