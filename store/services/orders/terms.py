"""The terms of an order: who orders, how it is sent, what it costs by that, and what the customer was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from store.domain.addresses import NOWHERE, Address
from store.domain.errors import AddressMissing, PriceChanged
from store.domain.pricing import Quote, QuoteLine
from store.domain.shipping import has_shippable
from store.domain.tariffs import Tariffs


@dataclass(frozen=True, slots=True)
class Customer:
    """Who orders: where the order goes, who pays for it, and where its e-mail goes. `method` is the code of the
    shipping method, or None for the cheapest, `tax_id` the VAT number of a business, `code` that of a coupon.
    """

    shipping: Address
    billing: Address
    email: str
    method: str | None = None
    tax_id: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """The total that a customer was shown last, and for which address, shipping method, VAT number and coupon."""

    total_minor: int
    address: Address
    method: str | None
    tax_id: str | None = None
    code: str | None = None


def fitted(customer: Customer, lines: Sequence[QuoteLine], tariffs: Tariffs) -> Customer:
    """The customer with the shipping method that the order will have; without one, and without an address, where
    nothing is shipped; and without a VAT number where none is asked for. Raises AddressMissing, NotShippedThere and
    ShippingMethodUnavailable.
    """
    taxed_in = customer.shipping.country if has_shippable(lines) else customer.billing.country
    if not tariffs.takes_tax_id(taxed_in):
        customer = replace(customer, tax_id=None)
    if not has_shippable(lines):
        return replace(customer, shipping=NOWHERE, method=None)
    if not customer.shipping.country:
        raise AddressMissing
    chosen = tariffs.choose(lines, customer.shipping, customer.method)
    return replace(customer, method=chosen.code if chosen is not None else None)


def taxed_address(customer: Customer) -> Address:
    """Where a fitted customer's order goes, or else who pays for it: what its taxes go by."""
    return customer.shipping if customer.shipping.country else customer.billing


def price_of(lines: Sequence[QuoteLine], customer: Customer, tariffs: Tariffs, now: datetime) -> Quote:
    """The price of `lines` for a customer who was fitted to them."""
    address = taxed_address(customer)
    currency = lines[0].unit_price.currency
    codes = [customer.code] if customer.code else []
    return tariffs.quote(lines, address, customer.method, codes, now, currency=currency, tax_id=customer.tax_id)


def check_shown(
    shown: ShownPrice, lines: Sequence[QuoteLine], customer: Customer, price: Quote, tariffs: Tariffs, now: datetime
) -> None:
    """Raises PriceChanged, with the `price` of today for this customer, unless what was shown still costs that. What
    the customer has chosen since is no change of the price.
    """
    codes = [shown.code] if shown.code else []
    then = price
    if not _is_for(shown, customer):
        chosen, currency = shown.method, price.currency
        then = tariffs.quote(lines, shown.address, chosen, codes, now, currency=currency, tax_id=shown.tax_id)
    if then.total.minor != shown.total_minor:
        raise PriceChanged(price.total)


def _is_for(shown: ShownPrice, customer: Customer) -> bool:
    """Whether what was shown is for what the customer has chosen, as far as the price goes by it."""
    address = taxed_address(customer)
    places = [(each.country, each.region, each.postal_code) for each in (shown.address, address)]
    chosen = (shown.method, shown.tax_id, shown.code) == (customer.method, customer.tax_id, customer.code)
    return chosen and places[0] == places[1]
