"""Shipping methods: what it costs to send things to a place, and how long that takes.

A zone is a list of places that cost the same. An address belongs to the zone that names its region, else to the one
that names its country, else to the one for everywhere; the methods of that zone are offered, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from store.domain.addresses import Address
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Basket, QuoteLine, Rule
from store.domain.regions import region_code

EVERYWHERE = "*"  # in place of a country: wherever no other zone is


@dataclass(frozen=True, slots=True)
class ZonePlace:
    """A country, or one region of it. `country` is an ISO code or EVERYWHERE, `region` a code or empty."""

    country: str
    region: str = ""


class Basis(StrEnum):
    """What a method's price goes by: the value of the things in minor units, or their weight in grams."""

    VALUE = "value"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    """One way to send things to one zone.

    `prices` are (from, price): the price holds from so many minor units or grams on, up to the next row. Below the
    first row the method is not offered. `free_from` is the value from which it costs nothing. `estimate` is how long
    it takes, as the merchant says it.
    """

    code: str
    name: str
    estimate: str
    places: frozenset[ZonePlace]
    basis: Basis
    prices: tuple[tuple[int, Money], ...]
    free_from: Money | None = None


@dataclass(frozen=True, slots=True)
class ShippingOffer:
    """A method that goes to an address, and what it costs for certain things."""

    code: str
    name: str
    estimate: str
    price: Money
    free_from: Money | None

    @property
    def label(self) -> str:
        return f"{self.name}, {self.estimate}" if self.estimate else self.name


def has_shippable(lines: Iterable[QuoteLine]) -> bool:
    """Whether anything of it is sent by a carrier."""
    return any(line.shippable for line in lines)


def offers(methods: Sequence[ShippingMethod], lines: Sequence[QuoteLine], address: Address) -> list[ShippingOffer]:
    """The methods that go to `address` with their prices for the shippable ones of `lines`, as they are listed; none
    when nothing is to be sent, or nothing goes there.
    """
    sent = [line for line in lines if line.shippable]
    if not sent:
        return []
    currency = sent[0].unit_price.currency
    value = Money.sum((line.total for line in sent), currency)
    weight = sum(line.weight * line.quantity for line in sent)
    found = []
    for method in _of_zone(methods, address):
        price = _price(method, value, weight)
        if price is not None and price.currency == currency:
            found.append(ShippingOffer(method.code, method.name, method.estimate, price, method.free_from))
    return found


def cheapest(offered: Sequence[ShippingOffer]) -> ShippingOffer | None:
    """The method for who chose none: the cheapest, and of several the first."""
    return min(offered, key=lambda offer: offer.price.minor, default=None)


def shipping_rule(methods: Sequence[ShippingMethod]) -> Rule:
    """What the chosen method costs. A basket that names a method which is not offered gets no adjustment."""

    def rule(basket: Basket) -> Iterator[Adjustment]:
        if basket.address is None or basket.shipping is None:
            return
        for offer in offers(methods, basket.quote.lines, basket.address):
            if offer.code == basket.shipping:
                yield Adjustment(AdjustmentKind.SHIPPING, offer.label, offer.price)
                return

    return rule


def _of_zone(methods: Sequence[ShippingMethod], address: Address) -> list[ShippingMethod]:
    """The methods of the zone that an address belongs to."""
    region = region_code(address.country, address.region, address.postal_code)
    candidates = [ZonePlace(address.country, region)] if region else []
    for place in (*candidates, ZonePlace(address.country), ZonePlace(EVERYWHERE)):
        found = [method for method in methods if place in method.places]
        if found:
            return found
    return []


def _price(method: ShippingMethod, value: Money, weight: int) -> Money | None:
    free_from = method.free_from
    measure = value.minor if method.basis is Basis.VALUE else weight
    reached = [price for start, price in method.prices if start <= measure]
    if not reached:
        return None
    if free_from is not None and free_from.currency == value.currency and value.minor >= free_from.minor:
        return Money(0, value.currency)
    return reached[-1]
