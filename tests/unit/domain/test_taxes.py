"""Taxes: which rates apply where, what they come to, and how that is rounded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain.addresses import Address
from store.domain.money import Money, smallest_step
from store.domain.pricing import AdjustmentKind, Quote, QuoteLine, TaxClass
from store.domain.rounding import half_up, split
from store.domain.shipping import EVERYWHERE, Basis, ShippingMethod, ZonePlace
from store.domain.tariffs import Tariffs
from store.domain.taxes import TaxRate, rates_of
from store.domain.vat_numbers import NotAVatNumber, vat_number

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BERLIN = Address("Ada", "Torstraße 1", "", "Berlin", "", "10115", "DE")
SEATTLE = replace(BERLIN, country="US", postal_code="98101")
VANCOUVER = replace(BERLIN, country="CA", postal_code="V5K 0A1")
STANDARD, REDUCED, NONE = TaxClass.STANDARD, TaxClass.REDUCED, TaxClass.NONE

RATES = (
    TaxRate("DE", "", STANDARD, "VAT", 19000, included=True, reverse_charge=True),
    TaxRate("DE", "", REDUCED, "VAT", 7000, included=True, reverse_charge=True),
    TaxRate("US", "WA", STANDARD, "Sales tax", 6500, included=False),
    TaxRate("US", "CA", STANDARD, "Sales tax", 7250, included=False),
    TaxRate("US", "CA", REDUCED, "Sales tax", 0, included=False),
    TaxRate("CA", "", STANDARD, "GST", 5000, included=False),
    TaxRate("CA", "BC", STANDARD, "GST", 5000, included=False),
    TaxRate("CA", "BC", STANDARD, "PST", 7000, included=False),
)


def shipped_for(minor: int, currency: str = "usd") -> Tariffs:
    """The rates, and one way to send things anywhere."""
    places, prices = frozenset({ZonePlace(EVERYWHERE)}), ((0, Money(minor, currency)),)
    return Tariffs((ShippingMethod("standard", "Standard", "", places, Basis.VALUE, prices),), RATES)


def line(minor: int, quantity: int = 1, tax_class: TaxClass = STANDARD, currency: str = "usd") -> QuoteLine:
    return QuoteLine(1, Money(minor, currency), quantity, tax_class=tax_class)


def quoted(lines: Sequence[QuoteLine], address: Address, shipping: int = 0, tax_id: str | None = None) -> Quote:
    tariffs = shipped_for(shipping) if shipping else Tariffs(rates=RATES)
    return tariffs.quote(lines, address, "standard", (), NOW, currency="usd", tax_id=tax_id)


def taxes(quote: Quote) -> list[tuple[str, int, int | None]]:
    """Label, what is added to the total, and what the price has in it already."""
    return [
        (each.label, each.amount.minor, each.contained.minor if each.contained else None)
        for each in quote.adjustments
        if each.kind is AdjustmentKind.TAX
    ]


def bases(quote: Quote) -> list[tuple[str, int | None]]:
    return [(each.label, each.base.minor if each.base else None) for each in quote.adjustments]


def test_each_tax_says_what_it_was_computed_on() -> None:
    mixed = [line(11900), line(1070, tax_class=REDUCED), line(2380), line(5000, tax_class=NONE)]

    assert bases(quoted(mixed, BERLIN)) == [("VAT 19%, included", 12000), ("VAT 7%, included", 1000)]
    assert bases(quoted([line(10000)], VANCOUVER)) == [("GST 5%", 10000), ("PST 7%", 10000)]
    assert bases(quoted([line(11900)], BERLIN, tax_id="DE136695976")) == [
        ("VAT 19% not charged: reverse charge", 10000)
    ]
    assert quoted([line(10000)], SEATTLE) == replace(
        quoted([line(10000)], SEATTLE),
        adjustments=tuple(replace(each, base=None) for each in quoted([line(10000)], SEATTLE).adjustments),
    )  # it is no part of the price


def test_a_tax_that_prices_include_is_shown_and_changes_no_total() -> None:
    quote = quoted([line(11900), line(1070, tax_class=REDUCED)], BERLIN)

    assert taxes(quote) == [("VAT 19%, included", 0, 1900), ("VAT 7%, included", 0, 70)]
    assert quote.total == Money(12970, "usd")


def test_a_tax_on_top_is_added() -> None:
    quote = quoted([line(10000)], SEATTLE)

    assert taxes(quote) == [("Sales tax 6.5%", 650, None)]
    assert quote.total == Money(10650, "usd")


def test_a_region_with_rates_of_its_own_has_those_only() -> None:
    assert taxes(quoted([line(10000)], VANCOUVER)) == [("GST 5%", 500, None), ("PST 7%", 700, None)]
    assert taxes(quoted([line(10000)], replace(VANCOUVER, postal_code="T2P 1J9"))) == [("GST 5%", 500, None)]
    assert taxes(quoted([line(10000)], replace(SEATTLE, postal_code="97201"))) == []


def test_a_reduced_class_without_a_rate_is_taxed_as_any_other_and_none_is_not() -> None:
    assert [rate.name for rate in rates_of(RATES, REDUCED, "US", "WA")] == ["Sales tax"]
    assert [rate.thousandths for rate in rates_of(RATES, REDUCED, "US", "CA")] == [0]
    assert rates_of(RATES, NONE, "DE") == []


def test_shipping_is_taxed_as_the_things_that_are_shipped() -> None:
    both = quoted([line(6000), line(3000, tax_class=REDUCED)], BERLIN, shipping=900)
    free_of_tax = quoted([line(5000, tax_class=NONE)], BERLIN, shipping=900)

    # 6000 and 600 of the shipping at 19 %, 3000 and 300 of it at 7 %, each rounded for itself.
    assert taxes(both) == [("VAT 19%, included", 0, 958 + 96), ("VAT 7%, included", 0, 196 + 20)]
    assert taxes(free_of_tax) == []


def test_what_is_not_shipped_has_no_part_in_the_shipping() -> None:
    book = replace(line(3000, tax_class=REDUCED), shippable=False)

    quote = quoted([line(6000), book], BERLIN, shipping=900)

    assert taxes(quote) == [("VAT 19%, included", 0, 958 + 144), ("VAT 7%, included", 0, 196)]


def test_a_business_elsewhere_pays_no_tax_and_the_price_is_without_it() -> None:
    quote = quoted([line(11900)], BERLIN, tax_id="DE136695976")

    assert taxes(quote) == [("VAT 19% not charged: reverse charge", -1900, None)]
    assert quote.total == Money(10000, "usd")
    assert taxes(quoted([line(10000)], SEATTLE, tax_id="DE136695976")) == [("Sales tax 6.5%", 650, None)]


def test_each_line_is_rounded_half_up_for_itself() -> None:
    # The example of support.stripe.com/questions/rounding-rules-for-stripe-fees: 0.43 and 4.84 at 15 %.
    fifteen = Tariffs(rates=(TaxRate("US", "WA", STANDARD, "Tax", 15000, included=False),))

    quote = fifteen.quote([line(43), line(484)], SEATTLE, None, (), NOW, currency="usd")

    assert (quote.adjustments[0].amount, quote.total) == (Money(79, "usd"), Money(606, "usd"))


@pytest.mark.parametrize(
    ("minor", "currency", "rounded"),
    [
        ("1/2", "usd", 1),
        ("149/100", "usd", 1),
        ("3/2", "jpy", 2),
        ("14", "kwd", 10),
        ("15", "kwd", 20),
        ("50", "isk", 100),
    ],
)
def test_amounts_are_rounded_to_what_the_currency_knows(minor: str, currency: str, rounded: int) -> None:
    assert half_up(Fraction(minor), currency) == Money(rounded, currency)


@given(
    amount=st.integers(0, 10**6),
    parts=st.lists(st.integers(0, 10**6), min_size=1, max_size=9),
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
)
def test_what_is_split_adds_up_and_no_part_gets_more_than_it_is(amount: int, parts: list[int], currency: str) -> None:
    step = smallest_step(currency)
    whole, of = Money(amount * step, currency), [Money(part * step, currency) for part in parts]

    shares = split(whole, of)

    assert Money.sum(shares, currency) == whole
    assert all(share.minor % step == 0 and share.minor >= 0 for share in shares)
    if sum(parts) >= amount:
        assert all(share.minor <= part.minor for share, part in zip(shares, of, strict=True))


PLACES = st.sampled_from([BERLIN, SEATTLE, VANCOUVER, replace(BERLIN, country="JP")])


@given(
    prices=st.lists(st.tuples(st.integers(1, 10**5), st.integers(1, 9), st.sampled_from(TaxClass)), min_size=1),
    shipping=st.integers(0, 10**4),
    address=PLACES,
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
    tax_id=st.sampled_from([None, "DE136695976"]),
)
def test_lines_and_adjustments_are_the_total_for_any_mixture(
    prices: list[tuple[int, int, TaxClass]], shipping: int, address: Address, currency: str, tax_id: str | None
) -> None:
    step = smallest_step(currency)
    lines = [line(minor * step, quantity, tax_class, currency) for minor, quantity, tax_class in prices]

    quote = shipped_for(shipping * step, currency).quote(
        lines, address, "standard", (), NOW, currency=currency, tax_id=tax_id
    )

    added = sum(each.amount.minor for each in quote.adjustments)
    assert quote.total.minor == sum(each.total.minor for each in lines) + added >= 0
    assert all(each.amount.minor % step == 0 for each in quote.adjustments)
    contained = sum(each.contained.minor for each in quote.adjustments if each.contained)
    assert contained <= quote.total.minor


@pytest.mark.parametrize(
    ("country", "typed", "number"),
    [
        ("DE", "136 695 976", "DE136695976"),
        ("GR", "094259216", "EL094259216"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("FR", "fr 40 303 265 045", "FR40303265045"),
        ("AT", "ATU13585627", "ATU13585627"),
    ],
)
def test_a_vat_number_is_read_as_its_country_writes_it(country: str, typed: str, number: str) -> None:
    assert vat_number(country, typed) == number


@pytest.mark.parametrize(
    ("country", "typed"),
    [("DE", "136695977"), ("DE", "FR40303265045"), ("US", "1"), ("", "x"), ("PL", "\0"), ("DE", "")],
)
def test_what_has_not_the_form_of_a_vat_number_is_refused(country: str, typed: str) -> None:
    with pytest.raises(NotAVatNumber, match=f"^{country}$"):
        vat_number(country, typed)
