"""/v1/payment_intents"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.resources.payment_methods import raw_number
from till_sandbox.api.search import search as find
from till_sandbox.errors import ApiError
from till_sandbox.model import confirmation, confirmation_tokens, payment_intents
from till_sandbox.model.checkout import ownership
from till_sandbox.model.methods.filters import FILTERS
from till_sandbox.state import Resource

#: Parameters of create that say how to confirm.
_OF_CONFIRMATION = ("confirmation_token", "error_on_requires_action", "off_session", "return_url", "use_stripe_sdk")


def create(call: Call) -> Resource:
    check_method_given(call)
    params = dict(call.params)
    if not params.pop("confirm", False):
        for name in _OF_CONFIRMATION:
            if params.get(name):
                raise ApiError(
                    f"You can only pass `{name}` when creating a PaymentIntent if `confirm` is true.",
                    code="payment_intent_invalid_parameter",
                    param=name,
                )
        return payment_intents.create(call.tx, params)
    paying: dict[str, Any] = {
        name: params.pop(name) for name in ("payment_method", "payment_method_data") if name in params
    }
    intent = payment_intents.create(call.tx, params)
    how = {name: params[name] for name in _OF_CONFIRMATION if name in params}
    return confirmation.confirm(call.tx, intent, with_token(call, intent, {**paying, **how}))


def retrieve(call: Call) -> Resource:
    return _intent(call)


def update(call: Call) -> Resource:
    intent = _intent(call)
    check_method_given(call)
    return payment_intents.update(call.tx, intent, call.params)


def confirm(call: Call) -> Resource:
    intent = _intent(call)
    ownership.check_not_of_checkout(call.tx, intent)
    check_method_given(call)
    if call.principal.publishable and intent["confirmation_method"] == "manual":
        raise payment_intents.unexpected(
            "This PaymentIntent's `confirmation_method` is `manual`: it can only be confirmed with a secret API key."
        )
    return confirmation.confirm(call.tx, intent, with_token(call, intent, call.params))


def cancel(call: Call) -> Resource:
    intent = _intent(call)
    ownership.check_not_of_checkout(call.tx, intent)
    return payment_intents.cancel(call.tx, intent, call.params.get("cancellation_reason"))


def capture(call: Call) -> Resource:
    return payment_intents.capture(call.tx, _intent(call), call.params)


def list_all(call: Call) -> Listing:
    customer = call.params.get("customer")
    if customer is not None:
        call.tx.get("customer", customer, param="customer", status=400)
    return listing(call, "payment_intent", {"customer": customer})


def search(call: Call) -> dict[str, Any]:
    return find(call, "payment_intent")


def check_method_given(call: Call) -> None:
    """Card numbers come from browsers only, what types are taken from servers only."""
    filters = [name for name in FILTERS if name in call.params]
    if filters and call.principal.publishable:
        raise ApiError(f"`{filters[0]}` can only be given with a secret API key.", param=filters[0])
    given = call.params.get("payment_method_data", {}).get("card") or {}
    if "number" in given and not call.principal.publishable:
        raise raw_number()


def with_token(call: Call, intent: Resource, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a confirmation with what a ConfirmationToken among them stands for.

    Refuses an intent that is not for what the page said it would be for.
    """
    said = {name: value for name, value in params.items() if name != confirmation_tokens.CONTEXT}
    confirmation_tokens.check_context(intent, params.get(confirmation_tokens.CONTEXT) or {})
    return confirmation_tokens.use(call.tx, intent, said) if "confirmation_token" in said else said


def _intent(call: Call) -> Resource:
    intent = call.tx.get("payment_intent", call.ids["intent"], param="intent")
    check_client_secret(call, intent)
    return intent


def check_client_secret(call: Call, intent: Resource) -> None:
    """A browser must show that it was given this intent.

    First of all checks: every later refusal shows the intent, and with it the secret.
    """
    given: Any = call.params.pop("client_secret", None)
    if given == intent["client_secret"] or (given is None and not call.principal.publishable):
        return
    if given is None:
        raise ApiError("Missing required param: client_secret.", code="parameter_missing", param="client_secret")
    raise ApiError(
        f"The client_secret provided does not match the client_secret associated with this {_display_name(intent)}.",
        code=f"{intent.kind}_invalid_parameter",
        param="client_secret",
    )


def _display_name(intent: Resource) -> str:
    return "PaymentIntent" if intent.kind == "payment_intent" else "SetupIntent"
