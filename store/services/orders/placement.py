"""Placing an order: the cart's lines with their prices copied, the stock reserved, an end to the reservation.

`draft` decides what the order is, `place` writes it. What `draft` returns are the very rows, so that `ordinary.place`
can write them in another way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, make_transient_to_detached

from models import Base, HistoryEntry, Order, OrderAdjustment, OrderLine, Payment
from store.domain.addresses import Address
from store.domain.errors import CartEmpty, CouponRefusal, CouponRefused
from store.domain.pricing import Adjustment, Quote, check_chargeable
from store.domain.references import new_reference
from store.domain.states import OrderState
from store.domain.tariffs import NO_TARIFFS, Tariffs
from store.services import carts, coupons, history, stock
from store.services.card_testing import Shopper
from store.services.carts import CartItem
from store.services.history import Source
from store.services.orders import nothing_due
from store.services.orders.terms import Customer, ShownPrice, check_shown, fitted, price_of, taxed_address

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConflictingOrder:
    """The cart has an open order for something else already; that has to be closed before a new one is placed."""

    reference: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it is to be placed: the rows of its tables, whole but for the order's id. `available`: when the cart
    was read, there was enough of everything. `code` is that of its coupon.
    """

    order: Row
    payment: Row
    entry: Row
    lines: Sequence[Row]
    adjustments: Sequence[Row]
    available: bool
    code: str | None = None

    def placed(self, order_id: int) -> Order:
        """The order once it is written, detached."""
        order = Order(**self.order, id=order_id)
        make_transient_to_detached(order)
        return order


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
    """The order of a cart as it is now, its stock to be reserved for `hold`. With the order is kept by what its
    `shopper` is known again.

    Raises CartEmpty, AmountOutOfRange, AddressMissing, NotShippedThere, ShippingMethodUnavailable, CouponRefused and
    TaxAddressUnknown; PriceChanged, where what was `shown` costs another total by now; and what `tariffs.taxes` does.
    """
    items = sorted(carts.items(session, cart_id), key=lambda item: item.product.id)
    if not items:
        raise CartEmpty
    lines = [item.quote_line for item in items]
    coupon = coupons.find(session, customer.code, cart_id)
    tariffs = tariffs.with_coupon(coupon)
    customer = fitted(customer, lines, tariffs)
    price = price_of(lines, customer, tariffs, now)
    tariffs.check_code(customer.code, price, now)
    if shown is not None:
        other = coupons.find(session, shown.code, cart_id) if shown.code != customer.code else coupon
        then = tariffs.with_coupon(other)
        check_shown(shown, lines, customer, price, then, now)
    calculation = tariffs.tax_calculation(price, taxed_address(customer), customer.tax_id)
    total = price.total
    if total.minor:
        check_chargeable(total)
    order = {
        "reference": new_reference(),
        "cart_id": cart_id,
        "browser_id": browser_id,
        "address_digest": shopper and shopper.address_digest,
        "email_digest": shopper and shopper.email_digest,
        "fingerprint": _fingerprint(price, customer),
        "currency": price.currency,
        "total_minor": total.minor,
        "email": customer.email,
        "tax_id": customer.tax_id,
        "tax_calculation": calculation,
        "coupon_id": coupon.coupon_id if coupon is not None else None,
        "coupon_customer": customer.email.casefold() if coupon is not None and coupon.once_per_customer else None,
        **_address("shipping", customer.shipping),
        **_address("billing", customer.billing),
        "placed_at": now,
        "expires_at": now + hold,
    }
    entry = {
        "at": now,
        "type": "order.placed",
        "to_state": OrderState.AWAITING_PAYMENT,
        "source": Source.SHOPPER,
        "data": {"total": total.minor},
    }
    return Draft(
        order={**_ORDER, **order},
        payment={**_PAYMENT, "amount_minor": total.minor},
        entry={**_ENTRY, **entry},
        lines=[_line(position, item) for position, item in enumerate(items)],
        adjustments=[_adjustment(position, each) for position, each in enumerate(price.adjustments)],
        available=all(item.orderable for item in items),
        code=customer.code,
    )


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


def _fingerprint(price: Quote, customer: Customer) -> str:
    """A digest of what is ordered, what it costs and who orders it: the same for the same order, placed again."""
    return hashlib.sha256(repr((price, customer)).encode()).hexdigest()


def _address(prefix: str, address: Address) -> Row:
    return {f"{prefix}_{field.name}": getattr(address, field.name) for field in fields(Address)}


def _line(position: int, item: CartItem) -> Row:
    product = item.product
    return {
        "product_id": product.id,
        "position": position,
        "slug": product.slug,
        "name": product.name,
        "image": product.thumbnail,
        "currency": product.currency,
        "unit_price_minor": product.price_minor,
        "quantity": item.quantity,
    }


def _adjustment(position: int, adjustment: Adjustment) -> Row:
    return {
        "position": position,
        "kind": adjustment.kind,
        "label": adjustment.label,
        "currency": adjustment.amount.currency,
        "amount_minor": adjustment.amount.minor,
        "contained_minor": adjustment.contained.minor if adjustment.contained is not None else None,
        "base_minor": adjustment.base.minor if adjustment.base is not None else None,
        "shares": [share.minor for share in adjustment.shares] if adjustment.shares is not None else None,
    }


def _blank(table: type[Base]) -> Row:
    """A row with nothing but its defaults in it."""
    columns = [column for column in table.__table__.columns if column.key not in ("id", "order_id")]
    return {column.key: column.default.arg if column.default is not None else None for column in columns}


_ORDER, _PAYMENT, _ENTRY = _blank(Order), _blank(Payment), _blank(HistoryEntry)
