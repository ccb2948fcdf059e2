"""Telephone numbers, as people write and paste them."""

import pytest

from store.domain import telephones


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("\u202a+1 (201) 555\u20110123\u202c", "DE", "+12015550123"),
        ("(020) 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "US", "+442079460018"),
        ("0041 44 668 18 00", "US", "+41446681800"),
        ("044\u00a0668\u200918\u202f00", "CH", "+41446681800"),
        ("＋８１－３－１２３４－５６７８", "US", "+81312345678"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("201-555-0123 x12", "US", "+12015550123 ext. 12"),
        ("030 1234567", "US", "030 1234567"),
        ("٠٢٠١٢٣٤٥", "US", "02012345"),
        ("+1 555 010 0199", "DE", "+15550100199"),  # of no area: possible all the same
        ("001 555 010 0199", "DE", "+15550100199"),
        ("12345", "US", "12345"),
        ("1" * 15, "US", "1" * 15),
    ],
)
def test_a_telephone_number_is_stored_in_international_form(typed: str, country: str, number: str) -> None:
    assert telephones.phone(typed, country) == number
    assert telephones.phone(number, country) == number


@pytest.mark.parametrize("typed", ["call me", "12", "1234", "1" * 16, "no phone 12345", "030/1234567 or 030/7654321"])
def test_an_invalid_telephone_number_is_refused(typed: str) -> None:
    assert telephones.phone(typed, "US") is None


@pytest.mark.parametrize("country", ["US", "DE", "AQ"])
def test_the_example_of_a_telephone_number_is_valid(country: str) -> None:
    assert telephones.phone(telephones.phone_example(country), country)
