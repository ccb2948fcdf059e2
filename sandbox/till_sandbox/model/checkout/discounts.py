"""What is taken off an order: a coupon, given by the account or by the code a customer types."""

from fractions import Fraction
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import objects
from till_sandbox.model.catalog import coupons, promotion_codes
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.checkout.totals import Discount
from till_sandbox.state import Resource, Transaction

#: Where a discount is kept in the private part of a session.
KEPT = "discount"


def given(tx: Transaction, session: Resource, discounts: list[dict[str, Any]]) -> None:
    """Take off what `discounts` says: at most one coupon or code. The session's lines are known."""
    if len(discounts) > 1:
        raise ApiError("You may only specify one discount for a Checkout Session.", param="discounts")
    for discount in discounts:
        check_one_of(discount, "coupon", "promotion_code", param="discounts[0][coupon]")
        if "promotion_code" in discount:
            where = "discounts[0][promotion_code]"
            code = tx.get("promotion_code", discount["promotion_code"], param=where, status=400)
            apply_code(tx, session, code, where)
        elif "coupon" in discount:
            where = "discounts[0][coupon]"
            _apply(tx, session, tx.get("coupon", discount["coupon"], param=where, status=400), None, where)


def apply_code(tx: Transaction, session: Resource, code: Resource, param: str) -> None:
    """Take off what a promotion code is for, in place of any other discount."""
    _check_code(tx, session, code, param)
    coupon = tx.find("coupon", code["promotion"]["coupon"])
    if coupon is None:
        raise _cannot_be_redeemed("its coupon was deleted", param)
    _apply(tx, session, coupon, code, param)


def remove(session: Resource) -> None:
    session.private.pop(KEPT, None)
    session["discounts"] = []


def check_still_good(tx: Transaction, session: Resource) -> None:
    """Somebody else may have used a coupon for the last time, or its time may be over."""
    kept = session.private.get(KEPT)
    if kept is None:
        return
    coupon = tx.find("coupon", kept["coupon"])
    if kept["promotion_code"] is not None:
        _check_code(tx, session, tx.get("promotion_code", kept["promotion_code"]), "promotion_code")
    if coupon is None or not coupon["valid"]:
        raise _used_up(kept["coupon"], "discounts")


def redeem(tx: Transaction, session: Resource) -> None:
    """The order is paid: the coupon was used once more."""
    kept = session.private.get(KEPT)
    if kept is None:
        return
    coupon = tx.find("coupon", kept["coupon"])
    if coupon is not None:
        coupons.redeem(tx, coupon)
    if kept["promotion_code"] is not None:
        promotion_codes.redeem(tx, tx.get("promotion_code", kept["promotion_code"]))


def taken_off(session: Resource) -> Discount | None:
    """What the session's totals are computed with."""
    kept = session.private.get(KEPT)
    if kept is None:
        return None
    percent = kept["percent_off"]
    return Discount(None if percent is None else Fraction(str(percent)), kept["amount_off"] or 0)


def products_of(session: Resource) -> list[str] | None:
    """The products that a discount is for; None for all."""
    products: list[str] | None = session.private.get(KEPT, {}).get("products")
    return products


def shown(tx: Transaction, session: dict[str, Any], kept: dict[str, Any]) -> Resource:
    """The discount as an object."""
    said = {
        "id": kept["id"],
        "checkout_session": session["id"],
        "customer": session["customer"],
        "promotion_code": kept["promotion_code"],
        "source": {"coupon": kept["coupon"], "type": "coupon"},
        "start": session["created"],
    }
    return objects.new(tx, "discount", said)


def _apply(tx: Transaction, session: Resource, coupon: Resource, code: Resource | None, param: str) -> None:
    if not coupon["valid"]:
        raise _used_up(coupon["id"], param)
    amount = coupons.amount_off(coupon, session["currency"])
    if amount is None and coupon["percent_off"] is None:
        raise ApiError(
            f"The coupon {coupon['id']} takes nothing off in {session['currency']}, the currency of this Checkout "
            "Session.",
            param=param,
        )
    products = coupon.private.get("products")
    bought = {tx.get("item", line)["price"]["product"] for line in session.private["lines"]}
    if products and not bought.intersection(products):
        raise ApiError(f"The coupon {coupon['id']} applies to nothing in this Checkout Session.", param=param)
    session.private[KEPT] = {
        "id": ids.new("di"),
        "amount_off": amount,
        "coupon": coupon["id"],
        "percent_off": coupon["percent_off"],
        "products": products,
        "promotion_code": code.id if code is not None else None,
    }
    session["discounts"] = [
        {"coupon": coupon["id"] if code is None else None, "promotion_code": code.id if code is not None else None}
    ]


def _check_code(tx: Transaction, session: Resource, code: Resource, param: str) -> None:
    """Refuse a code that this order cannot have."""
    most = code["max_redemptions"]
    if most is not None and code["times_redeemed"] >= most:
        raise _cannot_be_redeemed("it has been used the maximum number of times", param)
    if code["expires_at"] is not None and code["expires_at"] <= tx.now:
        raise _cannot_be_redeemed("it has expired", param)
    if not code["active"]:
        raise _cannot_be_redeemed("it is not active", param)
    if code["customer"] not in (None, session["customer"]):
        raise _cannot_be_redeemed("it belongs to another customer", param)
    least = promotion_codes.least_amount(code, session["currency"])
    if least is not None and session["amount_subtotal"] < least:
        raise _cannot_be_redeemed("the order does not reach its minimum amount", param)
    if code["restrictions"]["first_time_transaction"] and _has_paid_before(tx, session["customer"]):
        raise _cannot_be_redeemed("the associated customer has prior transactions", param)


def _has_paid_before(tx: Transaction, customer: str | None) -> bool:
    return customer is not None and any(charge["paid"] for charge in tx.all("charge", customer=customer))


def _cannot_be_redeemed(reason: str, param: str) -> ApiError:
    return ApiError(f"This promotion code cannot be redeemed because {reason}.", param=param)


def _used_up(coupon: str, param: str) -> ApiError:
    return ApiError(f"Coupon expired: {coupon}", code="coupon_expired", param=param)
