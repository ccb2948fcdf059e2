"""The price of an order: its lines, what is added or taken off, and a total that is their sum."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain.addresses import Address
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Basket, QuoteLine, quote

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ADDRESS = Address("Ada", "12 Market Street", "", "Springfield", "IL", "62701", "US")


def line(minor: int, quantity: int = 1, currency: str = "usd") -> QuoteLine:
    return QuoteLine(1, Money(minor, currency), quantity)


def shipping(basket: Basket) -> Iterable[Adjustment]:
    if basket.shipping == "express" and basket.address is not None and basket.address.country == "US":
        yield Adjustment(AdjustmentKind.SHIPPING, "Express", Money(1500, basket.quote.currency))


def ten_percent_off(basket: Basket) -> Iterable[Adjustment]:
    if "TEN" in basket.codes:
        off = -(basket.quote.total.minor // 10)
        yield Adjustment(AdjustmentKind.DISCOUNT, "TEN", Money(off, basket.quote.currency))


def test_without_rules_a_quote_is_the_sum_of_its_lines() -> None:
    found = quote([line(800, 2), line(450)], ADDRESS, None, (), NOW, currency="usd")

    assert found.adjustments == ()
    assert found.total == found.subtotal == Money(2050, "usd")


def test_rules_run_in_order_and_see_what_the_ones_before_have_found() -> None:
    rules = (shipping, ten_percent_off)

    found = quote([line(1000)], ADDRESS, "express", ["TEN"], NOW, currency="usd", rules=rules)

    assert [(each.label, each.amount.minor) for each in found.adjustments] == [("Express", 1500), ("TEN", -250)]
    assert (found.subtotal, found.total) == (Money(1000, "usd"), Money(2250, "usd"))


def test_a_rule_looks_at_the_address() -> None:
    abroad = quote([line(1000)], replace(ADDRESS, country="CA"), "express", (), NOW, currency="usd", rules=(shipping,))

    assert abroad.adjustments == ()


def test_a_quote_of_nothing_is_zero_in_the_shops_currency() -> None:
    assert quote([], None, None, (), NOW, currency="jpy").total == Money(0, "jpy")


def test_two_currencies_have_no_quote() -> None:
    with pytest.raises(ValueError, match="eur"):
        _ = quote([line(100), line(100, currency="eur")], None, None, (), NOW, currency="usd").total


def test_no_quote_is_below_zero() -> None:
    def too_much(_basket: Basket) -> Iterable[Adjustment]:
        yield Adjustment(AdjustmentKind.DISCOUNT, "Gift", Money(-101, "usd"))

    with pytest.raises(ValueError, match="below zero"):
        quote([line(100)], None, None, (), NOW, currency="usd", rules=(too_much,))


@given(
    prices=st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 99)), min_size=1, max_size=8),
    amounts=st.lists(st.integers(0, 10**5), max_size=4),
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
)
def test_the_total_is_exactly_lines_plus_adjustments(
    prices: list[tuple[int, int]], amounts: list[int], currency: str
) -> None:
    def added(_basket: Basket) -> Iterable[Adjustment]:
        return [Adjustment(AdjustmentKind.TAX, "Tax", Money(amount, currency)) for amount in amounts]

    items = [line(minor, quantity, currency) for minor, quantity in prices]
    found = quote(items, ADDRESS, None, (), NOW, currency=currency, rules=(added,))

    assert found.total == Money(sum(minor * quantity for minor, quantity in prices) + sum(amounts), currency)
