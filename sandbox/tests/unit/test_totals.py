"""What an order comes to, whatever is in it."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from till_sandbox.model.checkout.totals import Discount, Line, Rate, Totals, compute

STEPS = {"usd": 1, "jpy": 1, "kwd": 10}

percentages = st.integers(0, 1_000_000).map(lambda number: Fraction(number, 10_000))
rates = st.builds(Rate, st.sampled_from("abc"), percentages, st.booleans())


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Line], Discount | None, int, int]:
    """Lines, a discount, shipping and the step of a currency. All that is given is a multiple of the step."""
    step = STEPS[draw(st.sampled_from(sorted(STEPS)))]
    amounts = st.integers(0, 50_000).map(lambda amount: amount * step)
    taxes = st.lists(rates, max_size=3).map(tuple)
    lines = draw(st.lists(st.builds(Line, amounts, taxes, st.booleans()), min_size=1, max_size=6))
    off = st.builds(Discount, percentages) | st.builds(Discount, st.none(), amounts)
    return lines, draw(st.none() | off), draw(amounts), step


def on_top(lines: list[Line], totals: Totals) -> int:
    """The taxes that are not in the prices."""
    pairs = zip(lines, totals.lines, strict=True)
    return sum(
        tax.amount
        for line, sums in pairs
        for rate, tax in zip(line.rates, sums.taxes, strict=True)
        if not rate.inclusive
    )


@settings(max_examples=50, deadline=None)
@given(orders())
def test_lines_shipping_and_taxes_less_the_discount_are_the_total(
    order: tuple[list[Line], Discount | None, int, int],
) -> None:
    lines, discount, shipping, step = order

    totals = compute(lines, discount, shipping=shipping, step=step)

    assert totals.total == totals.subtotal - totals.discount + on_top(lines, totals) + shipping
    assert totals.subtotal == sum(line.subtotal for line in lines)
    assert totals.total >= shipping
    assert totals.total % step == 0


@settings(max_examples=50, deadline=None)
@given(orders())
def test_no_line_is_taken_more_off_than_it_costs(order: tuple[list[Line], Discount | None, int, int]) -> None:
    lines, discount, shipping, step = order

    totals = compute(lines, discount, shipping=shipping, step=step)

    for line, sums in zip(lines, totals.lines, strict=True):
        assert 0 <= sums.discount <= (line.subtotal if line.discountable else 0)
        assert sums.tax >= 0
    whole = sum(line.subtotal for line in lines if line.discountable)
    if discount is not None and discount.percent is None:
        assert totals.discount == min(discount.amount, whole)
    if discount is not None and discount.percent is not None:
        assert abs(totals.discount - whole * discount.percent / 100) <= Fraction(step, 2)


@pytest.mark.parametrize(
    ("subtotals", "discount", "shares"),
    [
        ([1000, 2000], Discount(amount=500), [166, 334]),
        ([1, 1, 1], Discount(amount=2), [0, 1, 1]),
        ([999, 1], Discount(percent=Fraction("50")), [499, 1]),
        ([333], Discount(percent=Fraction("12.5")), [42]),
        ([500], Discount(amount=900), [500]),
    ],
)
def test_a_discount_is_split_with_the_rest_on_the_last_line(
    subtotals: list[int], discount: Discount, shares: list[int]
) -> None:
    totals = compute([Line(subtotal) for subtotal in subtotals], discount)

    assert [line.discount for line in totals.lines] == shares


def test_a_tax_in_the_price_leaves_the_total_and_one_on_top_adds_to_it() -> None:
    vat, sales = Rate("vat", Fraction(20), inclusive=True), Rate("sales", Fraction("8.875"), inclusive=False)

    within, over, both = compute(
        [Line(1200, (vat,)), Line(1000, (sales,)), Line(1200, (vat, sales))], Discount(percent=Fraction(0))
    ).lines

    assert [(tax.amount, tax.on) for tax in within.taxes] == [(200, 1000)]
    assert within.total == 1200
    assert (over.taxes[0].amount, over.total) == (89, 1089)
    assert (both.tax, both.total) == (289, 1289)


def test_what_is_computed_can_be_paid_in_three_decimals() -> None:
    totals = compute([Line(12350, (Rate("vat", Fraction(5), inclusive=False),))], Discount(Fraction(10)), step=10)

    assert (totals.discount, totals.tax, totals.total) == (1240, 560, 11670)
