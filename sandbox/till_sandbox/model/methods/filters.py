"""The types of payment method an intent takes: of those the account has enabled, what the intent's filters leave."""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model.methods import TYPES
from till_sandbox.state import Resource

#: Parameters that choose among them. The last one pins them, as versions before endive did.
FILTERS = ("allowed_payment_method_types", "excluded_payment_method_types", "payment_method_types")

_DISPLAY_NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}


def choose(intent: Resource, params: dict[str, Any]) -> None:
    """Let the intent take what the filters in `params` leave, beside those it has already."""
    allowed = params.get("allowed_payment_method_types", intent["allowed_payment_method_types"]) or None
    excluded = params.get("excluded_payment_method_types", intent["excluded_payment_method_types"]) or None
    pinned = params.get("payment_method_types") or intent.private.get("pinned")
    left = [
        name
        for name in pinned or allowed or TYPES
        if name in TYPES and name in (allowed or TYPES) and name not in (excluded or ())
    ]
    if not left:
        raise _nothing_left(intent)
    shown = intent["payment_method_options"]
    intent |= {
        "allowed_payment_method_types": allowed,
        "excluded_payment_method_types": excluded,
        "payment_method_types": left,
        "payment_method_options": {name: shown.get(name) or _options(intent, name) for name in left},
    }
    if pinned:
        intent.private["pinned"] = pinned
    if pinned or params.get("automatic_payment_methods", {}).get("enabled") is False:
        intent |= {"automatic_payment_methods": None, "payment_method_configuration_details": None}


def _options(intent: Resource, name: str) -> dict[str, Any]:
    """What an intent shows of a type that it was told nothing about."""
    method = TYPES[name]
    return dict(method.payment_options if intent.kind == "payment_intent" else method.setup_options)


def are_chosen_by(params: dict[str, Any]) -> bool:
    """Whether the parameters have anything to say about it."""
    return any(name in params for name in FILTERS)


def check_taken(intent: Resource, payment_method: Resource) -> None:
    """Stripe's refusal if the intent does not take a PaymentMethod of this type."""
    given, types = payment_method["type"], intent["payment_method_types"]
    if given in types:
        return
    spoken = _DISPLAY_NAMES[intent.kind]
    of_payment = intent.kind == "payment_intent"
    raise ApiError(
        f"The PaymentMethod provided ({given}) is not allowed for this {spoken}. Please attach a PaymentMethod of one "
        f"of the following types: {', '.join(types)}. Alternatively, update the allowed payment_method_types for this "
        f'{spoken} to include "{given}".',
        code="payment_intent_incompatible_payment_method" if of_payment else "setup_intent_invalid_parameter",
        param="payment_method",
    )


def _nothing_left(intent: Resource) -> ApiError:
    if intent.kind == "setup_intent":
        return ApiError("No valid payment method types for this Setup Intent.", code="setup_intent_invalid_parameter")
    return ApiError(
        "No valid payment method types for this Payment Intent. Please ensure that you have activated payment "
        "methods compatible with your chosen currency in your dashboard.",
        code="payment_intent_invalid_parameter",
    )
