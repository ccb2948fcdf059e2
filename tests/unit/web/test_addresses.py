"""Addresses of many countries, typed in many ways."""

import pytest
from werkzeug.datastructures import MultiDict

from store.domain import countries
from store.domain.addresses import Address
from store.domain.contacts import tidy
from store.web import addresses
from store.web.checkout_form import CheckoutForm
from tests.support.shop import Shop

GOOD = {
    "email": "ada@example.com",
    "full_name": "Ada Lovelace",
    "country": "US",
    "address_line1": "12 Analytical Row",
    "address_line2": "",
    "city": "New York",
    "region": "",
    "postal_code": "10001",
    "phone": "",
}


def errors(shop: Shop, **changes: str) -> dict[str, list[str]]:
    form = filled(shop, **changes)
    form.validate()
    return {name: list(found) for name, found in form.errors.items() if name != "csrf_token"}


def filled(shop: Shop, **changes: str) -> CheckoutForm:
    with shop.app.test_request_context(method="POST"):
        return CheckoutForm(MultiDict({**GOOD, **changes}))


def test_every_country_has_a_name_and_rules() -> None:
    known = countries.countries()

    assert len(known) > 240
    assert ("DE", "Germany") in known
    assert [name for _code, name in known][:3] == ["Afghanistan", "Åland Islands", "Albania"]
    for code, _name in known:
        assert countries.rules(code).postal_code_name


@pytest.mark.parametrize(
    ("country", "postal_code"),
    [
        ("US", "10001"), ("US", "10001-1234"), ("GB", "SW1A 1AA"), ("GB", "gir 0aa"), ("DE", "26133"),
        ("CA", "K1A 0B1"), ("JP", "154-0023"), ("NL", "1234 AB"), ("IE", ""), ("IE", "D02 AF30"),
        ("HK", ""), ("AE", ""), ("AE", "12345"),
    ],
)  # fmt: skip
def test_a_postal_code_as_its_country_writes_it_is_taken(shop: Shop, country: str, postal_code: str) -> None:
    assert errors(shop, country=country, postal_code=postal_code) == {}


@pytest.mark.parametrize(
    ("country", "postal_code", "message"),
    [
        ("US", "", "Enter the ZIP code, such as 95014."),
        ("US", "SW1A 1AA", "Enter a ZIP code of the chosen country, such as 95014."),
        ("US", "10001-12", "Enter a ZIP code of the chosen country, such as 95014."),
        ("DE", "---", "Enter a postal code of the chosen country, such as 26133."),
        ("DE", "1234", "Enter a postal code of the chosen country, such as 26133."),
        ("GB", "10001", "Enter a postal code of the chosen country, such as EC1Y 8SY."),
        ("IN", "12", "Enter a PIN code of the chosen country, such as 110034."),
    ],
)
def test_another_postal_code_is_refused_with_an_example(
    shop: Shop, country: str, postal_code: str, message: str
) -> None:
    assert errors(shop, country=country, postal_code=postal_code) == {"postal_code": [message]}


@pytest.mark.parametrize(
    ("country", "city", "postal_code", "region", "last_lines"),
    [
        ("US", "New York", "10001", "NY", ["New York, NY 10001", "United States"]),
        ("US", "New York", "10001", "", ["New York 10001", "United States"]),
        ("DE", "Berlin", "10115", "", ["10115 Berlin", "Germany"]),
        ("GB", "London", "SW1A 1AA", "", ["London", "SW1A 1AA", "United Kingdom"]),
        ("JP", "Chiyoda", "154-0023", "Tokyo", ["Chiyoda, Tokyo", "154-0023", "Japan"]),
        ("CH", "Bern", "3000", "", ["CH-3000 Bern", "Switzerland"]),
        ("CH", "Bern", "", "", ["Bern", "Switzerland"]),
        ("SG", "Singapore", "546080", "", ["SINGAPORE 546080", "Singapore"]),
    ],
)
def test_an_address_is_written_as_its_country_writes_it(
    country: str, city: str, postal_code: str, region: str, last_lines: list[str]
) -> None:
    lines = addresses.postal_lines(address_in(country, city=city, postal_code=postal_code, region=region))

    assert lines == ["Ada Lovelace", "12 Analytical Row", "Room 3", *last_lines]


def test_no_country_loses_or_repeats_a_part_of_an_address() -> None:
    for code, _name in countries.countries():
        written = "\n".join(
            addresses.postal_lines(address_in(code, city="Citytown", postal_code="POST1", region="Areal"))
        )
        for part in ("Ada Lovelace", "12 Analytical Row", "Room 3", "Citytown", "POST1", "Areal"):
            assert written.count(part) == 1, code


def address_in(country: str, *, city: str, region: str, postal_code: str) -> Address:
    return Address("Ada Lovelace", "12 Analytical Row", "Room 3", city, region, postal_code, country)


def test_a_city_state_needs_no_city(shop: Shop) -> None:
    assert errors(shop, country="SG", postal_code="546080", city="") == {}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "ada@", "Enter an e-mail address like name@example.com."),
        ("email", "a@b.c\nBcc: all@example.com", "Enter an e-mail address like name@example.com."),
        ("email", "x" * 300 + "@example.com", "Use 254 characters at the most."),
        ("full_name", "...", "Use letters or digits."),
        ("full_name", "\u200b\u200b", "Enter your full name."),
        ("full_name", "a" * 121, "Use 120 characters at the most."),
        ("address_line1", "\0\0", "Enter the street and the number, or a P.O. box."),
        ("city", "", "Enter the city."),
        ("country", "", "Choose a country."),
        ("country", "ZZ", "Choose a country from the list."),
        ("phone", "call me", "Enter a telephone number like +1 201-555-0123, or leave this empty."),
    ],
)
def test_an_invalid_value_is_explained_at_its_field(shop: Shop, field: str, value: str, message: str) -> None:
    assert errors(shop, **{field: value})[field][0] == message


def test_typed_text_is_tidied(shop: Shop) -> None:
    form = filled(
        shop,
        email="  Ada@Example.COM ",
        full_name=" Zoë \t O’Neill\u0000-Łukasz ",
        postal_code=" 10001 ",
        phone=" +1 (555) 010-0199 ",
    )

    assert form.validate()
    assert form.shipping() == Address(
        full_name="Zoë O’Neill -Łukasz",
        line1="12 Analytical Row",
        line2="",
        city="New York",
        region="",
        postal_code="10001",
        country="US",
        phone="+15550100199",
    )
    assert form.email.data == "Ada@example.com"


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "\u2028", "a\r\nb", "\U0010ffff", "\ue000"])
def test_control_characters_and_lone_surrogates_are_refused(odd: str) -> None:
    assert all(each.isprintable() for each in tidy(f"x{odd}y"))
