"""What the lines and the shipping of an order are worth when they are refunded.

A line is worth its price less its share of the discounts, and the taxes on top of that. The worth of all lines and of
the shipping adds up to the total of the order, and the pieces of a line add up to the worth of the line, in whichever
steps they are refunded: each step is worth what all refunded pieces are worth together, rounded down, less what was
refunded of them before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.domain.money import Money, smallest_step
from store.domain.pricing import Adjustment, AdjustmentKind, Quote
from store.domain.rounding import split


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount, how much of it is tax on top of prices, and the tax that the prices in it include."""

    amount: Money
    tax: Money
    contained: Money

    def __add__(self, other: Worth) -> Worth:
        return Worth(self.amount + other.amount, self.tax + other.tax, self.contained + other.contained)

    @classmethod
    def nothing(cls, currency: str) -> Worth:
        return cls(Money(0, currency), Money(0, currency), Money(0, currency))


def worths(quote: Quote) -> list[Worth]:
    """The worth of each line of an order, in their order, and then that of its shipping. None of them is negative."""
    net = [*quote.net_lines, quote.net_shipping]
    tax, contained = ([0] * len(net) for _ in range(2))
    for each in quote.adjustments:
        if each.kind is not AdjustmentKind.TAX:
            continue
        for number, share in enumerate(_shares(each, net)):
            if each.amount.minor:
                tax[number] += share
            else:
                contained[number] += share
    amounts = _none_negative([part.minor + more for part, more in zip(net, tax, strict=True)], quote.currency)
    return [
        Worth(Money(amount, quote.currency), Money(on_top, quote.currency), Money(within, quote.currency))
        for amount, on_top, within in zip(amounts, tax, contained, strict=True)
    ]


def of_pieces(line: Worth, quantity: int, before: int, pieces: int, refunded: Worth) -> Worth:
    """The worth of so many more `pieces` of a line of `quantity`, of which `before` are refunded, for `refunded`."""
    amount, currency = line.amount.minor, line.amount.currency
    step = smallest_step(currency)
    together = before + pieces
    upto = amount if together == quantity else amount * together // quantity // step * step
    upto = max(upto, refunded.amount.minor)
    return Worth(
        Money(upto - refunded.amount.minor, currency),
        _part_of(line.tax, upto, amount, refunded.tax, whole=together == quantity),
        _part_of(line.contained, upto, amount, refunded.contained, whole=together == quantity),
    )


def _part_of(tax: Money, upto: int, amount: int, refunded: Money, *, whole: bool) -> Money:
    """The tax in the part of an amount up to `upto`, less what was refunded of it."""
    step = smallest_step(tax.currency)
    sign = -1 if tax.minor < 0 else 1
    share = tax.minor if whole else sign * (abs(tax.minor) * upto // max(amount, 1) // step * step)
    return Money(share - refunded.minor, tax.currency)


def _shares(tax: Adjustment, net: Sequence[Money]) -> list[int]:
    """How much of a tax falls on each line and on the shipping: as it was computed, or else in the ratio of what they
    cost.
    """
    value = tax.amount.minor or (tax.contained.minor if tax.contained is not None else 0)
    if tax.shares is not None and len(tax.shares) == len(net) - 1:
        of_lines = [share.minor for share in tax.shares]
        return [*of_lines, value - sum(of_lines)]
    sign = -1 if value < 0 else 1
    parts = [Money(max(part.minor, 0), part.currency) for part in net]
    return [sign * share.minor for share in split(Money(abs(value), tax.amount.currency), parts)]


def _none_negative(amounts: Sequence[int], currency: str) -> list[int]:
    """The same in all, where what is missing of one is taken from the others."""
    missing = -sum(amount for amount in amounts if amount < 0)
    there = [Money(max(amount, 0), currency) for amount in amounts]
    taken = split(Money(missing, currency), there)
    return [amount.minor - share.minor for amount, share in zip(there, taken, strict=True)]
