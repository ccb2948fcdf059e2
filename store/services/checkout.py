"""Checkout: from a cart to one open order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from models import Order
from store.domain.addresses import Address
from store.domain.errors import (
    CartEmpty,
    CouponRefused,
    NotShippedThere,
    OrderClosed,
    ShippingMethodUnavailable,
    StoreError,
)
from store.domain.pricing import Quote, QuoteLine
from store.domain.shipping import ShippingOffer, has_shippable
from store.domain.states import OrderState
from store.domain.tariffs import Tariffs
from store.domain.tax_questions import Taxes, TaxProblem
from store.gateway.port import CancelReason
from store.services import card_testing, orders, payments, taxes
from store.services.card_testing import Shopper
from store.services.orders import Customer, Draft, ShownPrice, drafting, ordinary, ordinary_carts
from store.services.services import Services


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would cost, for a page: the price with what is known by now, the shipping methods to choose from,
    and the one that is chosen. `refusal` says why none is: NotShippedThere or ShippingMethodUnavailable. With
    `shipping_included` there is none to choose. A business is asked for its VAT number where `takes_tax_id` says so.
    With a `tax_problem` there are no taxes in the price.
    """

    quote: Quote
    offers: Sequence[ShippingOffer] = ()
    chosen: ShippingOffer | None = None
    refusal: StoreError | None = None
    shipping_included: bool = False
    takes_tax_id: bool = False
    tax_id: str | None = None
    coupon_refusal: CouponRefused | None = None
    tax_problem: TaxProblem | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether anything of it is sent by a carrier."""
        return has_shippable(self.quote.lines)


def preview(
    tariffs: Tariffs,
    lines: Sequence[QuoteLine],
    address: Address | None,
    method: str | None,
    now: datetime,
    currency: str,
    tax_id: str | None = None,
    code: str | None = None,
) -> Preview:
    """The price of `lines` for who lives at `address`, as far as that is known. `method` is the shipping method that
    was chosen, or None for the cheapest, `tax_id` the VAT number of a business, `code` that of a coupon which the
    tariffs know. `currency` is the price's while there are no lines.
    """
    included = not tariffs.methods
    if address is None:
        price, coupon_refusal = _price(tariffs, lines, None, None, now, currency, None, code)
        return Preview(price, shipping_included=included, coupon_refusal=coupon_refusal)
    chosen, refusal = None, None
    try:
        chosen = tariffs.choose(lines, address, method)
    except (NotShippedThere, ShippingMethodUnavailable) as reason:
        refusal = reason
    method = chosen.code if chosen is not None else None
    takes_tax_id = tariffs.takes_tax_id(address.country)
    known = tax_id if takes_tax_id else None
    price, coupon_refusal = _price(tariffs, lines, address, method, now, currency, known, code)
    offered = tariffs.offers(lines, address)
    problem = tariffs.tax_answer(price, address, known).problem
    return Preview(price, offered, chosen, refusal, included, takes_tax_id, known, coupon_refusal, problem)


def _price(
    tariffs: Tariffs,
    lines: Sequence[QuoteLine],
    address: Address | None,
    method: str | None,
    now: datetime,
    currency: str,
    tax_id: str | None,
    code: str | None,
) -> tuple[Quote, CouponRefused | None]:
    """The price with what the code takes off, or why it takes nothing off."""
    with_code = tariffs.quote(lines, address, method, [code] if code else [], now, currency=currency, tax_id=tax_id)
    try:
        tariffs.check_code(code, with_code, now)
    except CouponRefused as reason:
        return tariffs.quote(lines, address, method, [], now, currency=currency, tax_id=tax_id), reason
    return with_code, None


def place(
    services: Services,
    cart_id: str | None,
    browser_id: str,
    customer: Customer,
    now: datetime,
    shopper: Shopper | None = None,
    shown: ShownPrice | None = None,
) -> Order:
    """The open order of this cart for this customer: the same one however often it is asked for.

    An open order for other products or another address is closed first, its payment cancelled. If that one turns out to
    be paid, or the bank is deciding about it, nothing new is placed and OrderClosed names it. Nothing is placed either
    where the total that was `shown` is not what that costs by now: PriceChanged. Of a `shopper`, the declines so far
    are looked at: TooManyDeclines. Raises also what `orders.place` does, PaymentUnavailable and TaxesUnavailable.
    """

    def ordinary_draft(asked: Taxes | None) -> Draft | None:
        """None where the readable path has to look."""
        tariffs = services.tariffs.kept(now)
        if tariffs is None or customer.code or (shown is not None and shown.code):
            return None
        cart = ordinary_carts.read(services, cart_id, shopper, now)
        if cart is None:
            return None
        tariffs = tariffs.asking(asked)
        return drafting.draft(cart, browser_id, customer, now, services.hold, shopper, tariffs, shown)

    def draft(asked: Taxes | None, session: Session) -> Draft:
        if shopper is not None:
            card_testing.check(session, shopper, now, services.settings.declines_per_hour)
        tariffs = services.tariffs.current(session, now).asking(asked)
        return orders.draft(session, cart_id, browser_id, customer, now, services.hold, shopper, tariffs, shown)

    try:
        return taxes.answered(
            services,
            lambda asked: _place(services, partial(ordinary_draft, asked), partial(draft, asked), now),
        )
    except CartEmpty:
        # A second click, where the first one has placed an order that cost nothing and so emptied the cart.
        with services.database.reading() as session:
            done = orders.ordered_for_nothing(session, cart_id, now - services.hold)
        if done is None:
            raise
        return done


def _place(
    services: Services, ordinary_draft: Callable[[], Draft | None], draft: Callable[[Session], Draft], now: datetime
) -> Order:
    if services.shortcut and services.database.engine.dialect.name == "postgresql":
        new = ordinary_draft()
        order = ordinary.place(services, new) if new is not None else None
        if order is not None:
            return order
    while True:
        with services.database.transaction() as session:
            placed = orders.place(session, draft(session))
        if isinstance(placed, Order):
            return placed
        left = payments.close(services, placed.reference, CancelReason.REPLACED, now)
        if left not in (OrderState.CANCELLED, OrderState.EXPIRED):
            raise OrderClosed(placed.reference)


def cancel(services: Services, reference: str, now: datetime) -> None:
    """Close an unpaid order for the shopper. Raises OrderClosed when it is too late for that, and
    PaymentUnavailable.
    """
    if payments.close(services, reference, CancelReason.BY_SHOPPER, now) is not OrderState.CANCELLED:
        raise OrderClosed(reference)
