"""/v1/setup_intents and /v1/setup_attempts"""

from typing import Any, NoReturn

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.resources.payment_intents import check_client_secret, check_method_given, with_token
from till_sandbox.model import setup_intents
from till_sandbox.model.checkout import ownership
from till_sandbox.state import Resource

#: Parameters of create that only mean something to the confirmation.
_OF_CONFIRMATION = ("confirmation_token", "return_url", "use_stripe_sdk")


def create(call: Call) -> Resource:
    check_method_given(call)
    params = dict(call.params)
    if not params.pop("confirm", False):
        return setup_intents.create(call.tx, params)
    paying: dict[str, Any] = {
        name: params.pop(name) for name in ("payment_method", "payment_method_data") if name in params
    }
    intent = setup_intents.create(call.tx, params)
    how = {name: params[name] for name in _OF_CONFIRMATION if name in params}
    return setup_intents.confirm(call.tx, intent, with_token(call, intent, {**paying, **how}))


def retrieve(call: Call) -> Resource:
    return _intent(call)


def update(call: Call) -> Resource:
    intent = _intent(call)
    check_method_given(call)
    return setup_intents.update(call.tx, intent, call.params)


def confirm(call: Call) -> Resource:
    intent = _intent(call)
    ownership.check_not_of_checkout(call.tx, intent)
    check_method_given(call)
    return setup_intents.confirm(call.tx, intent, with_token(call, intent, call.params))


def cancel(call: Call) -> Resource:
    intent = _intent(call)
    ownership.check_not_of_checkout(call.tx, intent)
    return setup_intents.cancel(call.tx, intent, call.params.get("cancellation_reason"))


def verify_microdeposits(call: Call) -> NoReturn:
    """Always refused: no card is verified by small deposits."""
    setup_intents.refuse_microdeposits(_intent(call))


def list_all(call: Call) -> Listing:
    params = call.params
    names = ("customer", "payment_method")
    for name in names:
        if name in params:
            call.tx.get(name, params[name], param=name, status=400)
    return listing(call, "setup_intent", {name: params.get(name) for name in names})


def list_attempts(call: Call) -> Listing:
    intent = call.tx.get("setup_intent", call.params["setup_intent"], param="setup_intent", status=400)
    return listing(call, "setup_attempt", {"setup_intent": intent.id})


def _intent(call: Call) -> Resource:
    intent = call.tx.get("setup_intent", call.ids["intent"], param="intent")
    check_client_secret(call, intent)
    return intent
