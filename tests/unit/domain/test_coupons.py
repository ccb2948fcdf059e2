"""Coupons: what a code takes off, when it takes nothing off, and what is left to tax."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain.addresses import Address
from store.domain.coupons import Coupon, CouponKind, read_code, refusal
from store.domain.errors import CouponRefusal, CouponRefused
from store.domain.money import Money, smallest_step
from store.domain.pricing import AdjustmentKind, Quote, QuoteLine, TaxClass
from store.domain.shipping import EVERYWHERE, Basis, ShippingMethod, ZonePlace
from store.domain.tariffs import Tariffs
from store.domain.taxes import TaxRate

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SEATTLE = Address("Ada", "1 Pine Street", "", "Seattle", "WA", "98101", "US")
PERCENT = Coupon(1, "TEN", CouponKind.PERCENT, thousandths=10_000)
FIVE = Coupon(2, "FIVE", CouponKind.AMOUNT, amount=Money(500, "usd"))
SHIPFREE = Coupon(3, "SHIPFREE", CouponKind.FREE_SHIPPING)
TAX = TaxRate("US", "WA", TaxClass.STANDARD, "Sales tax", 10_000, included=False)
VAT = replace(TAX, included=True, reverse_charge=True)


def line(minor: int, quantity: int = 1, currency: str = "usd") -> QuoteLine:
    return QuoteLine(1, Money(minor, currency), quantity)


def quoted(
    coupon: Coupon,
    lines: list[QuoteLine],
    *,
    shipping: int = 600,
    tax: TaxRate | None = None,
    tax_id: str | None = None,
) -> Quote:
    currency = lines[0].unit_price.currency
    prices = ((0, Money(shipping, currency)),)
    method = ShippingMethod("standard", "Standard", "", frozenset({ZonePlace(EVERYWHERE)}), Basis.VALUE, prices)
    tariffs = Tariffs((method,), (tax,) if tax is not None else ()).with_coupon(coupon)
    return tariffs.quote(lines, SEATTLE, "standard", [coupon.code], NOW, currency=currency, tax_id=tax_id)


def amounts(quote: Quote) -> list[tuple[AdjustmentKind, int]]:
    return [(each.kind, each.amount.minor) for each in quote.adjustments]


def test_a_percentage_is_of_the_things_and_rounded_half_up() -> None:
    quote = quoted(PERCENT, [line(1005), line(100)])

    assert amounts(quote) == [(AdjustmentKind.SHIPPING, 600), (AdjustmentKind.DISCOUNT, -111)]
    assert quote.total.minor == 1105 + 600 - 111


def test_an_amount_is_at_most_what_the_things_cost() -> None:
    assert amounts(quoted(FIVE, [line(1000)]))[1] == (AdjustmentKind.DISCOUNT, -500)
    assert quoted(FIVE, [line(300)]).total == Money(600, "usd")


def test_several_codes_together_take_off_no_more_than_there_is() -> None:
    late = replace(FIVE, code="LATE", starts_at=NOW + timedelta(seconds=1))
    more = [replace(FIVE, code=code, amount=Money(minor, "usd")) for code, minor in (("A", 700), ("B", 900), ("C", 1))]
    tariffs = Tariffs(coupons=(replace(FIVE, code="OTHER"), late, FIVE, *more))

    quote = tariffs.quote([line(1500)], SEATTLE, None, ["LATE", "A", "FIVE", "B", "C"], NOW, currency="usd")

    assert [(each.label, each.amount.minor) for each in quote.adjustments] == [
        ("Discount, FIVE", -500), ("Discount, A", -700), ("Discount, B", -300),
    ]  # fmt: skip


def test_free_shipping_takes_the_shipping_off_and_nothing_else() -> None:
    quote = quoted(SHIPFREE, [line(1000)], tax=TAX)

    assert amounts(quote) == [
        (AdjustmentKind.SHIPPING, 600),
        (AdjustmentKind.SHIPPING, -600),
        (AdjustmentKind.TAX, 100),
    ]
    assert quote.total == Money(1100, "usd")


def test_a_tax_is_on_what_the_discount_leaves_of_each_line() -> None:
    # The example of the split: 5.00 off 10.00 and 20.00 is 1.66 and 3.34.
    quote = quoted(FIVE, [line(1000), line(2000)], shipping=0, tax=TAX)

    assert [each.minor for each in quote.net_lines] == [834, 1666]
    assert amounts(quote)[-1] == (AdjustmentKind.TAX, 83 + 167)


@pytest.mark.parametrize(
    ("coupon", "reason"),
    [
        (replace(FIVE, starts_at=NOW + timedelta(seconds=1)), CouponRefusal.NOT_YET),
        (replace(FIVE, starts_at=NOW, ends_at=NOW + timedelta(seconds=1)), None),
        (replace(FIVE, ends_at=NOW), CouponRefusal.OVER),
        (replace(FIVE, minimum=Money(1001, "usd")), CouponRefusal.BELOW_MINIMUM),
        (replace(FIVE, minimum=Money(1000, "usd")), None),
        (replace(FIVE, amount=Money(500, "eur")), CouponRefusal.OTHER_CURRENCY),
        (replace(FIVE, uses_left=0), CouponRefusal.USED_UP),
        (replace(FIVE, uses_left=1), None),
    ],
)
def test_a_coupon_has_a_period_a_minimum_and_a_number_of_uses(coupon: Coupon, reason: CouponRefusal | None) -> None:
    assert refusal(coupon, Money(1000, "usd"), NOW) == reason
    assert bool(amounts(quoted(coupon, [line(1000)], shipping=0))[1:]) == (reason is None)


def test_a_code_that_nobody_knows_is_refused_and_none_is_not() -> None:
    price = quoted(FIVE, [line(1000)])
    Tariffs().check_code(None, price, NOW)
    with pytest.raises(CouponRefused) as refused:
        Tariffs().with_coupon(FIVE).check_code("SIX", price, NOW)

    assert refused.value.reason is CouponRefusal.UNKNOWN


def test_free_shipping_is_refused_where_there_is_none_to_pay() -> None:
    tariffs = Tariffs().with_coupon(SHIPFREE)

    tariffs.check_code("SHIPFREE", quoted(SHIPFREE, [line(1000)]), NOW)
    with pytest.raises(CouponRefused) as refused:
        tariffs.check_code("SHIPFREE", quoted(SHIPFREE, [line(1000)], shipping=0), NOW)

    assert refused.value.reason is CouponRefusal.NO_SHIPPING


def test_a_code_is_read_as_people_type_it() -> None:
    assert [read_code(typed) for typed in (" welcome 10\t\0", None)] == ["WELCOME10", ""]


@given(
    prices=st.lists(st.tuples(st.integers(1, 10**5), st.integers(1, 9)), min_size=1, max_size=6),
    shipping=st.integers(0, 10**4),
    kind=st.sampled_from(CouponKind),
    thousandths=st.integers(0, 100_000),
    amount=st.integers(1, 10**6),
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
    taxed=st.sampled_from([(None, None), (TAX, None), (VAT, None), (VAT, "DE136695976")]),
)
def test_whatever_is_taken_off_the_total_is_the_sum_and_not_below_zero(
    prices: list[tuple[int, int]],
    shipping: int,
    kind: CouponKind,
    thousandths: int,
    amount: int,
    currency: str,
    taxed: tuple[TaxRate | None, str | None],
) -> None:
    step = smallest_step(currency)
    coupon = Coupon(1, "ANY", kind, thousandths=thousandths, amount=Money(amount * step, currency))
    lines = [line(minor * step, quantity, currency) for minor, quantity in prices]

    quote = quoted(coupon, lines, shipping=shipping * step, tax=taxed[0], tax_id=taxed[1])

    added = sum(each.amount.minor for each in quote.adjustments)
    assert quote.total.minor == sum(each.total.minor for each in lines) + added >= 0
    assert all(each.amount.minor % step == 0 for each in quote.adjustments)
    assert all(each.minor >= 0 for each in quote.net_lines)
    off = sum(each.amount.minor for each in quote.adjustments if each.kind is AdjustmentKind.DISCOUNT)
    assert sum(each.minor for each in quote.net_lines) == sum(each.total.minor for each in lines) + off
