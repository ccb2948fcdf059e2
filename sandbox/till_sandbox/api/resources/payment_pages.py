"""/v1/payment_pages: what Stripe.js asks of a Checkout Session that is paid on a page of the shop's own.

Nothing of it is in Stripe's documentation; only Stripe.js calls it, with the client secret of the session.
"""

from typing import Any

from till_sandbox.api.call import Call
from till_sandbox.api.parameters import spec_of
from till_sandbox.errors import ApiError
from till_sandbox.model.checkout import changes, inline, paying, sessions
from till_sandbox.model.checkout.paying import Said
from till_sandbox.state import Resource

_STRING: dict[str, Any] = {"type": "string"}
_PLACE: dict[str, Any] = {"type": "map"}
_CONTACT: dict[str, Any] = {"type": "object", "fields": {"address": _PLACE, "name": _STRING}}

RETRIEVE: dict[str, Any] = {}
UPDATE: dict[str, Any] = {
    "line_item": _STRING,
    "promotion_code": {**_STRING, "clearable": True},
    "quantity": {"type": "integer"},
    "shipping_rate": _STRING,
}
CONFIRM: dict[str, Any] = {
    "billing_address": _CONTACT,
    "email": _STRING,
    "payment_method": _STRING,
    "payment_method_data": {
        "type": "object",
        "fields": {
            "allow_redisplay": _STRING,
            "billing_details": spec_of("PaymentMethodCreateParams")["billing_details"],
        },
    },
    "phone": _STRING,
    "shipping_address": _CONTACT,
}


def retrieve(call: Call) -> dict[str, Any]:
    """The session as the page shows it."""
    return _shown(call, _session(call))


def update(call: Call) -> dict[str, Any]:
    """Use a code (an empty one takes it back), another quantity, another way to deliver."""
    session, params = _session(call), call.params
    if "promotion_code" in params:
        _change_code(call, session, params["promotion_code"])
    if "line_item" in params:
        changes.make(call.tx, session, changes.set_quantity(params["line_item"], params.get("quantity", 0)))
    if "shipping_rate" in params:
        changes.make(call.tx, session, changes.choose_shipping(params["shipping_rate"]))
    return _shown(call, session)


def confirm(call: Call) -> dict[str, Any]:
    """Pay. A card that asks is waiting for its challenge afterwards, at the address in `stripe_js`."""
    session, params = _session(call), call.params
    billing, shipping = params.get("billing_address") or {}, params.get("shipping_address") or {}
    typed = params.get("payment_method_data", {}).get("billing_details") or {}
    said = Said(
        method={name: params[name] for name in ("payment_method", "payment_method_data") if name in params},
        email=params.get("email"),
        name=billing.get("name") or typed.get("name"),
        phone=params.get("phone"),
        address=billing.get("address") or typed.get("address"),
        shipping_name=shipping.get("name"),
        shipping_address=shipping.get("address"),
        accepts_terms=True,
    )
    paying.pay(call.tx, session, said)
    return _shown(call, session)


def _change_code(call: Call, session: Resource, code: str | None) -> None:
    """A refusal has the code that Stripe.js tells the page."""
    try:
        changes.make(call.tx, session, changes.use_code(code) if code else changes.remove_code())
    except ApiError as refusal:
        insufficient = "minimum amount" in refusal.message
        refusal.code = "promotionCodeAmountInsufficient" if insufficient else "invalidCode"
        raise


def _shown(call: Call, session: Resource) -> dict[str, Any]:
    intent = paying.intent_of(call.tx, session)
    waiting = intent is not None and intent["status"] == "requires_action"
    return {
        "object": "payment_page",
        "due": session["mode"] == "setup" or session["amount_total"] > 0,
        "return_url": session["return_url"],
        "session": inline.as_stripe_js_has_it(call.tx, changes.shown(call.tx, session)),
        "stripe_js": intent["next_action"]["use_stripe_sdk"]["stripe_js"] if intent is not None and waiting else None,
    }


def _session(call: Call) -> Resource:
    """The session, whose client secret the page must know."""
    session = call.tx.get(sessions.KIND, call.ids["session"], param="session")
    given = call.params.pop("client_secret", None)
    if given is None or given != session["client_secret"]:
        raise ApiError(
            "The client_secret provided does not match the client_secret associated with this Checkout Session.",
            param="client_secret",
        )
    if session["ui_mode"] != "elements":
        raise ApiError(
            f"Elements cannot be used with a Checkout Session whose `ui_mode` is `{session['ui_mode']}`: create it "
            "with `ui_mode` `elements`.",
            param="ui_mode",
        )
    return session
