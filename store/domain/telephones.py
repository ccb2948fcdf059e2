"""Telephone numbers as people write and paste them, and as the store keeps them."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from store.domain.contacts import tidy

_DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d]")
_FEWEST_DIGITS, _MOST_DIGITS = 5, 15  # E.164 allows fifteen


def phone(typed: str, country: str) -> str | None:
    """A telephone number in E.164, such as `+15550100199`, with ` ext. 12` where it has one; None where it is none.

    Without a prefix it is a number of `country`, a two-letter ISO code. One that no numbering plan knows is kept as
    typed: a number may be newer than the plans, or belong to another country than the address.
    """
    text = _DASHES.sub("-", tidy(unicodedata.normalize("NFKC", typed)))
    text = "".join(str(unicodedata.digit(each, each)) for each in text)
    for spelled in (text, re.sub(r"^\W*00", "+", text)):
        number = _parsed(spelled, country)
        if number and (phonenumbers.is_valid_number(number) or (spelled[:1] == "+" and _is_possible(number))):
            return _written(number)
    digits = sum(each.isdigit() for each in text)
    plain = re.fullmatch(r"[\d\s()+./-]+", text) is not None
    return text if plain and _FEWEST_DIGITS <= digits <= _MOST_DIGITS else None


def phone_example(country: str) -> str:
    """A number of that country, as its people write it abroad; one of the United States where none is known."""
    number = phonenumbers.example_number(country) or phonenumbers.parse("+12015550123")
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def _parsed(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_possible_number(number)


def _written(number: phonenumbers.PhoneNumber) -> str:
    extension = f" ext. {number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) + extension
