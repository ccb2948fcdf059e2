"""Whom a calculation is for: where they are, and whether something keeps them from being charged a tax."""

from dataclasses import dataclass
from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.details import address
from till_sandbox.model.tax import settings
from till_sandbox.model.tax.places import Place, place_of
from till_sandbox.model.tax.rates import JurisdictionRate, untaxed
from till_sandbox.state import Transaction

_VAT_PREFIXES = {"GR": "EL"}
_UNION = load("taxes")["eu"]


@dataclass(frozen=True)
class Taxed:
    """A customer's place, and as `override` why they pay no tax by themselves, if so."""

    details: dict[str, Any]
    place: Place
    override: str | None

    def charged(self, found: list[JurisdictionRate]) -> list[JurisdictionRate]:
        """What is charged of the rates for something."""
        collecting = [rate for rate in found if rate.tax_type is not None]
        return untaxed(found, self.override) if self.override is not None and collecting else found


def of_params(tx: Transaction, params: dict[str, Any]) -> Taxed:
    """The customer of a request for a calculation: one of the account's, or described there."""
    check_one_of(params, "customer", "customer_details")
    if "customer" in params:
        customer = tx.get("customer", params["customer"], param="customer", status=400)
        shipped_to = (customer["shipping"] or {}).get("address")
        given: dict[str, Any] = {
            "address": shipped_to or customer["address"],
            "address_source": "shipping" if shipped_to else "billing",
            "taxability_override": {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(
                customer["tax_exempt"], "none"
            ),
        }
    elif "customer_details" in params:
        given = params["customer_details"]
    else:
        raise missing_param("customer_details")
    if "address" not in given and "ip_address" not in given:
        raise missing_param("customer_details[address]")
    place = place_of(given.get("address"))
    tax_ids = given.get("tax_ids", [])
    for number, tax_id in enumerate(tax_ids):
        _check(tax_id, number)
    override = given.get("taxability_override", "none")
    details = {
        "address": address(given.get("address")),
        "address_source": given.get("address_source"),
        "ip_address": given.get("ip_address"),
        "tax_ids": tax_ids,
        "taxability_override": override,
    }
    return Taxed(details, place, _override(tx, place, tax_ids, override))


def _override(tx: Transaction, place: Place, tax_ids: list[dict[str, str]], given: str) -> str | None:
    if given != "none":
        return given
    office = settings.of_account(tx)["head_office"]["address"]["country"]
    return "reverse_charge" if office != place.country and any(_is_of(each, place) for each in tax_ids) else None


def _is_of(tax_id: dict[str, str], place: Place) -> bool:
    """Whether it is the VAT number of a business in that place."""
    if place.in_eu:
        prefix = _VAT_PREFIXES.get(place.country, place.country)
        return tax_id["type"] == "eu_vat" and tax_id["value"].upper().startswith(prefix)
    return place.country == "GB" and tax_id["type"] == "gb_vat"


def _check(tax_id: dict[str, str], number: int) -> None:
    """The beginning of a VAT number names its country; no more of it is checked, as with Stripe."""
    known = {_VAT_PREFIXES.get(country, country) for country in _UNION} | {"XI"}
    if tax_id["type"] == "eu_vat" and tax_id["value"].upper()[:2] not in known:
        raise ApiError(
            "Invalid value for eu_vat.", code="tax_id_invalid", param=f"customer_details[tax_ids][{number}][value]"
        )
