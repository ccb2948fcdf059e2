"""An order's parts for a hosted page: whatever the adjustments, they come to the order's total."""

from hypothesis import given
from hypothesis import strategies as st

from store.domain.itemization import MOST_ITEMS, Item, Itemization, NamedAmount, itemize
from store.domain.money import Money, smallest_step
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine

USD = "usd"


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Any lines, with any adjustments that leave something to pay."""
    currency = draw(st.sampled_from([USD, "jpy", "kwd"]))
    step = smallest_step(currency)

    def money(least: int, most: int) -> Money:
        return Money(step * draw(st.integers(least, most)), currency)

    lines = [QuoteLine(number, money(1, 9999), draw(st.integers(1, 99))) for number in range(draw(st.integers(1, 4)))]
    found = Quote(currency, tuple(lines))
    for kind in draw(st.lists(st.sampled_from(AdjustmentKind), max_size=6)):
        least = 0 if draw(st.booleans()) else -(found.total.minor // step - 1)
        adjustment = Adjustment(kind, kind.value, money(least, max(least, 5000)))
        found = Quote(currency, found.lines, (*found.adjustments, adjustment))
    return found


def money(minor: int) -> Money:
    return Money(minor, USD)


@given(quotes())
def test_the_parts_come_to_the_total_of_any_mixture(quote: Quote) -> None:
    parts = itemize(quote, [f"Product {line.product_id}" for line in quote.lines], "Order")

    assert parts.total == quote.total
    assert all(item.unit_price.minor > 0 for item in parts.items)
    assert parts.shipping is None or parts.shipping.amount.minor >= 0
    if parts.discount is not None:
        assert 0 < parts.discount.amount.minor <= sum(item.total.minor for item in parts.items)


def test_each_part_is_what_the_order_says() -> None:
    adjustments = (
        Adjustment(AdjustmentKind.SHIPPING, "Express", money(900)),
        Adjustment(AdjustmentKind.SHIPPING, "FREESHIP", money(-900)),
        Adjustment(AdjustmentKind.DISCOUNT, "HALF", money(-500)),
        Adjustment(AdjustmentKind.TAX, "Sales tax", money(41)),
        Adjustment(AdjustmentKind.TAX, "VAT, included", money(0), contained=money(80)),
    )
    quote = Quote(USD, (QuoteLine(1, money(500), 2),), adjustments)

    parts = itemize(quote, ["Pencil"], "Order")

    assert parts.items == (Item("Pencil", money(500), 2), Item("Sales tax", money(41)))
    assert parts.shipping is not None
    assert (parts.shipping.name, parts.shipping.amount) == ("Express", money(0))
    assert parts.discount is not None
    assert (parts.discount.name, parts.discount.amount) == ("HALF", money(500))


def test_more_lines_than_a_page_takes_become_one_item() -> None:
    quote = Quote(USD, tuple(QuoteLine(number, money(100), 2) for number in range(MOST_ITEMS + 1)))

    parts = itemize(quote, ["Pencil"] * len(quote.lines), "Order K7QM")

    assert parts.items == (Item("Order K7QM", quote.total),)


def test_a_discount_over_the_items_is_taken_off_shipping() -> None:
    adjustments = (
        Adjustment(AdjustmentKind.SHIPPING, "Express", money(900)),
        Adjustment(AdjustmentKind.DISCOUNT, "MOST", money(-1500)),
        Adjustment(AdjustmentKind.TAX, "A cent", money(1)),
    )

    parts = itemize(Quote(USD, (QuoteLine(1, money(1000), 1),), adjustments), ["Lamp"], "Order")

    assert parts == Itemization(
        (Item("Lamp", money(1000)), Item("A cent", money(1))),
        NamedAmount("Express", money(401)),
        NamedAmount("MOST", money(1001)),
    )


def test_shipping_below_nothing_is_taken_off_the_items() -> None:
    adjustments = (
        Adjustment(AdjustmentKind.SHIPPING, "Express", money(100)),
        Adjustment(AdjustmentKind.SHIPPING, "FREESHIP", money(-300)),
    )
    lines = tuple(QuoteLine(number, money(1000), 1) for number in range(MOST_ITEMS))

    parts = itemize(Quote(USD, lines, adjustments), ["Lamp"] * MOST_ITEMS, "Order")

    assert parts == Itemization(
        (Item("Lamp", money(1000)),) * MOST_ITEMS,
        NamedAmount("Express", money(0)),
        NamedAmount("Express, FREESHIP", money(200)),
    )
