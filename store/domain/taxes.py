"""Taxes: which rates apply where to what, and what they come to.

A rate is part of the price (as in Europe) or comes on top of it (as in the United States): a price that includes a tax
stays as it is, and the tax is only shown. Shipping is taxed as the things that are shipped. The rule here is the last
of a quote; whoever knows the taxes better, such as a service that is asked, is another rule in its place
(`tax_questions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Basket, Rule, TaxClass
from store.domain.regions import region_code
from store.domain.rounding import half_up, split

PERCENT = 1000  # a rate is kept in thousandths of a percent


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax of a country, or of one region of it, on one class of things.

    `thousandths` are those of a percent: 19 % is 19000, 8.875 % is 8875. `included` says whether prices have it in them
    already. A business of that country with a VAT number pays it by itself where `reverse_charge` is set.
    """

    country: str
    region: str
    tax_class: TaxClass
    name: str
    thousandths: int
    included: bool
    reverse_charge: bool = False

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.thousandths, PERCENT * 100)

    @property
    def label(self) -> str:
        """Such as `VAT 19%`."""
        whole, rest = divmod(self.thousandths, PERCENT)
        percent = f"{whole}.{rest:03}".rstrip("0") if rest else f"{whole}"
        return f"{self.name} {percent}%"


def rates_of(
    rates: Sequence[TaxRate], tax_class: TaxClass, country: str, region: str = "", postal_code: str = ""
) -> list[TaxRate]:
    """The rates for one class of things that go to an address, each of which applies: those of its region if it has
    any, else those of its country. A reduced class that has none of its own is taxed as any other.
    """
    code = region_code(country, region, postal_code)
    places = [code, ""] if code else [""]
    classes = {TaxClass.NONE: [], TaxClass.REDUCED: [TaxClass.REDUCED, TaxClass.STANDARD]}
    for each in classes.get(tax_class, [tax_class]):
        for place in places:
            found = [rate for rate in rates if (rate.country, rate.region, rate.tax_class) == (country, place, each)]
            if found:
                return found
    return []


def tax_rule(rates: Sequence[TaxRate]) -> Rule:
    """The taxes on what the rules before have left of the lines and of the shipping, one adjustment for each rate."""

    def rule(basket: Basket) -> Iterator[Adjustment]:
        address = basket.address
        if address is None or not rates:
            return
        found: dict[TaxRate, list[int]] = {}
        bases: dict[TaxRate, Money] = {}
        lines = len(basket.quote.lines)
        for number, (tax_class, amount) in enumerate(_taxable(basket)):
            applying = rates_of(rates, tax_class, address.country, address.region, address.postal_code)
            nothing = Money(0, amount.currency)
            base = _base(amount, applying)
            for rate, tax in _taxes(amount, applying):
                of_rate = found.setdefault(rate, [0] * (lines + 1))
                of_rate[min(number, lines)] += tax.minor  # the last one is the shipping's
                bases[rate] = bases.get(rate, nothing) + base
        for rate, shares in found.items():
            if any(shares):
                yield _adjustment(rate, shares, bases[rate], business=basket.tax_id is not None)

    return rule


def _adjustment(rate: TaxRate, shares: Sequence[int], base: Money, *, business: bool) -> Adjustment:
    """A rate's tax on each line and on the shipping, together."""
    kind, currency = AdjustmentKind.TAX, base.currency
    tax, nothing = Money(sum(shares), currency), Money(0, currency)
    of_lines = tuple(Money(share, currency) for share in shares[:-1])
    if business and rate.reverse_charge:
        label = f"{rate.label} not charged: reverse charge"
        if not rate.included:
            return Adjustment(kind, label, nothing, base=base)
        taken_out = tuple(Money(-share.minor, currency) for share in of_lines)
        return Adjustment(kind, label, Money(-tax.minor, currency), base=base, shares=taken_out)
    if rate.included:
        return Adjustment(kind, f"{rate.label}, included", nothing, contained=tax, base=base, shares=of_lines)
    return Adjustment(kind, rate.label, tax, base=base, shares=of_lines)


def _taxable(basket: Basket) -> Iterator[tuple[TaxClass, Money]]:
    """What each line costs after the discount, in their order, and then the shipping in parts for what is shipped."""
    lines, currency = basket.quote.lines, basket.quote.currency
    net = basket.quote.net_lines
    for line, amount in zip(lines, net, strict=True):
        yield line.tax_class, amount
    shipping = basket.quote.net_shipping
    shipped: dict[TaxClass, Money] = {}
    for line in lines:
        if line.shippable:
            shipped[line.tax_class] = shipped.get(line.tax_class, Money(0, currency)) + line.total
    if shipping.minor and shipped:
        yield from zip(shipped, split(shipping, list(shipped.values())), strict=True)


def _base(amount: Money, rates: Sequence[TaxRate]) -> Money:
    """An amount without the taxes that are in it, so that these and it add up."""
    within = [tax for rate, tax in _taxes(amount, rates) if rate.included]
    return Money(amount.minor - sum(tax.minor for tax in within), amount.currency)


def _taxes(amount: Money, rates: Sequence[TaxRate]) -> Iterator[tuple[TaxRate, Money]]:
    """Each rate's tax on an amount. Where some are in the price, all are computed on what the price is without them."""
    within = sum((rate.fraction for rate in rates if rate.included), Fraction(0))
    without = Fraction(amount.minor) / (1 + within)
    for rate in rates:
        yield rate, half_up(without * rate.fraction, amount.currency)
