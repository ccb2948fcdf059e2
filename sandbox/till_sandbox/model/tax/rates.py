"""Which taxes are collected in a place, on what kind of thing."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from till_sandbox.data import load
from till_sandbox.model.tax.places import Place

_TAXES = load("taxes")

#: What is taxed at a country's reduced rate, and what is not taxed anywhere.
_REDUCED, _NEVER = ("book", "ebook"), ("none",)
_DIGITAL = ("digital", "ebook")


@dataclass(frozen=True)
class JurisdictionRate:
    """What one authority takes of something, or why it takes nothing: `reason` is Stripe's word for either."""

    place: Place
    level: str
    percent: str
    reason: str
    tax_type: str | None
    name: str

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.percent) / 100

    @property
    def decimal(self) -> str:
        """As Stripe writes it: with a point."""
        return self.percent if "." in self.percent else f"{self.percent}.0"

    @property
    def jurisdiction(self) -> dict[str, Any]:
        state = self.place.state if self.level == "state" else None
        return {
            "country": self.place.country,
            "display_name": state or self.place.name,
            "level": self.level,
            "state": state,
        }


#: Where an account collects: countries, and their states and provinces as `US-CA`.
Registered = frozenset[str]


def rates(place: Place, category: str, registered: Registered) -> list[JurisdictionRate]:
    """The rates for one kind of thing that goes to a place; always at least one, which may take nothing."""
    if place.country == "US":
        return [_of_state(place, category, registered)]
    if place.country == "CA":
        return list(_of_province(place, category, registered))
    found = _TAXES["countries"].get(place.country)
    if found is None:
        return [_nothing(place, "not_supported")]
    if place.country not in registered:
        return [_nothing(place, "not_collecting")]
    return [_of_country(place, category, found)]


def is_known(place: str) -> bool:
    """Whether there is a rate for a country, or for a state or province of one."""
    country, _, state = place.partition("-")
    if country == "US":
        return state in _TAXES["us_zip_codes"]
    if state:
        return state in _TAXES["ca"]["provinces"]
    return country == "CA" or country in _TAXES["countries"]


def taxes_shipping(place: Place) -> bool:
    """Whether delivering is taxed as what is delivered; some states of the United States leave it out."""
    return place.country != "US" or bool(_TAXES["us"].get(place.state, {}).get("shipping"))


def untaxed(taken: Iterable[JurisdictionRate], reason: str) -> list[JurisdictionRate]:
    """The same rates, of which nothing is charged for a `reason`."""
    return [JurisdictionRate(rate.place, rate.level, "0", reason, rate.tax_type, rate.name) for rate in taken]


def _of_country(place: Place, category: str, found: dict[str, str]) -> JurisdictionRate:
    if category in _NEVER:
        return JurisdictionRate(place, "country", "0", "not_subject_to_tax", found["tax_type"], found["name"])
    reduced = category in _REDUCED and "reduced" in found
    percent = found["reduced" if reduced else "standard"]
    reason = "zero_rated" if not Fraction(percent) else "reduced_rated" if reduced else "standard_rated"
    return JurisdictionRate(place, "country", percent, reason, found["tax_type"], found["name"])


def _of_state(place: Place, category: str, registered: Registered) -> JurisdictionRate:
    name, found = "Sales tax", _TAXES["us"].get(place.state)
    if f"US-{place.state}" not in registered:
        return _nothing(place, "not_collecting", "state")
    exempt = (category in _DIGITAL and not (found or {}).get("digital")) or category in (*_NEVER, "service")
    if found is None or exempt:
        return JurisdictionRate(place, "state", "0", "product_exempt", "sales_tax", name)
    return JurisdictionRate(place, "state", found["standard"], "standard_rated", "sales_tax", name)


def _of_province(place: Place, category: str, registered: Registered) -> Iterable[JurisdictionRate]:
    federal, province = _TAXES["ca"]["federal"], _TAXES["ca"]["provinces"].get(place.state)
    harmonized = province is not None and province["tax_type"] == "hst"
    if "CA" not in registered:
        yield _nothing(place, "not_collecting")
    else:
        found = province if harmonized else federal
        level = "state" if harmonized else "country"
        percent, reason = ("0", "not_subject_to_tax") if category in _NEVER else (found["standard"], "standard_rated")
        yield JurisdictionRate(place, level, percent, reason, found["tax_type"], found["name"])
    if province is not None and not harmonized and f"CA-{place.state}" in registered and category not in _NEVER:
        yield JurisdictionRate(
            place, "state", province["standard"], "standard_rated", province["tax_type"], province["name"]
        )


def _nothing(place: Place, reason: str, level: str = "country") -> JurisdictionRate:
    return JurisdictionRate(place, level, "0", reason, None, "")
