"""Promotion codes: what a customer types to get a coupon."""

import re
import secrets
import string
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.catalog.rules import check_at_least_one, check_future
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency
from till_sandbox.state import Resource, Transaction

_PATTERN = r"[a-zA-Z0-9\-_]+"


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new code for a coupon. Emits promotion_code.created."""
    coupon_id = params["promotion"].get("coupon")
    if coupon_id is None:
        raise ApiError("You must pass promotion.coupon when passing promotion", param="promotion.coupon")
    coupon = tx.get("coupon", coupon_id, param="promotion[coupon]", status=400)
    if "customer" in params:
        tx.get("customer", params["customer"], param="customer", status=400)
    if "expires_at" in params:
        check_future(tx, params["expires_at"], "expires_at")
    if "max_redemptions" in params:
        check_at_least_one(params["max_redemptions"], "max_redemptions")
    code = params.get("code") or "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8))
    active = params.get("active", True)
    _check_code(tx, code, active=active)
    given = {
        "id": ids.new("promo"),
        "active": active and coupon["valid"],
        "code": code,
        "customer": params.get("customer"),
        "expires_at": params.get("expires_at"),
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged({}, params.get("metadata") or {}),
        "promotion": {"coupon": coupon_id, "type": "coupon"},
        "restrictions": _restrictions(params.get("restrictions", {})),
    }
    options = params.get("restrictions", {}).get("currency_options", {})
    promotion_code = tx.insert(objects.new(tx, "promotion_code", given, {"currency_options": options}))
    if "expires_at" in params:
        tx.schedule_at(params["expires_at"], "end_promotion_code", promotion_code.id)
    events.emit(tx, "promotion_code.created", promotion_code)
    return promotion_code


def update(tx: Transaction, promotion_code: Resource, params: dict[str, Any]) -> Resource:
    """Emits promotion_code.updated. It cannot become active again once its coupon is not valid any more."""
    before = promotion_code.snapshot()
    if "active" in params:
        if params["active"] and not promotion_code["active"]:
            _check_usable(tx, promotion_code)
            _check_code(tx, promotion_code["code"], active=True)
        promotion_code["active"] = params["active"]
    if "metadata" in params:
        promotion_code["metadata"] = merged(promotion_code["metadata"], params["metadata"])
    options = params.get("restrictions", {}).get("currency_options", {})
    promotion_code.private["currency_options"] = {**promotion_code.private["currency_options"], **options}
    tx.save(promotion_code)
    events.emit(tx, "promotion_code.updated", promotion_code, before)
    return promotion_code


def end(tx: Transaction, promotion_code: Resource) -> None:
    """The time to use it by has come."""
    promotion_code["active"] = False
    tx.save(promotion_code)


def redeem(tx: Transaction, promotion_code: Resource) -> None:
    """Used once more. After the last time it is no longer active."""
    promotion_code["times_redeemed"] += 1
    most = promotion_code["max_redemptions"]
    if most is not None and promotion_code["times_redeemed"] >= most:
        promotion_code["active"] = False
    tx.save(promotion_code)


def find_active(tx: Transaction, code: str) -> Resource | None:
    """The active one that a customer means; capitals make no difference."""
    same = (" AND lower(json_extract(body, '$.code')) = ?", (code.strip().lower(),))
    found = tx.page("promotion_code", limit=1, equal={"active": True}, also=same).data
    return found[0] if found else None


def least_amount(promotion_code: Resource, currency: str) -> int | None:
    """What an order in that currency must come to, if anything."""
    restrictions = promotion_code["restrictions"]
    if restrictions["minimum_amount_currency"] == currency:
        return int(restrictions["minimum_amount"])
    amount = promotion_code.private["currency_options"].get(currency, {}).get("minimum_amount")
    return None if amount is None else int(amount)


def _check_usable(tx: Transaction, promotion_code: Resource) -> None:
    coupon = tx.find("coupon", promotion_code["promotion"]["coupon"])
    most = promotion_code["max_redemptions"]
    over = promotion_code["expires_at"] is not None and promotion_code["expires_at"] <= tx.now
    if coupon is None or not coupon["valid"] or over or (most is not None and promotion_code["times_redeemed"] >= most):
        raise ApiError("This promotion code cannot be activated because it or its coupon is not valid any more.")


def _check_code(tx: Transaction, code: str, *, active: bool) -> None:
    if not re.fullmatch(_PATTERN, code):
        raise ApiError(
            f"This value must match the regex pattern. (/\\A{_PATTERN}\\z/ does not match for the value {code}).",
            param="code",
        )
    if active and find_active(tx, code) is not None:
        raise ApiError(f"An active promotion code with `code: {code}` already exists.")


def _restrictions(given: dict[str, Any]) -> dict[str, Any]:
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        missing = "minimum_amount_currency" if "minimum_amount" in given else "minimum_amount"
        raise ApiError(f"You must pass restrictions.{missing}", param=f"restrictions[{missing}]")
    currency = given.get("minimum_amount_currency")
    return {
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": given.get("minimum_amount"),
        "minimum_amount_currency": check_currency(currency) if currency else None,
    }
