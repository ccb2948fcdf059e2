"""Shipping rates: what delivery costs and how long it takes."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model import objects
from till_sandbox.model.catalog.rules import check_not_negative
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency
from till_sandbox.state import Resource, Transaction


def create(tx: Transaction, params: dict[str, Any], prefix: str = "") -> Resource:
    """A new rate. No event tells of it. `prefix` is where the parameters are."""
    fixed = params.get("fixed_amount")
    if fixed is None:
        raise missing_param(f"{prefix}[fixed_amount]" if prefix else "fixed_amount")
    check_not_negative(fixed["amount"], f"{prefix}[fixed_amount][amount]" if prefix else "fixed_amount[amount]")
    estimate = params.get("delivery_estimate")
    given = {
        "id": ids.new("shr"),
        "active": True,
        "delivery_estimate": {name: estimate.get(name) for name in ("maximum", "minimum")} if estimate else None,
        "display_name": params["display_name"],
        "fixed_amount": {"amount": fixed["amount"], "currency": check_currency(fixed["currency"])},
        "metadata": merged({}, params.get("metadata") or {}),
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tax_code": params.get("tax_code"),
        "type": "fixed_amount",
    }
    private = {"currency_options": fixed.get("currency_options", {})}
    return tx.insert(objects.new(tx, "shipping_rate", given, private))


def update(tx: Transaction, rate: Resource, params: dict[str, Any]) -> Resource:
    if "active" in params:
        rate["active"] = params["active"]
    if params.get("tax_behavior", rate["tax_behavior"]) != rate["tax_behavior"]:
        if rate["tax_behavior"] != "unspecified":
            raise ApiError("You cannot change `tax_behavior` once it has been set.", param="tax_behavior")
        rate["tax_behavior"] = params["tax_behavior"]
    if "metadata" in params:
        rate["metadata"] = merged(rate["metadata"], params["metadata"])
    options = params.get("fixed_amount", {}).get("currency_options", {})
    rate.private["currency_options"] = {**rate.private["currency_options"], **options}
    return tx.save(rate)


def amount(rate: Resource, currency: str) -> int | None:
    """What it costs in a currency; None where it has no price in it."""
    fixed = rate["fixed_amount"]
    if fixed["currency"] == currency:
        return int(fixed["amount"])
    option = rate.private["currency_options"].get(currency)
    return None if option is None else int(option["amount"])
