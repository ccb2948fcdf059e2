"""Where a customer is for the tax, by an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError

_TAXES = load("taxes")
_NAMES: dict[str, str] = load("countries")["names"]

#: Countries of which the taxes are those of a state or a province.
WITH_STATES = ("CA", "US")


@dataclass(frozen=True)
class Place:
    """A country, and where its taxes go by it the code of the state or province."""

    country: str
    state: str | None = None

    @property
    def name(self) -> str:
        return _NAMES.get(self.country, self.country)

    @property
    def in_eu(self) -> bool:
        return self.country in _TAXES["eu"]


def place_of(address: Mapping[str, Any] | None) -> Place:
    """The place of an address: the United States need a ZIP code, Canada a postal code or a province, any other country
    nothing but itself. One that is not enough, or says two things, is refused.
    """
    country = (address or {}).get("country")
    if address is None or not country:
        raise location_invalid()
    check_country(country, "customer_details[address][country]")
    code, typed = (address.get("postal_code") or "").strip().upper(), (address.get("state") or "").strip().upper()
    if country == "US":
        state = _state_of_zip_code(code)
        if state is None or (len(typed) == 2 and typed != state):
            raise location_invalid()
        return Place("US", state)
    if country == "CA":
        province = _TAXES["ca_postal_codes"].get(code[:1], typed if len(typed) == 2 else None)
        if province is None:
            raise location_invalid()
        return Place("CA", province)
    return Place(country)


def check_country(country: str, param: str) -> None:
    if country not in _NAMES:
        raise ApiError(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', "
            "'EG', or 'GB'. A full list of country codes is available at "
            "https://www.iso.org/obp/ui/#iso:pub:PUB500001:en",
            code="country_code_invalid",
            param=param,
        )


def location_invalid() -> ApiError:
    return ApiError(
        "We could not determine the customer's tax location based on the provided customer address.",
        code="customer_tax_location_invalid",
        param="customer_details[address]",
    )


def _state_of_zip_code(code: str) -> str | None:
    if not (code[:5].isascii() and code[:5].isdigit() and len(code[:5]) == 5):
        return None
    prefix = int(code[:3])
    found = (
        state
        for state, ranges in _TAXES["us_zip_codes"].items()
        if any(first <= prefix <= last for first, last in ranges)
    )
    return next(found, None)
