"""Money is whole minor units and a currency, and reads as a shopper expects."""

import pytest

from store.domain.errors import AmountOutOfRange
from store.domain.money import Money
from store.domain.pricing import MAXIMUM_CHARGE, MINIMUM_CHARGE, check_chargeable, price_from_cents


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1234, "usd", "$12.34"),
        (5, "usd", "$0.05"),
        (1234, "jpy", "¥1,234"),
        (12340, "kwd", "KWD12.340"),
        (500, "isk", "ISK5"),
        (123456789, "eur", "€1,234,567.89"),
    ],
)
def test_an_amount_reads_as_its_currency_is_written(minor: int, currency: str, text: str) -> None:
    assert Money(minor, currency).text() == text


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(1000, "usd") + Money(234, "usd") == Money(1234, "usd")
    assert Money(1050, "usd") * 3 == Money(3150, "usd")
    assert Money.sum([Money(1, "usd"), Money(2, "usd")], "usd") == Money(3, "usd")


def test_amounts_of_two_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="cannot add eur to usd"):
        Money(1, "usd") + Money(1, "eur")


@pytest.mark.parametrize("amount", [1.5, "12", True])
def test_an_amount_is_a_whole_number(amount: object) -> None:
    with pytest.raises(TypeError, match="whole number of minor units, not"):
        Money(amount, "usd")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("currency", ["USD", "us", "dollars", "", "€€€"])
def test_a_currency_is_three_lower_case_characters(currency: str) -> None:
    with pytest.raises(ValueError, match="three lower-case letters"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("currency", "minor"), [("usd", 2400), ("jpy", 2400), ("kwd", 24000), ("isk", 240000), ("ugx", 240000)]
)
def test_a_catalogue_price_is_one_that_stripe_takes_in_the_currency(currency: str, minor: int) -> None:
    assert price_from_cents(2400, currency) == Money(minor, currency)


@pytest.mark.parametrize(("minor", "currency"), [(49, "usd"), (29, "gbp"), (49, "jpy"), (1499, "czk"), (0, "usd")])
def test_a_total_below_the_card_minimum_is_refused_with_the_minimum(minor: int, currency: str) -> None:
    with pytest.raises(AmountOutOfRange) as refusal:
        check_chargeable(Money(minor, currency))

    assert refusal.value.minimum == Money(MINIMUM_CHARGE[currency], currency)


@pytest.mark.parametrize(("minor", "currency"), [(9, "kwd"), (99, "isk")])
def test_a_currency_without_a_documented_minimum_takes_its_smallest_step(minor: int, currency: str) -> None:
    with pytest.raises(AmountOutOfRange):
        check_chargeable(Money(minor, currency))
    check_chargeable(Money(minor + 1, currency))


@pytest.mark.parametrize(("minor", "currency"), [(50, "usd"), (30, "gbp"), (MAXIMUM_CHARGE, "usd")])
def test_a_total_within_the_bounds_is_taken(minor: int, currency: str) -> None:
    check_chargeable(Money(minor, currency))


def test_a_total_above_what_a_card_can_pay_is_refused() -> None:
    with pytest.raises(AmountOutOfRange) as refusal:
        check_chargeable(Money(MAXIMUM_CHARGE + 1, "usd"))

    assert refusal.value.maximum == Money(99_999_999, "usd")


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12", "usd", 1200),
        (" 12,30 ", "usd", 1230),
        ("0.05", "usd", 5),
        ("1200", "jpy", 1200),
        ("12.340", "kwd", 12340),
        ("12.300", "usd", 1230),
    ],
)
def test_an_amount_is_read_as_a_person_types_it(typed: str, currency: str, minor: int) -> None:
    assert Money.read(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize("typed", ["", "-1", "1.234", "1,234.50", "12 usd", "1e3", "٣", "1" * 13])
def test_what_is_no_amount_is_not_read(typed: str) -> None:
    with pytest.raises(ValueError, match=r"not an amount|fewer decimals"):
        Money.read(typed, "usd")


def test_a_plain_amount_is_read_back() -> None:
    amounts = [Money(1230, "usd"), Money(5, "usd"), Money(0, "usd"), Money(1200, "jpy"), Money(12340, "kwd")]

    assert [amount.plain for amount in amounts] == ["12.30", "0.05", "0.00", "1200", "12.340"]
    assert [Money.read(amount.plain, amount.currency) for amount in amounts] == amounts
