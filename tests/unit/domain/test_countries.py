"""Postal codes, typed in every way, kept as their country writes them."""

import unicodedata
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.domain.countries import countries, postal_code, validation_rules


def examples() -> list[tuple[str, str]]:
    """Every country's own examples of its postal codes."""
    return [(code, example) for code, _name in countries() for example in validation_rules(code).postal_code_examples]


@pytest.mark.parametrize(
    ("country", "typed", "written"),
    [
        ("DE", "D-10115", "10115"),
        ("DE", "DE 10115", "10115"),
        ("CA", "K1A-0B1", "K1A 0B1"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("JP", "１００－０００１", "100-0001"),
        ("JP", "〒1000001", "100-0001"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", "UK SW1A 1AA", "SW1A 1AA"),
        ("GB", "bfpo1234", "BFPO 1234"),
        ("IE", "d02af30", "D02 AF30"),
        ("US", "CA 94043", "94043"),
        ("US", "10001\u20111234", "10001-1234"),
        ("US", "\u202a10001\u202c", "10001"),
        ("US", "10001-", "10001"),
        ("FI", "FIN-00100", "00100"),
        ("LV", "1010", "LV-1010"),
        ("AD", "100", "AD100"),
        ("KY", "1-1100", "KY1-1100"),
        ("PL", "00950", "00-950"),
        ("PT", "2725 079", "2725-079"),
        ("NL", "1234ab", "1234 AB"),
        ("EG", "١٢٣٤٥", "12345"),
        ("SA", "12345 6789", "12345-6789"),
        ("KZ", "a25 d4t8", "A25D4T8"),
        ("HK", "n/a", "N/A"),
    ],
)
def test_a_postal_code_is_kept_as_its_country_writes_it(country: str, typed: str, written: str) -> None:
    assert postal_code(country, typed) == written


@pytest.mark.parametrize(
    ("country", "typed"), [("US", "SW1A 1AA"), ("DE", "1234"), ("GB", "QM1 1AA"), ("DE", "---"), ("CA", "12345")]
)
def test_an_impossible_postal_code_is_refused(country: str, typed: str) -> None:
    assert postal_code(country, typed) is None


def test_countries_come_as_a_reader_sorts_them() -> None:
    names = [name for _code, name in countries()]

    assert names[:4] == ["Afghanistan", "Åland Islands", "Albania", "Algeria"]
    assert names[names.index("Croatia") - 3 : names.index("Croatia") + 3] == [
        "Cook Islands", "Costa Rica", "Côte d’Ivoire", "Croatia", "Cuba", "Curaçao",
    ]  # fmt: skip
    assert names[-2:] == ["Zambia", "Zimbabwe"]


def test_every_country_knows_its_own_examples_however_they_are_typed() -> None:
    for country, example in examples():
        bare = example.replace(" ", "").replace("-", "")
        wide = unicodedata.normalize("NFKC", bare).translate({0x30 + digit: 0xFF10 + digit for digit in range(10)})
        ways = [example, example.lower(), bare, f"{country}-{example}", example.replace("-", "\u2013"), f" {wide} "]

        assert {postal_code(country, way) for way in ways} == {example}, country


@settings(max_examples=50)
@given(country=st.deferred(lambda: st.sampled_from(countries())).map(itemgetter(0)), typed=st.text(max_size=12))
def test_a_postal_code_that_was_taken_is_taken_again_as_it_is(country: str, typed: str) -> None:
    """So that an order's address fills the form of the next one."""
    written = postal_code(country, typed)

    assert written is None or postal_code(country, written) == written
