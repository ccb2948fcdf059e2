"""Regions of countries: told by a postal code, or by whatever somebody types."""

import pytest

from store.domain.regions import region_code


@pytest.mark.parametrize(
    ("country", "typed", "postal_code", "code"),
    [
        ("US", "", "94103", "CA"),
        ("US", "illinois", "", "IL"),
        ("US", " il ", "", "IL"),
        ("US", "AA", "", "AA"),
        ("US", "NY", "62701", "IL"),
        ("US", "NY", "00000", "NY"),
        ("CA", "Québec", "", "QC"),
        ("CA", "quebec", "", "QC"),
        ("CA", "Alberta", "V5K 0A1", "BC"),
        ("ES", "", "35001", "GC"),
        ("JP", "東京都", "", "13"),
        ("JP", "tokyo", "", "13"),
        ("CN", "Guangdong Sheng", "", "44"),
        ("HK", "九龍", "", "Kowloon"),  # it has no code of its own in ISO 3166-2
        ("SO", "AD", "", "AW"),  # the code of its posts, which is not that of ISO 3166-2
        ("IE", "Co. Dublin", "", "D"),
        ("IE", "Dublin", "", ""),
        ("DE", "Bayern", "80331", ""),
        ("US", "nowhere", "", ""),
        ("US", "", "", ""),
        ("XX", "CA", "94103", ""),
        ("", "", "", ""),
    ],
)
def test_a_region_is_known_by_postal_code_code_or_name(country: str, typed: str, postal_code: str, code: str) -> None:
    assert region_code(country, typed, postal_code) == code
