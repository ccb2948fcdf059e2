"""What the page of a Checkout Session says. It has words of its own for declines, which are not the API's.

Source of the sentences for 0002, 9995 and 0069: public test suites of Stripe's page. The others are in their manner.
"""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model import money
from till_sandbox.model.checkout.changes import Shown
from till_sandbox.state import Resource

_CREDIT = "Your credit card was declined"
_DEBIT_INSTEAD = "Try paying with a debit card instead."
#: By decline code, or else by code.
_DECLINES = {
    "insufficient_funds": f"{_CREDIT} because of insufficient funds. {_DEBIT_INSTEAD}",
    "expired_card": "Your card is expired. Try a different card.",
    "incorrect_cvc": "Your card’s security code is incorrect.",
    "invalid_cvc": "Your card’s security code is incorrect.",
    "incorrect_number": "Your card number is invalid.",
    "invalid_number": "Your card number is invalid.",
    "invalid_expiry_month": "Your card’s expiration date is invalid.",
    "invalid_expiry_year": "Your card’s expiration date is invalid.",
    "processing_error": "There was an error processing your card. Try again in a little bit.",
}
_AUTHENTICATION = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
_SUBMIT = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}
_UNITS = {"business_day": "business day", "day": "day", "hour": "hour", "month": "month", "week": "week"}


def refusal_text(refusal: ApiError) -> str:
    """Why it was not paid, for the customer."""
    if refusal.status == 402:
        return _decline(refusal.details.get("decline_code"), refusal.code)
    return refusal.message


def failure_text(intent: Resource | None) -> str:
    """The same after the bank was asked: why the intent waits for another card."""
    error: dict[str, Any] = {}
    if intent is not None:
        error = intent["last_setup_error" if intent.kind == "setup_intent" else "last_payment_error"] or {}
    if str(error.get("code", "")).endswith("authentication_failure") or not error:
        return _AUTHENTICATION
    return _decline(error.get("decline_code"), error["code"])


def is_closed(refusal: ApiError) -> bool:
    """Whether it was refused because the session is not open any more."""
    return refusal.message.startswith("Only Checkout Sessions with a status in")


def is_due(session: Resource, bought: list[Resource]) -> bool:
    """Whether a card is needed: also while the customer is still to say how much they pay."""
    chosen = any(line["price"]["custom_unit_amount"] for line in bought)
    return session["mode"] == "setup" or chosen or session["amount_total"] > 0


def submit_text(session: Resource, bought: list[Resource]) -> str:
    """What the button says."""
    if session["mode"] == "setup":
        return "Save card"
    if not is_due(session, bought):
        return "Complete order"
    return _SUBMIT.get(session["submit_type"] or "", "Pay")


def amount(value: int, session: Resource) -> str:
    """In the session's currency."""
    return money.named_text(value, session["currency"])


def sums(shown: Shown) -> list[dict[str, Any]]:
    """What is between the lines and the total: each with the name that tests of Stripe's page find it by."""
    session, details = shown.session, shown.session["total_details"]
    if session["mode"] == "setup":
        return []
    found = [_sum("Subtotal", session["amount_subtotal"], session, "order-details-footer-subtotal-amount")]
    if details["amount_discount"]:
        found.append(_sum(_off(shown), -details["amount_discount"], session, "order-details-discount-amount"))
    if session["shipping_cost"]:
        chosen = session["shipping_cost"]["shipping_rate"]
        name = next(rate["display_name"] for rate in shown.rates if rate.id == chosen)
        cost = _sum(f"Shipping ({name})", details["amount_shipping"], session, "order-details-shipping-amount")
        found.append(cost if details["amount_shipping"] else {**cost, "amount": "Free"})
    for rate, tax in shown.taxes:
        share = f"{rate['percentage']:g}%"
        label = f"{rate['display_name']} ({share}{' inclusive' if rate['inclusive'] else ''})"
        found.append(_sum(label, tax, session, "order-details-tax-amount"))
    return found if len(found) > 1 or len(shown.lines) > 1 else []


def estimate(given: dict[str, Any] | None) -> str | None:
    """How long delivery takes, as in "2-5 business days"."""
    if not given:
        return None
    least, most = given["minimum"], given["maximum"]
    if least and most and least["unit"] == most["unit"]:
        return f"{least['value']}–{_time(most)}"
    if least and most:
        return f"{_time(least)} to {_time(most)}"
    return f"At least {_time(least)}" if least else f"Up to {_time(most)}"


def _decline(decline_code: str | None, code: str | None) -> str:
    """Every test card that is declined is a credit card."""
    return _DECLINES.get(decline_code or "") or _DECLINES.get(code or "") or f"{_CREDIT}. {_DEBIT_INSTEAD}"


def _off(shown: Shown) -> str:
    coupon = shown.coupon
    if coupon is None:
        return "Discount"
    return coupon["name"] or (f"{coupon['percent_off']:g}% off" if coupon["percent_off"] else "Discount")


def _sum(label: str, value: int, session: Resource, test_id: str) -> dict[str, Any]:
    sign = "−" if value < 0 else ""
    return {"label": label, "amount": sign + amount(abs(value), session), "test_id": test_id}


def _time(given: dict[str, Any]) -> str:
    return f"{given['value']} {_UNITS[given['unit']]}{'' if given['value'] == 1 else 's'}"
