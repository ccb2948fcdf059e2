"""The tax settings of an account: where its head office is, and what a thing is where nothing says it."""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model import events
from till_sandbox.model.details import address
from till_sandbox.model.tax import codes
from till_sandbox.model.tax.places import check_country
from till_sandbox.state import Resource, Transaction

KIND = "tax.settings"


def of_account(tx: Transaction) -> Resource:
    """The settings as they are. Those of a new account are ready: its head office is in the United States."""
    name = f"{tx.account}/{KIND}"
    found = tx.find(KIND, name)
    if found is not None:
        return found
    body = {
        "object": KIND,
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": codes.GOODS},
        "head_office": {"address": address({"country": "US", "state": "CA", "postal_code": "94080"})},
        "livemode": False,
        "status": "active",
        "status_details": {"active": {}},
    }
    return Resource(body, {"stored_as": name})


def update(tx: Transaction, params: dict[str, Any]) -> Resource:
    """Emits tax.settings.updated."""
    found = of_account(tx)
    if tx.find(KIND, found.id) is None:
        tx.insert(found)
    before = found.snapshot()
    defaults = params.get("defaults", {})
    if "tax_code" in defaults:
        codes.check(defaults["tax_code"], "defaults[tax_code]")
    found["defaults"] = {**found["defaults"], **defaults}
    if "head_office" in params:
        given = params["head_office"]["address"]
        if not given.get("country"):
            raise ApiError(
                "Missing required param: head_office[address][country].",
                code="parameter_missing",
                param="head_office[address][country]",
            )
        check_country(given["country"], "head_office[address][country]")
        found["head_office"] = {"address": address(given)}
    tx.save(found)
    events.emit(tx, "tax.settings.updated", found, before)
    return found
