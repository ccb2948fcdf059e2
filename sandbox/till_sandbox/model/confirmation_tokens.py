"""ConfirmationTokens: what a customer typed into a page, kept until the server confirms an intent with it.

A token is good for one confirmation. What it stands for is a PaymentMethod that nobody knows the id of before then.
"""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_param
from till_sandbox.model import objects, payment_methods
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.details import check_url, shipping
from till_sandbox.state import Resource, Transaction

KIND = "confirmation_token"
#: Seconds it is good for (Stripe's sample object).
GOOD_FOR = 12 * 60 * 60
#: What a page said about the amount when it collected the card; the intent must agree. In the private part.
CONTEXT = "client_context"
#: What of a PaymentMethod its preview shows, beside what its type has.
_PREVIEWED = ("allow_redisplay", "billing_details", "customer", "customer_account", "type")


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new token for a card that was typed, or for a PaymentMethod there is. No event tells of it."""
    check_one_of(params, "payment_method", "payment_method_data", param="payment_method")
    if "payment_method_data" in params:
        chosen = payment_methods.create(tx, params["payment_method_data"])
    elif "payment_method" in params:
        chosen = payment_methods.resolve(tx, params["payment_method"])
    else:
        raise missing_param("payment_method_data")
    name = chosen["type"]
    preview = {**{field: chosen.get(field) for field in _PREVIEWED}, name: chosen[name]}
    given = {
        "id": f"ctoken_1{ids.random_text(23)}",
        "expires_at": tx.now + GOOD_FOR,
        "payment_method_options": {"card": {"cvc_token": None}} if name == "card" else None,
        "payment_method_preview": dict(sorted(preview.items())),
        "return_url": check_url(params["return_url"], "return_url") if "return_url" in params else None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": _shipping(params),
        "use_stripe_sdk": True,
    }
    private = {"payment_method": chosen.id, CONTEXT: params.get(CONTEXT) or {}}
    return tx.insert(objects.new(tx, KIND, given, private))


def use(tx: Transaction, intent: Resource, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a confirmation with what the token in them stands for. The token is used up by it.

    What the parameters say themselves goes before what the token has.
    """
    check_one_of(params, "confirmation_token", "payment_method", param="confirmation_token")
    check_one_of(params, "confirmation_token", "payment_method_data", param="confirmation_token")
    token = tx.get(KIND, params["confirmation_token"], param=KIND, status=400)
    _check_good(tx, token)
    check_context(intent, token.private[CONTEXT])
    token |= {intent.kind: intent.id, "expires_at": None}
    tx.save(token)
    has = {name: token[name] for name in ("return_url", "use_stripe_sdk") if token[name]}
    if intent.kind == "payment_intent":
        has |= {name: token[name] for name in ("setup_future_usage", "shipping") if token[name]}
    own = {name: value for name, value in params.items() if name != KIND}
    return {**has, "payment_method": token.private["payment_method"], **own}


def check_context(intent: Resource, context: dict[str, Any]) -> None:
    """Refuse an intent that is not for what the page said when it asked for the card."""
    names = ("amount", "currency", "capture_method", "setup_future_usage")
    for name in names if intent.kind == "payment_intent" else ():
        said = context.get(name)
        if said is not None and str(said) != str(intent[name]):
            raise ApiError(
                f"The provided {name} ({said}) does not match the expected {name} ({intent[name]}).",
                code="payment_intent_invalid_parameter",
                param=name,
            )
    if context.get("mode") == ("setup" if intent.kind == "payment_intent" else "payment"):
        spoken = "PaymentIntent" if intent.kind == "payment_intent" else "SetupIntent"
        raise ApiError(f"The provided mode ({context['mode']}) does not match a {spoken}.", param="mode")


def _check_good(tx: Transaction, token: Resource) -> None:
    used = token["payment_intent"] or token["setup_intent"]
    if used is not None:
        raise ApiError(
            f"This ConfirmationToken has already been used to confirm {used}. It can be used once only: create "
            "another one.",
            param=KIND,
        )
    if token["expires_at"] <= tx.now:
        raise ApiError("This ConfirmationToken has expired. Create another one.", param=KIND)


def _shipping(params: dict[str, Any]) -> dict[str, Any] | None:
    """Fewer fields than an intent's own has."""
    said = shipping(params.get("shipping"))
    return None if said is None else {name: said[name] for name in ("address", "name", "phone")}
