"""What an order comes to. Amounts are whole numbers of the currency's minor unit.

A discount is computed on the whole order, half up, and then split over the lines: each gets its share rounded down, and
the last one what is left. Taxes are computed line by line, half up, on what the discount leaves. What is computed is a
multiple of the currency's smallest step (10 where there are three decimals).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Rate:
    """A tax rate: a percentage on top of a price, or in it already."""

    id: str
    percentage: Fraction
    inclusive: bool


@dataclass(frozen=True)
class Line:
    """What is bought. A discount takes nothing off a line it is not for."""

    subtotal: int
    rates: tuple[Rate, ...] = ()
    discountable: bool = True


@dataclass(frozen=True)
class Discount:
    """A part off, or an amount. Never more than there is to pay for."""

    percent: Fraction | None = None
    amount: int = 0


@dataclass(frozen=True)
class Tax:
    """What one rate comes to, and on how much."""

    rate: str
    amount: int
    on: int


@dataclass(frozen=True)
class LineTotals:
    """`total` is what the line costs in the end: taxes in its price are in `taxes` and change nothing about it."""

    subtotal: int
    discount: int
    taxes: tuple[Tax, ...]
    total: int

    @property
    def tax(self) -> int:
        return sum(tax.amount for tax in self.taxes)


@dataclass(frozen=True)
class Totals:
    """What all lines and the shipping come to."""

    lines: tuple[LineTotals, ...]
    shipping: int

    @property
    def subtotal(self) -> int:
        return sum(line.subtotal for line in self.lines)

    @property
    def discount(self) -> int:
        return sum(line.discount for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines) + self.shipping


def compute(lines: Sequence[Line], discount: Discount | None = None, *, shipping: int = 0, step: int = 1) -> Totals:
    """The totals of an order. `step` is the smallest amount of the currency that can be paid."""
    shares = _split(lines, discount or Discount(), step)
    return Totals(tuple(_line(line, share, step) for line, share in zip(lines, shares, strict=True)), shipping)


def half_up(value: Fraction, step: int = 1) -> int:
    """The nearest multiple of `step`; of two that are as near, the larger."""
    return int((value / step + Fraction(1, 2)) // 1) * step


def _split(lines: Sequence[Line], discount: Discount, step: int) -> list[int]:
    """How much of the discount each line gets, never more than it costs."""
    open_amounts = [line.subtotal if line.discountable else 0 for line in lines]
    whole = sum(open_amounts)
    amount = half_up(whole * discount.percent / 100, step) if discount.percent is not None else discount.amount
    left = amount = min(amount, whole)
    shares = [0] * len(lines)
    for index, subtotal in enumerate(open_amounts):
        shares[index] = subtotal * amount // whole // step * step if whole else 0
        left -= shares[index]
    for index in reversed(range(len(lines))):
        more = min(left, open_amounts[index] - shares[index])
        shares[index] += more
        left -= more
    return shares


def _line(line: Line, discount: int, step: int) -> LineTotals:
    price = line.subtotal - discount
    inclusive = sum(rate.percentage for rate in line.rates if rate.inclusive)
    net = Fraction(price * 100) / (100 + inclusive)
    taxes = tuple(_taxes(line.rates, net, step))
    on_top = sum(tax.amount for rate, tax in zip(line.rates, taxes, strict=True) if not rate.inclusive)
    return LineTotals(line.subtotal, discount, taxes, price + on_top)


def _taxes(rates: Iterable[Rate], net: Fraction, step: int) -> Iterable[Tax]:
    for rate in rates:
        yield Tax(rate.id, half_up(net * rate.percentage / 100, step), half_up(net, step))
