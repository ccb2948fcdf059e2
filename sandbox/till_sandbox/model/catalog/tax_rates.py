"""Tax rates: a percentage that is in a price or comes on top of it."""

import re
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction

_TEXTS = ("country", "description", "jurisdiction", "state", "tax_type")


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new rate. Emits tax_rate.created."""
    percentage = params["percentage"]
    if not 0 <= percentage <= 100 or round(percentage, 4) != percentage:
        raise ApiError("The percentage must be from 0 to 100, with at most four decimals.", param="percentage")
    given = {
        "id": ids.new("txr"),
        "active": params.get("active", True),
        "display_name": params["display_name"],
        "effective_percentage": percentage,
        "inclusive": params["inclusive"],
        "metadata": {},
        "percentage": percentage,
        "rate_type": "percentage",
    }
    rate = objects.new(tx, "tax_rate", given)
    _apply(rate, params)
    tx.insert(rate)
    events.emit(tx, "tax_rate.created", rate)
    return rate


def update(tx: Transaction, rate: Resource, params: dict[str, Any]) -> Resource:
    """Emits tax_rate.updated. What it comes to never changes."""
    before = rate.snapshot()
    for name in ("active", "display_name"):
        if name in params:
            rate[name] = params[name]
    _apply(rate, params)
    tx.save(rate)
    events.emit(tx, "tax_rate.updated", rate, before)
    return rate


def _apply(rate: Resource, params: dict[str, Any]) -> None:
    if params.get("country") and not re.fullmatch("[A-Z]{2}", params["country"]):
        raise ApiError(f"Country '{params['country']}' is unknown.", code="country_code_invalid", param="country")
    rate |= {name: params[name] or None for name in _TEXTS if name in params}
    if "metadata" in params:
        rate["metadata"] = merged(rate["metadata"], params["metadata"])
