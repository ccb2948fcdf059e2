"""What an order would cost, as pages show it, and whether what was shown still holds when the order is placed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.domain.addresses import NOWHERE
from store.domain.coupons import Coupon, CouponKind
from store.domain.errors import (
    AddressMissing,
    CouponRefusal,
    CouponRefused,
    NotShippedThere,
    PriceChanged,
    ShippingMethodUnavailable,
)
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine, TaxClass
from store.domain.shipping import Basis, ShippingMethod, ShippingOffer, ZonePlace
from store.domain.tariffs import NO_TARIFFS, Tariffs
from store.domain.tax_questions import TaxAnswer, TaxProblem, TaxQuestion
from store.domain.taxes import TaxRate
from store.services.checkout import Preview, preview
from store.services.orders.terms import Customer, ShownPrice, check_shown, fitted, price_of, taxed_address

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SPRINGFIELD = replace(NOWHERE, full_name="Ada", city="Springfield", region="IL", postal_code="62701", country="US")
BERLIN = replace(NOWHERE, full_name="Bob", city="Berlin", postal_code="10115", country="DE")
PARIS = replace(BERLIN, country="FR")
VAT_NUMBER = "DE136695976"


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def method(code: str, country: str, price: int) -> ShippingMethod:
    return ShippingMethod(
        code, code.title(), "", frozenset({ZonePlace(country)}), Basis.VALUE, ((0, usd(price)),), None
    )


def offer(code: str, price: int) -> ShippingOffer:
    return ShippingOffer(code, code.title(), "", usd(price), None)


def adjustment(kind: AdjustmentKind, label: str, minor: int) -> Adjustment:
    return Adjustment(kind, label, usd(minor))


TARIFFS = Tariffs(
    methods=(method("express", "US", 900), method("standard", "US", 500), method("parcel", "DE", 700)),
    rates=(TaxRate("DE", "", TaxClass.STANDARD, "VAT", 19000, included=True, reverse_charge=True),),
    coupons=(
        Coupon(1, "TEN", CouponKind.AMOUNT, amount=usd(1000)),
        Coupon(2, "LATE", CouponKind.AMOUNT, amount=usd(1000), starts_at=NOW + timedelta(seconds=1)),
    ),
)
LAMP, BOOK = QuoteLine(1, usd(11900), 1), QuoteLine(2, usd(2000), 2, shippable=False)
STANDARD = adjustment(AdjustmentKind.SHIPPING, "Standard", 500)
EXPRESS = adjustment(AdjustmentKind.SHIPPING, "Express", 900)
PARCEL = adjustment(AdjustmentKind.SHIPPING, "Parcel", 700)
TEN = adjustment(AdjustmentKind.DISCOUNT, "Discount, TEN", -1000)
IN_THE_US = [offer("express", 900), offer("standard", 500)]


def quoted(*adjustments: Adjustment, lines: tuple[QuoteLine, ...] = (LAMP,)) -> Quote:
    return Quote("usd", lines, adjustments)


def shown(*asked: Any, lines: tuple[QuoteLine, ...] = (LAMP,), tariffs: Tariffs = TARIFFS, **more: Any) -> Preview:
    address, chosen = asked
    return preview(tariffs, lines, address, chosen, NOW, "usd", **more)


def test_before_there_is_an_address_the_things_and_the_coupon_are_priced() -> None:
    with_code = shown(None, "express", tax_id=VAT_NUMBER, code="TEN")
    too_early = shown(None, None, code="LATE")

    assert with_code == Preview(quoted(TEN))
    assert too_early.quote == quoted()
    assert too_early.coupon_refusal is not None
    assert (too_early.coupon_refusal.reason, too_early.coupon_refusal.coupon) == (CouponRefusal.NOT_YET, "LATE")
    assert shown(None, None, lines=()) == Preview(Quote("usd", ()))
    assert preview(NO_TARIFFS, (), None, None, NOW, "eur") == Preview(Quote("eur", ()), shipping_included=True)


def test_with_an_address_the_cheapest_method_or_the_chosen_one_is_priced() -> None:
    cheapest = shown(SPRINGFIELD, None, code="TEN")
    chosen = shown(SPRINGFIELD, "express", tax_id=VAT_NUMBER)

    assert cheapest == Preview(quoted(STANDARD, TEN), IN_THE_US, IN_THE_US[1])
    assert chosen == Preview(quoted(EXPRESS), IN_THE_US, IN_THE_US[0])  # nobody there is asked for a VAT number
    assert shown(SPRINGFIELD, None, lines=()) == Preview(Quote("usd", ()), [])


def test_a_method_that_is_not_offered_is_said_and_costs_nothing() -> None:
    elsewhere, nowhere = shown(SPRINGFIELD, "parcel"), shown(PARIS, None)

    assert replace(elsewhere, refusal=None) == Preview(quoted(), IN_THE_US)
    assert replace(nowhere, refusal=None) == Preview(quoted(), [])
    assert isinstance(elsewhere.refusal, ShippingMethodUnavailable)
    assert isinstance(nowhere.refusal, NotShippedThere)
    assert (elsewhere.refusal.method, nowhere.refusal.country) == ("parcel", "FR")


def test_a_coupon_that_is_refused_leaves_the_price_as_it_is() -> None:
    price = shown(BERLIN, None, tax_id=VAT_NUMBER, code="LATE")

    untaxed = adjustment(AdjustmentKind.TAX, "VAT 19% not charged: reverse charge", -2012)
    assert price.quote == quoted(PARCEL, untaxed)
    assert price.coupon_refusal is not None
    expected = Preview(price.quote, [offer("parcel", 700)], offer("parcel", 700), takes_tax_id=True, tax_id=VAT_NUMBER)
    assert replace(price, coupon_refusal=None) == expected


def test_taxes_that_nobody_knows_are_a_problem_of_the_price() -> None:
    asked: list[TaxQuestion] = []

    def taxes(question: TaxQuestion) -> TaxAnswer:
        asked.append(question)
        return TaxAnswer(problem=TaxProblem.ADDRESS_UNKNOWN)

    price = shown(BERLIN, None, tariffs=TARIFFS.asking(taxes), tax_id=VAT_NUMBER)

    parcel = offer("parcel", 700)
    expected = {"takes_tax_id": True, "tax_id": VAT_NUMBER, "tax_problem": TaxProblem.ADDRESS_UNKNOWN}
    assert price == Preview(quoted(PARCEL), [parcel], parcel, **expected)  # type: ignore[arg-type]  # as they are named
    assert {(each.address.country, each.tax_id, each.shipping) for each in asked} == {("DE", VAT_NUMBER, usd(700))}


ADA = Customer(SPRINGFIELD, SPRINGFIELD, "ada@example.com", tax_id=VAT_NUMBER, code="TEN")


def test_a_customer_is_fitted_to_what_is_ordered() -> None:
    to_berlin = replace(ADA, shipping=BERLIN)
    book_for_berlin = replace(ADA, billing=BERLIN, method="express")

    assert fitted(ADA, [LAMP, BOOK], TARIFFS) == replace(ADA, tax_id=None, method="standard")
    assert fitted(replace(ADA, method="express"), [LAMP], TARIFFS) == replace(ADA, tax_id=None, method="express")
    assert fitted(to_berlin, [LAMP], TARIFFS) == replace(to_berlin, method="parcel")
    assert fitted(book_for_berlin, [BOOK], TARIFFS) == replace(book_for_berlin, shipping=NOWHERE, method=None)
    assert fitted(to_berlin, [BOOK], TARIFFS) == replace(to_berlin, shipping=NOWHERE, tax_id=None)
    assert fitted(ADA, [LAMP], NO_TARIFFS) == replace(ADA, tax_id=None)
    with pytest.raises(AddressMissing):
        fitted(replace(ADA, shipping=NOWHERE), [LAMP], TARIFFS)
    with pytest.raises(ShippingMethodUnavailable):
        fitted(replace(ADA, method="parcel"), [LAMP], TARIFFS)


def test_taxes_go_by_where_the_order_goes_or_else_by_who_pays() -> None:
    assert taxed_address(replace(ADA, billing=BERLIN)) is SPRINGFIELD
    assert taxed_address(replace(ADA, shipping=NOWHERE, billing=BERLIN)) is BERLIN


def test_a_price_goes_by_all_that_the_customer_has_chosen() -> None:
    to_berlin = replace(ADA, shipping=BERLIN, method="parcel", code=None)
    contained = Adjustment(AdjustmentKind.TAX, "VAT 19%, included", usd(0), contained=usd(2012))

    assert price_of([LAMP], replace(ADA, method="express"), TARIFFS, NOW) == quoted(EXPRESS, TEN)
    assert price_of([LAMP], replace(to_berlin, tax_id=None), TARIFFS, NOW) == quoted(PARCEL, contained)
    assert price_of([LAMP], to_berlin, TARIFFS, NOW).total == usd(11900 + 700 - 2012)
    in_euros = QuoteLine(1, Money(100, "eur"), 1)
    assert price_of([in_euros], replace(ADA, code=None), NO_TARIFFS, NOW) == Quote("eur", (in_euros,))
    assert price_of([LAMP], replace(ADA, code="LATE"), TARIFFS, NOW + timedelta(seconds=1)) == quoted(
        adjustment(AdjustmentKind.DISCOUNT, "Discount, LATE", -1000)
    )


WITH_EXPRESS = replace(ADA, method="express", tax_id=None)


def changed_to(said: ShownPrice, customer: Customer, at: datetime = NOW) -> Money | None:
    """What the order costs by now, where that is not what was shown; else it is placed."""
    try:
        check_shown(said, [LAMP], customer, price_of([LAMP], customer, TARIFFS, at), TARIFFS, at)
    except PriceChanged as changed:
        return changed.total
    return None


@pytest.mark.parametrize(
    ("said", "true"),
    [
        (ShownPrice(11800, SPRINGFIELD, "express", None, "TEN"), True),
        (ShownPrice(11801, SPRINGFIELD, "express", None, "TEN"), False),
        # What was shown is for something else, and is compared with what that costs.
        (ShownPrice(11400, SPRINGFIELD, "standard", None, "TEN"), True),
        (ShownPrice(11800, SPRINGFIELD, "standard", None, "TEN"), False),
        (ShownPrice(12800, SPRINGFIELD, "express"), True),
        (ShownPrice(11800, SPRINGFIELD, "express"), False),
        (ShownPrice(11600, BERLIN, "parcel", None, "TEN"), True),
        (ShownPrice(12600, BERLIN, "parcel"), True),
        (ShownPrice(12600 - 2012, BERLIN, "parcel", VAT_NUMBER), True),
        (ShownPrice(11900, BERLIN, None), True),
        (ShownPrice(12600, BERLIN, None), False),
    ],
)
def test_what_was_shown_holds_while_it_still_costs_that(said: ShownPrice, true: bool) -> None:
    assert changed_to(said, WITH_EXPRESS) == (None if true else usd(11800))


@pytest.mark.parametrize(
    ("place", "true"),
    [
        (replace(SPRINGFIELD, full_name="Bob", city="Chicago", line1="1 Lake Street"), True),
        (replace(SPRINGFIELD, country="FR"), False),
        (replace(SPRINGFIELD, region="CA", postal_code="90001"), True),  # it costs the same there
    ],
    ids=["the same for the price", "where nothing goes", "another region"],
)
def test_a_price_was_shown_for_a_place(place: Any, true: bool) -> None:
    assert changed_to(ShownPrice(11800, place, "express", None, "TEN"), WITH_EXPRESS) == (None if true else usd(11800))


@pytest.mark.parametrize(
    ("changed", "total"),
    [({"region": ""}, 11800), ({"postal_code": "62702"}, 11800), ({"country": "CA"}, 10900)],
    ids=str,
)
def test_a_price_for_another_place_has_the_taxes_of_that_place(changed: dict[str, str], total: int) -> None:
    asked: list[TaxQuestion] = []

    def taxes(question: TaxQuestion) -> TaxAnswer:
        asked.append(question)
        return TaxAnswer()

    tariffs, there = TARIFFS.asking(taxes), replace(SPRINGFIELD, **changed)
    price = price_of([LAMP], WITH_EXPRESS, tariffs, NOW)
    check_shown(ShownPrice(total, there, "express", None, "TEN"), [LAMP], WITH_EXPRESS, price, tariffs, NOW)

    assert [each.address for each in asked] == [replace(each, full_name="") for each in (SPRINGFIELD, there)]


def test_a_coupon_that_ended_meanwhile_changes_the_price() -> None:
    late = replace(WITH_EXPRESS, code="LATE")

    assert changed_to(ShownPrice(11800, SPRINGFIELD, "standard", None, "LATE"), late) == usd(12800)
    said = ShownPrice(11400, SPRINGFIELD, "standard", None, "LATE")
    assert changed_to(said, late, at=NOW + timedelta(seconds=1)) is None


def test_a_refused_coupon_says_its_minimum() -> None:
    least = Coupon(3, "LEAST", CouponKind.AMOUNT, amount=usd(1), minimum=usd(20000))

    with pytest.raises(CouponRefused) as refused:
        TARIFFS.with_coupon(least).check_code("LEAST", quoted(), NOW)

    assert (refused.value.reason, refused.value.minimum) == (CouponRefusal.BELOW_MINIMUM, usd(20000))
