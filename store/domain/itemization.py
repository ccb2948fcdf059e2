"""An order's price as a hosted page takes it: items that cost something, one way of shipping, one discount.

Such a page knows no adjustments as the store does. Nothing on it is computed: what is added on top is an item of its
own, what is taken off is one amount, so that the parts come to the order's total for any mixture of adjustments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.domain.money import Money
from store.domain.pricing import AdjustmentKind, Quote

MOST_ITEMS = 100  # no more lines are taken (docs.stripe.com/api/checkout/sessions/create, line_items)


@dataclass(frozen=True, slots=True)
class Item:
    """So many of one thing, at a price for each that is not zero."""

    name: str
    unit_price: Money
    quantity: int = 1

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class NamedAmount:
    """An amount that is not negative, with what the shopper reads beside it."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Itemization:
    """What is bought, how it is sent, and what is taken off the items. `shipping` is None where nothing is said about
    it, `discount` where nothing is taken off.
    """

    items: tuple[Item, ...]
    shipping: NamedAmount | None
    discount: NamedAmount | None

    @property
    def total(self) -> Money:
        sent, off = (each.amount.minor if each is not None else 0 for each in (self.shipping, self.discount))
        currency = self.items[0].unit_price.currency
        return Money(sum(item.total.minor for item in self.items) + sent - off, currency)


def itemize(quote: Quote, names: Sequence[str], summary: str) -> Itemization:
    """A quote's parts, with one of `names` for each of its lines. More lines than a hosted page takes become one item,
    which is called `summary`. The total is the quote's.
    """
    items = [Item(name, line.unit_price, line.quantity) for name, line in zip(names, quote.lines, strict=True)]
    items += [Item(each.label, each.amount) for each in quote.adjustments if _is_item(each.kind, each.amount)]
    bought = sum(item.total.minor for item in items)
    if len(items) > MOST_ITEMS:
        items = [Item(summary, Money(bought, quote.currency))]
    shipping = [each for each in quote.adjustments if each.kind is AdjustmentKind.SHIPPING]
    less = [each for each in quote.adjustments if each.kind is not AdjustmentKind.SHIPPING and each.amount.minor < 0]
    sent, off = quote.net_shipping.minor, -sum(each.amount.minor for each in less)
    # A discount is on the items and never more than they cost; shipping is never negative. What is over, the other one
    # takes: there is enough, for a quote is never below zero.
    over = max(off - bought, 0) - max(-sent, 0)
    sent, off = sent - over, off - over
    taken = ", ".join(each.label for each in less or shipping)
    return Itemization(
        tuple(items),
        NamedAmount(shipping[0].label, Money(sent, quote.currency)) if shipping else None,
        NamedAmount(taken, Money(off, quote.currency)) if off else None,
    )


def _is_item(kind: AdjustmentKind, amount: Money) -> bool:
    return kind is not AdjustmentKind.SHIPPING and amount.minor > 0
