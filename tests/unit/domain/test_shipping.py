"""Shipping: which methods go to an address, and what they cost for certain things."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain.addresses import Address
from store.domain.errors import NotShippedThere, ShippingMethodUnavailable
from store.domain.money import Money
from store.domain.pricing import QuoteLine
from store.domain.shipping import EVERYWHERE, Basis, ShippingMethod, ZonePlace
from store.domain.tariffs import NO_TARIFFS, Tariffs

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HOME = Address("Ada", "12 Market Street", "", "Springfield", "IL", "62701", "US")
HAWAII = replace(HOME, region="", postal_code="96813")


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def method(
    code: str, *places: ZonePlace, basis: Basis = Basis.VALUE, free_from: int | None = None, **prices: int
) -> ShippingMethod:
    """A method with prices such as `at0=500`: 500 from 0 on."""
    rows = tuple((int(start.removeprefix("at")), usd(price)) for start, price in prices.items())
    free = usd(free_from) if free_from is not None else None
    return ShippingMethod(code, code.title(), "3 days", frozenset(places), basis, rows, free)


TARIFFS = Tariffs(
    (
        method("standard", ZonePlace("US"), at0=500, at5000=300, free_from=10000),
        method("express", ZonePlace("US"), basis=Basis.WEIGHT, at0=1000, at1000=2000),
        method("standard", ZonePlace("US", "HI"), at0=1500),
        method("standard", ZonePlace("CA"), at0=900),
        method("world", ZonePlace(EVERYWHERE), at100=2500),
    )
)


def line(minor: int, quantity: int = 1, weight: int = 0, *, shippable: bool = True) -> QuoteLine:
    return QuoteLine(1, usd(minor), quantity, weight, shippable)


def offered(lines: list[QuoteLine], address: Address) -> list[tuple[str, int]]:
    return [(offer.code, offer.price.minor) for offer in TARIFFS.offers(lines, address)]


def test_an_address_is_offered_the_methods_of_the_narrowest_zone() -> None:
    lines = [line(1000)]

    assert offered(lines, HOME) == [("standard", 500), ("express", 1000)]
    assert offered(lines, HAWAII) == [("standard", 1500)]
    assert offered(lines, replace(HOME, country="JP", region="", postal_code="")) == [("world", 2500)]


def test_a_price_goes_by_the_value_of_what_is_shipped_or_its_weight() -> None:
    assert offered([line(4999, weight=999)], HOME) == [("standard", 500), ("express", 1000)]
    assert offered([line(2500, 2, weight=500)], HOME) == [("standard", 300), ("express", 2000)]
    assert offered([line(1000, weight=400), line(9000, weight=5000, shippable=False)], HOME) == [
        ("standard", 500),
        ("express", 1000),
    ]


def test_shipping_is_free_from_an_amount() -> None:
    assert offered([line(9999)], HOME)[0] == ("standard", 300)
    assert offered([line(10000)], HOME)[0] == ("standard", 0)


def test_below_its_first_price_a_method_is_not_offered() -> None:
    abroad = replace(HOME, country="JP")

    assert offered([line(99)], abroad) == []


def test_whoever_chooses_none_gets_the_cheapest_and_others_what_they_chose() -> None:
    cheapest, chosen = TARIFFS.choose([line(1000)], HOME, None), TARIFFS.choose([line(1000)], HOME, "express")

    assert cheapest is not None
    assert chosen is not None
    assert (cheapest.code, chosen.code) == ("standard", "express")


def test_what_does_not_go_there_is_refused_and_not_replaced() -> None:
    with pytest.raises(ShippingMethodUnavailable):
        TARIFFS.choose([line(1000)], HAWAII, "express")
    with pytest.raises(NotShippedThere):
        TARIFFS.choose([line(99)], replace(HOME, country="JP"), None)


def test_what_comes_by_email_has_no_shipping() -> None:
    book = [line(1000, shippable=False)]

    assert offered(book, HOME) == []
    assert TARIFFS.choose(book, HOME, "express") is None


def test_a_store_without_methods_ships_at_no_charge() -> None:
    assert NO_TARIFFS.choose([line(1000)], HOME, None) is None
    assert NO_TARIFFS.quote([line(1000)], HOME, None, (), NOW, currency="usd").total == usd(1000)


def test_prices_of_another_currency_are_not_offered() -> None:
    yen = [QuoteLine(1, Money(1000, "jpy"), 1)]

    assert TARIFFS.offers(yen, HOME) == []


@given(minor=st.integers(1, 20000), weight=st.integers(0, 3000), quantity=st.integers(1, 99))
def test_a_quote_costs_its_lines_and_the_offer_that_was_chosen(minor: int, weight: int, quantity: int) -> None:
    lines = [line(minor, quantity, weight)]
    express = TARIFFS.choose(lines, HOME, "express")

    quote = TARIFFS.quote(lines, HOME, "express", (), NOW, currency="usd")

    assert express is not None
    assert [(each.label, each.amount) for each in quote.adjustments] == [("Express, 3 days", express.price)]
    assert quote.total.minor == minor * quantity + express.price.minor
