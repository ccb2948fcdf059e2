"""What a price is made of, as its parameters say it."""

from decimal import Decimal
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.catalog.rules import check_not_negative, check_one_of
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency
from till_sandbox.state import Resource, Transaction

_AMOUNTS = ("unit_amount", "unit_amount_decimal")
_TIER = ("flat_amount", "flat_amount_decimal", "unit_amount", "unit_amount_decimal", "up_to")
#: The longest time between two payments, in each unit: three years.
_LONGEST_INTERVAL = {"day": 1095, "week": 156, "month": 36, "year": 3}


def build(tx: Transaction, params: dict[str, Any], prefix: str = "") -> Resource:
    """A price that is not stored yet, of the product named by `product`. `prefix` is where the parameters are."""
    tx.get("product", params["product"], param=_at(prefix, "product"), status=400)
    recurring = _recurring(params.get("recurring"), prefix)
    tiered = params.get("billing_scheme") == "tiered"
    custom = params.get("custom_unit_amount") or {}
    if tiered:
        _check_tiers(params, recurring)
    check_one_of(params, *_AMOUNTS, "custom_unit_amount")
    if not tiered and not custom.get("enabled") and not any(name in params for name in _AMOUNTS):
        raise ApiError("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.")
    given = {
        "id": ids.new("price"),
        "active": params.get("active", True),
        "billing_scheme": "tiered" if tiered else "per_unit",
        "currency": check_currency(params["currency"]),
        "custom_unit_amount": {name: custom.get(name) for name in ("maximum", "minimum", "preset")}
        if custom.get("enabled")
        else None,
        "metadata": merged({}, params.get("metadata") or {}),
        "nickname": params.get("nickname"),
        "product": params["product"],
        "recurring": recurring,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": params.get("tiers_mode"),
        "transform_quantity": params.get("transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        **_amount(params, prefix),
    }
    price = objects.new(tx, "price", given, {})
    if "lookup_key" in params:
        take_lookup_key(tx, price, params)
    keep_hidden(price, params)
    return price


def take_lookup_key(tx: Transaction, price: Resource, params: dict[str, Any]) -> None:
    """Give the price the key in `params`. No two prices have the same key, also not while one of them is inactive."""
    key = params["lookup_key"] or None
    holders = [] if key is None else [it for it in tx.all("price", lookup_key=key) if it.id != price.id]
    for holder in holders:
        if not params.get("transfer_lookup_key"):
            raise ApiError(f"A price (`{holder.id}`) already uses that lookup key.", param="lookup_key")
        before = holder.snapshot()
        holder["lookup_key"] = None
        tx.save(holder)
        events.emit(tx, "price.updated", holder, before)
    price["lookup_key"] = key


def _amount(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A fraction of the minor unit has no `unit_amount`."""
    amount: int | None = params.get("unit_amount")
    exact: Decimal | None = params.get("unit_amount_decimal")
    if amount is not None:
        check_not_negative(amount, _at(prefix, "unit_amount"))
        return {"unit_amount": amount, "unit_amount_decimal": str(amount)}
    if exact is None:
        return {"unit_amount": None, "unit_amount_decimal": None}
    if exact < 0:
        raise ApiError("Invalid non-negative decimal", param=_at(prefix, "unit_amount_decimal"))
    whole = int(exact) if exact == exact.to_integral_value() else None
    return {"unit_amount": whole, "unit_amount_decimal": f"{exact.normalize():f}"}


def _recurring(given: dict[str, Any] | None, prefix: str) -> dict[str, Any] | None:
    if not given:
        return None
    if given.get("usage_type") == "metered" and "meter" not in given:
        raise ApiError("Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.")
    count, interval = given.get("interval_count", 1), given["interval"]
    if not 1 <= count <= _LONGEST_INTERVAL[interval]:
        param = _at(prefix, "interval_count")
        raise ApiError(f"Invalid interval_count: from 1 {interval} to at most three years.", param=param)
    return {
        "interval": interval,
        "interval_count": count,
        "meter": given.get("meter"),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _check_tiers(params: dict[str, Any], recurring: dict[str, Any] | None) -> None:
    if recurring is None:
        raise ApiError("Prices with `type=one_time` are not supported with tiered billing.", param="interval")
    for name in ("tiers", "tiers_mode"):
        if not params.get(name):
            raise ApiError(f"Prices with `billing_scheme=tiered` require the `{name}` parameter to be set.", param=name)


def keep_hidden(price: Resource, params: dict[str, Any]) -> None:
    """What is only shown when it is expanded."""
    if "tiers" in params:
        price.private["tiers"] = [_tier(tier) for tier in params["tiers"]]
    if "currency_options" in params:
        options = {check_currency(name): option for name, option in params["currency_options"].items()}
        kept: dict[str, Any] = price.private.setdefault("currency_options", {})
        kept |= {name: _currency_option(option) for name, option in options.items()}


def _tier(given: dict[str, Any]) -> dict[str, Any]:
    tier = {name: given.get(name) for name in _TIER}
    for name in ("flat_amount", "unit_amount"):
        exact = tier[f"{name}_decimal"]
        if tier[name] is not None:
            tier[f"{name}_decimal"] = str(tier[name])
        elif exact is not None:
            tier |= {name: int(exact) if exact == int(exact) else None, f"{name}_decimal": f"{exact.normalize():f}"}
    tier["up_to"] = None if tier["up_to"] == "inf" else tier["up_to"]
    return tier


def _currency_option(given: dict[str, Any]) -> dict[str, Any]:
    custom = given.get("custom_unit_amount")
    shown = {name: custom.get(name) for name in ("maximum", "minimum", "preset")} if custom else None
    return {"custom_unit_amount": shown, "tax_behavior": given.get("tax_behavior", "unspecified"), **_amount(given)}


def _at(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name
