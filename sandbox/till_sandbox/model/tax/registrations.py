"""Registrations: where an account collects tax."""

from typing import Any

from till_sandbox import ids
from till_sandbox.data import load
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model import objects
from till_sandbox.model.tax.places import check_country
from till_sandbox.model.tax.rates import Registered
from till_sandbox.state import Resource, Transaction

KIND = "tax.registration"
#: A registration in one country of the European Union that holds for all of them.
_UNION = ("ioss", "oss_non_union", "oss_union")
_EU: list[str] = load("taxes")["eu"]


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new registration, from now on or from a time to come."""
    country = params["country"]
    check_country(country, "country")
    options = params["country_options"].get(country.lower())
    if options is None or len(params["country_options"]) > 1:
        raise missing_param(f"country_options[{country.lower()}]")
    if country == "US" and not options.get("state"):
        raise missing_param("country_options[us][state]")
    province = options["type"] == "province_standard"
    if country == "CA" and province and not options.get("province_standard", {}).get("province"):
        raise missing_param("country_options[ca][province_standard][province]")
    active_from = tx.now if params["active_from"] == "now" else params["active_from"]
    given = {
        "id": ids.new("taxreg"),
        "active_from": active_from,
        "country": country,
        "country_options": {country.lower(): options},
        "expires_at": params.get("expires_at"),
    }
    found = objects.new(tx, KIND, {**given, "status": _status(tx, given)})
    if _places(found) & _of(tx, ("active", "scheduled")):
        raise ApiError(
            "There is already an active registration for this location.",
            code="resource_already_exists",
            param="country",
        )
    return tx.insert(found)


def update(tx: Transaction, found: Resource, params: dict[str, Any]) -> Resource:
    """Another time to begin or to end; `now` ends it at once."""
    for name in ("active_from", "expires_at"):
        if name in params:
            found[name] = tx.now if params[name] == "now" else params[name]
    found["status"] = _status(tx, found)
    return tx.save(found)


def current(tx: Transaction, found: Resource) -> Resource:
    """The registration with its status of now."""
    found["status"] = _status(tx, found)
    return found


def collected_in(tx: Transaction) -> Registered:
    """The places of all registrations that are active now."""
    return frozenset(_of(tx, ("active",)))


def _of(tx: Transaction, statuses: tuple[str, ...]) -> set[str]:
    found = [each for each in tx.all(KIND) if _status(tx, each) in statuses]
    return set().union(*(_places(each) for each in found))


def _places(found: Resource) -> set[str]:
    country = found["country"]
    options = found["country_options"][country.lower()]
    if options["type"] in _UNION:
        return set(_EU)
    if country == "US":
        place = f"US-{options['state']}"
        return {place if options["type"] == "state_sales_tax" else f"{place} {options['type']}"}
    if options["type"] == "province_standard":
        return {f"CA-{options['province_standard']['province']}"}
    return {country}


def _status(tx: Transaction, found: dict[str, Any]) -> str:
    if found["expires_at"] is not None and found["expires_at"] <= tx.now:
        return "expired"
    return "scheduled" if found["active_from"] > tx.now else "active"
