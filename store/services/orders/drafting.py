"""Drafting an order: what it is, decided from what was read. Nothing is read or written here.

What `draft` returns are the very rows, so that `placement.place` and `ordinary.place` write the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict

from models import Base, HistoryEntry, Order, Payment
from store.domain.addresses import Address
from store.domain.coupons import Coupon
from store.domain.errors import CartEmpty
from store.domain.pricing import Adjustment, Quote, QuoteLine, check_chargeable
from store.domain.references import new_reference
from store.domain.states import OrderState
from store.domain.tariffs import Tariffs
from store.services.card_testing import Shopper
from store.services.history import Source
from store.services.orders.terms import Customer, ShownPrice, check_shown, fitted, price_of, taxed_address

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CartLineToOrder:
    """A line of a cart, and what an order copies of its product. `available`: there is enough of it."""

    quote_line: QuoteLine
    slug: str
    name: str
    image: str
    available: bool


@dataclass(frozen=True, slots=True)
class CartToOrder:
    """A cart that was read to be ordered: its lines by their products' ids, the coupon with the customer's code, and
    the coupon of the price that the customer was shown.
    """

    cart_id: str | None
    lines: Sequence[CartLineToOrder]
    coupon: Coupon | None = None
    coupon_shown: Coupon | None = None


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
        """The order once it is written, as if it had been read and its session closed."""
        order = Order()
        instance_dict(order).update(self.order, id=order_id)
        make_transient_to_detached(order)
        return order


def draft(
    cart: CartToOrder,
    browser_id: str,
    customer: Customer,
    now: datetime,
    hold: timedelta,
    shopper: Shopper | None,
    tariffs: Tariffs,
    shown: ShownPrice | None,
) -> Draft:
    """The order of a cart, its stock to be reserved for `hold`. With the order is kept by what its `shopper` is known
    again.

    Raises CartEmpty, AmountOutOfRange, AddressMissing, NotShippedThere, ShippingMethodUnavailable, CouponRefused and
    TaxAddressUnknown; PriceChanged, where what was `shown` costs another total by now; and what `tariffs.taxes` does.
    """
    if not cart.lines:
        raise CartEmpty
    lines = [line.quote_line for line in cart.lines]
    coupon = cart.coupon
    tariffs = tariffs.with_coupon(coupon)
    customer = fitted(customer, lines, tariffs)
    price = price_of(lines, customer, tariffs, now)
    tariffs.check_code(customer.code, price, now)
    if shown is not None:
        check_shown(shown, lines, customer, price, tariffs.with_coupon(cart.coupon_shown), now)
    calculation = tariffs.tax_calculation(price, taxed_address(customer), customer.tax_id)
    total = price.total
    if total.minor:
        check_chargeable(total)
    order = {
        "reference": new_reference(),
        "cart_id": cart.cart_id,
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
        lines=[_line(position, line) for position, line in enumerate(cart.lines)],
        adjustments=[_adjustment(position, each) for position, each in enumerate(price.adjustments)],
        available=all(line.available for line in cart.lines),
        code=customer.code,
    )


def _fingerprint(price: Quote, customer: Customer) -> str:
    """A digest of what is ordered, what it costs and who orders it: the same for the same order, placed again."""
    return hashlib.sha256(repr((price, customer)).encode()).hexdigest()


def _address(prefix: str, address: Address) -> Row:
    return {f"{prefix}_{field.name}": getattr(address, field.name) for field in fields(Address)}


def _line(position: int, line: CartLineToOrder) -> Row:
    price = line.quote_line.unit_price
    return {
        "product_id": line.quote_line.product_id,
        "position": position,
        "slug": line.slug,
        "name": line.name,
        "image": line.image,
        "currency": price.currency,
        "unit_price_minor": price.minor,
        "quantity": line.quote_line.quantity,
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
