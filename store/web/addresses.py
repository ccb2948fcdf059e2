"""How a postal address is written in its country."""

from __future__ import annotations

import re
from collections.abc import Mapping

from store.domain.addresses import Address
from store.domain.countries import country_name, validation_rules


def postal_lines(address: Address) -> list[str]:
    """An address line by line, as its country writes it in Latin letters, the country's name last.

    Spelled as the shopper spelled it. What the country's form has no place for is kept: a city goes below the street,
    anything else above the country.
    """
    country = country_name(address.country)
    form = validation_rules(address.country).address_latin_format
    city = address.city if "%C" in form or address.city.casefold() != country.casefold() else ""
    street = [address.line1, address.line2] + ([city] if "%C" not in form else [])
    values = {
        "%N": address.full_name,
        "%A": "\n".join(filter(None, street)),
        "%C": city,
        "%S": address.region,
        "%Z": address.postal_code,
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
