"""Placing an order: the cart's lines with their prices copied, the stock reserved, an end to the reservation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import Order, OrderAdjustment, OrderLine, Payment
from store.domain.addresses import Address
from store.domain.errors import CartEmpty
from store.domain.pricing import Quote, check_chargeable, quote
from store.domain.references import new_reference
from store.domain.states import OrderState
from store.services import carts, history, stock
from store.services.card_testing import Shopper
from store.services.carts import CartItem
from store.services.history import Origin, Source


@dataclass(frozen=True, slots=True)
class Customer:
    """Who orders: where the order goes, who pays for it, and where its e-mail goes."""

    shipping: Address
    billing: Address
    email: str


@dataclass(frozen=True, slots=True)
class ConflictingOrder:
    """The cart has an open order for something else already; that has to be closed before a new one is placed."""

    reference: str


def place(
    session: Session,
    cart_id: str | None,
    browser_id: str,
    customer: Customer,
    now: datetime,
    hold: timedelta,
    shopper: Shopper | None = None,
) -> Order | ConflictingOrder:
    """Place the order of a cart, its stock reserved for `hold`. Placing the same again returns the order that is open.
    With the order is kept by what its `shopper` is known again.

    Raises CartEmpty, OutOfStock and AmountOutOfRange.
    """
    items = sorted(carts.items(session, cart_id), key=lambda item: item.product.id)
    if cart_id is None or not items:
        raise CartEmpty
    price = quote(
        [item.quote_line for item in items], customer.shipping, None, (), now, currency=items[0].product.currency
    )
    check_chargeable(price.total)
    fingerprint = _fingerprint(price, customer)
    row = {
        "reference": new_reference(),
        "cart_id": cart_id,
        "browser_id": browser_id,
        "address_digest": shopper and shopper.address_digest,
        "email_digest": shopper and shopper.email_digest,
        "fingerprint": fingerprint,
        "currency": price.currency,
        "total_minor": price.total.minor,
        "email": customer.email,
        **_columns("shipping", customer.shipping),
        **_columns("billing", customer.billing),
        "placed_at": now,
        "expires_at": now + hold,
    }
    # Of two clicks at once the second waits here until the first order is there.
    order = session.scalars(history.unless_there(session, Order, row).returning(Order)).one_or_none()
    if order is None:
        return _open_order(session, cart_id, fingerprint, now)
    _write_price(session, order, items, price)
    session.execute(insert(Payment).values(order_id=order.id, amount_minor=price.total.minor))
    origin = Origin(Source.SHOPPER, now)
    history.add(session, order, "order.placed", origin, None, order.state, {"total": price.total.minor})
    session.flush()
    stock.reserve(session, order.id, [item.product.id for item in items])
    return order


def _open_order(session: Session, cart_id: str, fingerprint: str, now: datetime) -> Order | ConflictingOrder:
    """The order for which no other one could be placed."""
    open_order = session.scalars(
        select(Order).where(Order.cart_id == cart_id, Order.state == OrderState.AWAITING_PAYMENT)
    ).one()
    same = open_order.fingerprint == fingerprint and open_order.expires_at > now
    return open_order if same else ConflictingOrder(open_order.reference)


def _columns(prefix: str, address: Address) -> dict[str, str]:
    return {f"{prefix}_{field}": value for field, value in asdict(address).items()}


def _write_price(session: Session, order: Order, items: Sequence[CartItem], price: Quote) -> None:
    session.execute(insert(OrderLine), [_line(order, position, item) for position, item in enumerate(items)])
    if price.adjustments:
        session.execute(
            insert(OrderAdjustment),
            [
                {
                    "order_id": order.id,
                    "position": position,
                    "kind": adjustment.kind,
                    "label": adjustment.label,
                    "currency": adjustment.amount.currency,
                    "amount_minor": adjustment.amount.minor,
                }
                for position, adjustment in enumerate(price.adjustments)
            ],
        )


def _fingerprint(price: Quote, customer: Customer) -> str:
    """A digest of what is ordered, what it costs and who orders it: the same for the same order, placed again."""
    return hashlib.sha256(json.dumps([asdict(price), asdict(customer)], sort_keys=True).encode()).hexdigest()


def _line(order: Order, position: int, item: CartItem) -> dict[str, object]:
    product = item.product
    return {
        "order_id": order.id,
        "product_id": product.id,
        "position": position,
        "slug": product.slug,
        "name": product.name,
        "image": product.image,
        "currency": product.currency,
        "unit_price_minor": product.price_minor,
        "quantity": item.quantity,
    }
