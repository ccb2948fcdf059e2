"""Coupons: a part or an amount off."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.catalog.rules import (
    check_at_least_one,
    check_future,
    check_one_of,
    claim,
    require,
)
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency
from till_sandbox.state import Resource, Transaction
from till_sandbox.state.names import stored_name

LONGEST_NAME = 40


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new coupon. Emits coupon.created."""
    _check(tx, params)
    chosen = params.get("id")
    coupon_id = chosen or ids.random_text(8)
    name = claim(tx, "coupon", coupon_id) if chosen else stored_name(tx.account, "coupon", coupon_id)
    applies_to = params.get("applies_to", {}).get("products", [])
    require(tx, "product", applies_to, "applies_to[products]")
    private: dict[str, Any] = {"stored_as": name, "currency_options": params.get("currency_options", {})}
    if applies_to:
        private["products"] = applies_to
    given = {
        "id": coupon_id,
        "amount_off": params.get("amount_off"),
        "currency": check_currency(params["currency"]) if "amount_off" in params else None,
        "duration": params.get("duration", "once"),
        "duration_in_months": params.get("duration_in_months"),
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged({}, params.get("metadata") or {}),
        "name": params.get("name") or None,
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "valid": True,
    }
    coupon = tx.insert(objects.new(tx, "coupon", given, private))
    if "redeem_by" in params:
        tx.schedule_at(params["redeem_by"], "end_coupon", coupon.id)
    events.emit(tx, "coupon.created", coupon)
    return coupon


def update(tx: Transaction, coupon: Resource, params: dict[str, Any]) -> Resource:
    """Emits coupon.updated."""
    before = coupon.snapshot()
    if "name" in params:
        coupon["name"] = _name(params["name"])
    if "metadata" in params:
        coupon["metadata"] = merged(coupon["metadata"], params["metadata"])
    if "currency_options" in params:
        if coupon["amount_off"] is None:
            raise ApiError("Only a coupon with an amount can have currency options.", param="currency_options")
        coupon.private["currency_options"] = {**coupon.private["currency_options"], **params["currency_options"]}
    tx.save(coupon)
    events.emit(tx, "coupon.updated", coupon, before)
    return coupon


def delete(tx: Transaction, coupon: Resource) -> dict[str, Any]:
    """It can be used no more; who has it keeps it. Emits coupon.deleted with the coupon, no longer valid."""
    coupon["valid"] = False
    tx.save(coupon)
    events.emit(tx, "coupon.deleted", coupon)
    tx.delete(coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def end(tx: Transaction, coupon: Resource) -> None:
    """The time to use it by has come."""
    coupon["valid"] = False
    tx.save(coupon)


def redeem(tx: Transaction, coupon: Resource) -> None:
    """Used once more. After the last time it is no longer valid."""
    coupon["times_redeemed"] += 1
    if coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]:
        coupon["valid"] = False
    tx.save(coupon)


def amount_off(coupon: Resource, currency: str) -> int | None:
    """What it takes off in a currency; None for one that takes off a part, or nothing in that currency."""
    if coupon["currency"] == currency:
        return int(coupon["amount_off"])
    option = coupon.private["currency_options"].get(currency)
    return None if option is None else int(option["amount_off"])


def _check(tx: Transaction, params: dict[str, Any]) -> None:
    if "percent_off" in params and "amount_off" in params:
        raise ApiError("Received both percent_off and amount_off parameters. Please pass in only one.")
    if "percent_off" not in params and "amount_off" not in params:
        raise ApiError("Must provide percent_off or amount_off.", code="parameter_missing")
    check_one_of(params, "currency_options", "percent_off")
    if "amount_off" in params:
        check_at_least_one(params["amount_off"], "amount_off")
        if "currency" not in params:
            raise ApiError("You must pass currency when passing amount_off", param="currency")
    elif params["percent_off"] < 0.01:
        raise ApiError(
            f"This value must be greater than or equal to 0.01 (it currently is '{params['percent_off']}').",
            param="percent_off",
        )
    elif params["percent_off"] > 100:
        raise ApiError(
            f"This value must be less than or equal to 100 (it currently is '{params['percent_off']}').",
            param="percent_off",
        )
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        raise ApiError(
            "The duration_in_months param must be set when creating a coupon with a repeating duration"
            if params.get("duration") == "repeating"
            else "The duration_in_months param can only be set when creating a coupon with a repeating duration",
            param="duration",
        )
    if "max_redemptions" in params:
        check_at_least_one(params["max_redemptions"], "max_redemptions")
    if "redeem_by" in params:
        check_future(tx, params["redeem_by"], "redeem_by")
    _name(params.get("name"))


def _name(name: str | None) -> str | None:
    if name and len(name) > LONGEST_NAME:
        raise ApiError(f"Invalid string: {name[:10]}...; must be at most {LONGEST_NAME} characters", param="name")
    return name or None
