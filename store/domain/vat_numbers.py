"""VAT numbers: whether one has the form that its country gives them, check digits included. Nobody is asked."""

from __future__ import annotations

from types import ModuleType

# Where a business has a VAT number, with which it may pay the tax by itself.
WITH_VAT_NUMBERS = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
    "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
_PREFIXES = {"GR": "EL"}  # where it is not the country's code


class NotAVatNumber(ValueError):
    """It has not the form of a VAT number of that country."""


def vat_number(country: str, typed: str) -> str:
    """`typed` as the VAT number of a business in `country`, with the prefix of the country and nothing between the
    digits. Raises NotAVatNumber.
    """
    # Imported with the first number: it comes with Python's documentation tools, a megabyte of each worker.
    from stdnum import get_cc_module
    from stdnum.exceptions import ValidationError

    prefix = _PREFIXES.get(country, country)
    module = get_cc_module(country, "vat")
    if not isinstance(module, ModuleType):
        raise NotAVatNumber(country)
    try:
        number: str = module.validate(typed)
    except ValidationError:
        raise NotAVatNumber(country) from None
    return f"{prefix}{number.removeprefix(prefix)}"
