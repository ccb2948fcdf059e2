"""The price of an order: `quote` is the only place that computes one. Also what one card payment may be.

A total is the sum of the lines and of the adjustments. Every amount is whole minor units, so the sum is exact; a rule
that divides says how it rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from store.domain.addresses import Address
from store.domain.errors import AmountOutOfRange
from store.domain.money import Money, smallest_step
from store.domain.rounding import split

# Smallest charge by settlement currency, in minor units
# (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, 2026).
MINIMUM_CHARGE = {
    "aed": 200, "ars": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "cop": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
    "zar": 50,
}  # fmt: skip

# The API's own text says eight digits; a newer page allows more for some cards. Eight is safe everywhere.
MAXIMUM_CHARGE = 99_999_999


class TaxClass(StrEnum):
    """What kind of thing something is for the tax: most are standard, books and the like are reduced, and a gift card
    is not taxed until it is spent.
    """

    STANDARD = "standard"
    REDUCED = "reduced"
    NONE = "none"


class AdjustmentKind(StrEnum):
    """What an order costs beside its lines."""

    SHIPPING = "shipping"
    DISCOUNT = "discount"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """So many of one product, at the price that it has now. `weight` is that of one piece, in grams; what is not
    `shippable` is sent by e-mail.
    """

    product_id: int
    unit_price: Money
    quantity: int
    weight: int = 0
    shippable: bool = True
    tax_class: TaxClass = TaxClass.STANDARD

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An amount on top of the lines; a discount is negative. `label` is what the customer reads.

    A tax that the prices include adds nothing: its `amount` is zero, and `contained` is how much of the total it is.
    `base` is what a tax was computed on, without taxes; `shares` are those of a tax that fall on the lines, in their
    order: the rest of it is on the shipping. They change no price, so they count in no comparison of two.
    """

    kind: AdjustmentKind
    label: str
    amount: Money
    contained: Money | None = None
    base: Money | None = field(default=None, compare=False, repr=False)
    shares: tuple[Money, ...] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """Lines and adjustments in one currency, and what they add up to."""

    currency: str
    lines: tuple[QuoteLine, ...]
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def subtotal(self) -> Money:
        return Money.sum((line.total for line in self.lines), self.currency)

    @property
    def total(self) -> Money:
        return Money.sum((adjustment.amount for adjustment in self.adjustments), self.currency) + self.subtotal

    @property
    def net_lines(self) -> list[Money]:
        """What each line costs after the discounts, without taxes."""
        totals = [line.total for line in self.lines]
        off = sum(-each.amount.minor for each in self.adjustments if each.kind is AdjustmentKind.DISCOUNT)
        shares = split(Money(off, self.currency), totals)
        return [Money(total.minor - share.minor, self.currency) for total, share in zip(totals, shares, strict=True)]

    @property
    def pays_shipping(self) -> bool:
        """Whether its shipping costs anything before a coupon."""
        return any(each.kind is AdjustmentKind.SHIPPING and each.amount.minor > 0 for each in self.adjustments)

    @property
    def net_shipping(self) -> Money:
        """What the shipping costs, without taxes. A coupon for free shipping is a shipping that is negative."""
        shipping = (each.amount for each in self.adjustments if each.kind is AdjustmentKind.SHIPPING)
        return Money.sum(shipping, self.currency)


@dataclass(frozen=True, slots=True)
class Basket:
    """What a rule may look at: what was asked for, and the quote as the rules before it have left it."""

    quote: Quote
    address: Address | None
    shipping: str | None
    codes: tuple[str, ...]
    now: datetime
    tax_id: str | None = None


# A rule finds the adjustments of a basket, such as what a shipping method costs. Rules run in order.
Rule = Callable[[Basket], Iterable[Adjustment]]

RULES: tuple[Rule, ...] = ()


def quote(
    items: Sequence[QuoteLine],
    address: Address | None,
    shipping: str | None,
    codes: Sequence[str],
    now: datetime,
    *,
    currency: str,
    rules: Sequence[Rule] = RULES,
    tax_id: str | None = None,
) -> Quote:
    """The price of `items` sent to `address` by the method `shipping`, with the discount `codes`, at `now`.

    `tax_id` is the VAT number of a business. `currency` is the quote's while there are no items. Raises ValueError for
    items of two currencies, and for adjustments that take the total below zero.
    """
    found = Quote(items[0].unit_price.currency if items else currency, tuple(items))
    for rule in rules:
        basket = Basket(found, address, shipping, tuple(codes), now, tax_id)
        found = Quote(found.currency, found.lines, (*found.adjustments, *rule(basket)))
    if found.total.minor < 0:
        raise ValueError("the adjustments take the total below zero")
    return found


def check_chargeable(total: Money) -> None:
    """Raise AmountOutOfRange unless the payment service would take `total` in one payment."""
    smallest = Money(MINIMUM_CHARGE.get(total.currency, smallest_step(total.currency)), total.currency)
    largest = Money(MAXIMUM_CHARGE, total.currency)
    if not smallest.minor <= total.minor <= largest.minor:
        raise AmountOutOfRange(total, smallest, largest)


def price_from_cents(cents: int, currency: str) -> Money:
    """A catalogue price, kept in hundredths, as a price that looks natural in `currency`: 2400 is $24.00 and ¥2,400."""
    return Money(cents * smallest_step(currency), currency)
