"""Tariffs: what a code, an address and a place come to, with whichever of them are known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store.domain.addresses import NOWHERE
from store.domain.coupons import Coupon, CouponKind
from store.domain.errors import CouponRefusal, CouponRefused, NotShippedThere, TaxAddressUnknown
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine, TaxClass
from store.domain.shipping import Basis, ShippingMethod, ZonePlace
from store.domain.tariffs import NO_TARIFFS, Tariffs
from store.domain.tax_questions import TaxAnswer, TaxProblem, TaxQuestion
from store.domain.taxes import TaxRate

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SEATTLE = replace(NOWHERE, postal_code="98101", country="US")
LAMP = QuoteLine(1, Money(1000, "usd"), 1)


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def price(*shipping: int) -> Quote:
    """A lamp for $10, and what its shipping costs."""
    parts = tuple(Adjustment(AdjustmentKind.SHIPPING, "Post", usd(minor)) for minor in shipping)
    return Quote("usd", (LAMP,), parts)


def refusal(tariffs: Tariffs, code: str | None, quote: Quote) -> tuple[CouponRefusal, str, Money | None] | None:
    try:
        tariffs.check_code(code, quote, NOW)
    except CouponRefused as refused:
        return refused.reason, refused.coupon, refused.minimum
    return None


def test_a_code_is_refused_with_why_and_what_it_needs() -> None:
    coupons = (
        Coupon(1, "TEN", CouponKind.AMOUNT, amount=usd(1000)),
        Coupon(2, "LEAST", CouponKind.AMOUNT, amount=usd(1), minimum=usd(1001)),
        Coupon(3, "ENOUGH", CouponKind.AMOUNT, amount=usd(1), minimum=usd(1000)),
        Coupon(4, "SOON", CouponKind.AMOUNT, amount=usd(1), starts_at=NOW + timedelta(seconds=1)),
        Coupon(5, "FREE", CouponKind.FREE_SHIPPING, minimum=usd(10)),
        Coupon(6, "GONE", CouponKind.FREE_SHIPPING, uses_left=0),
    )
    tariffs = Tariffs(coupons=coupons)

    assert [refusal(tariffs, code, price()) for code in (None, "", "TEN", "ENOUGH")] == [None] * 4
    assert refusal(tariffs, "OTHER", price()) == (CouponRefusal.UNKNOWN, "OTHER", None)
    assert refusal(tariffs, "LEAST", price()) == (CouponRefusal.BELOW_MINIMUM, "LEAST", usd(1001))
    assert refusal(tariffs, "SOON", price()) == (CouponRefusal.NOT_YET, "SOON", None)
    assert refusal(tariffs, "FREE", price()) == (CouponRefusal.NO_SHIPPING, "FREE", usd(10))
    assert refusal(tariffs, "FREE", price(500, -500)) is None
    assert refusal(tariffs, "GONE", price()) == (CouponRefusal.USED_UP, "GONE", None)


def test_a_coupon_that_somebody_has_is_the_only_one() -> None:
    first, second = Coupon(1, "A", CouponKind.FREE_SHIPPING), Coupon(2, "B", CouponKind.FREE_SHIPPING)
    tariffs = Tariffs(coupons=(first,))

    assert tariffs.with_coupon(second) == Tariffs(coupons=(second,))
    assert tariffs.with_coupon(None) is tariffs


def test_a_business_is_asked_for_its_number_where_it_pays_a_tax_itself() -> None:
    rates = (
        TaxRate("DE", "", TaxClass.STANDARD, "VAT", 19000, included=True),
        TaxRate("DE", "", TaxClass.REDUCED, "VAT", 7000, included=True, reverse_charge=True),
        TaxRate("FR", "", TaxClass.STANDARD, "VAT", 20000, included=True),
    )
    own, asked = Tariffs(rates=rates), Tariffs(rates=rates, taxes=lambda _question: TaxAnswer())

    assert [own.takes_tax_id(country) for country in ("DE", "FR", "US")] == [True, False, False]
    assert [asked.takes_tax_id(country) for country in ("DE", "FR", "US")] == [True, True, False]


def test_the_taxes_of_a_price_are_those_that_were_answered() -> None:
    asked: list[TaxQuestion] = []

    def taxes(question: TaxQuestion) -> TaxAnswer:
        asked.append(question)
        return TaxAnswer(calculation=f"taxcalc_{len(asked)}")

    tariffs = NO_TARIFFS.asking(taxes)

    assert tariffs.tax_answer(price(500), SEATTLE, "X1") == TaxAnswer(calculation="taxcalc_1")
    assert tariffs.tax_calculation(price(500), SEATTLE, "X1") == "taxcalc_2"
    assert [(each.address, each.tax_id, each.total) for each in asked] == [(SEATTLE, "X1", usd(1500))] * 2
    assert tariffs.tax_answer(price(), None, None) == NO_TARIFFS.tax_answer(price(), SEATTLE, None) == TaxAnswer()
    unknown = NO_TARIFFS.asking(lambda _question: TaxAnswer(problem=TaxProblem.ADDRESS_UNKNOWN))
    with pytest.raises(TaxAddressUnknown):
        unknown.tax_calculation(price(), SEATTLE, None)


def test_where_nothing_goes_the_country_is_named() -> None:
    methods = (ShippingMethod("post", "Post", "", frozenset({ZonePlace("DE")}), Basis.VALUE, ((0, usd(5)),)),)

    with pytest.raises(NotShippedThere) as refused:
        Tariffs(methods).choose([LAMP], SEATTLE, None)

    assert refused.value.country == "US"
    assert Tariffs(methods).choose([replace(LAMP, shippable=False)], SEATTLE, None) is None
    assert NO_TARIFFS.choose([LAMP], SEATTLE, "post") is None
