"""SetupIntents: saving a card for later. Each try is a setup attempt."""

from typing import Any, NoReturn

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import challenges, declines, events, followers, objects, payment_methods
from till_sandbox.model.details import check_url
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import filters, type_of
from till_sandbox.state import Resource, Transaction

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(tx: Transaction, params: dict[str, Any], owner: Resource | None = None) -> Resource:
    """A new SetupIntent. Emits setup_intent.created. `owner`: what it belongs to (`model.followers`)."""
    if "customer" in params:
        tx.get("customer", params["customer"], param="customer", status=400)
    intent = _blank(tx, params)
    if owner is not None:
        followers.belong_to(intent, owner)
    filters.choose(intent, params)
    _apply(intent, params)
    if "payment_method_data" in params:
        _set_payment_method(tx, intent, payment_methods.create(tx, params["payment_method_data"]))
    elif "payment_method" in params:
        _set_payment_method(tx, intent, payment_methods.resolve(tx, params["payment_method"]))
    tx.insert(intent)
    events.emit(tx, "setup_intent.created", intent)
    return intent


def update(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """Change what may still be changed in its state. A `payment_method` of None unsets it."""
    fixed = ("payment_method", "payment_method_data", "customer", *filters.FILTERS)
    if intent["status"] not in OPEN and any(name in params for name in fixed):
        done = "has already succeeded" if intent["status"] == "succeeded" else "has been canceled"
        raise _unexpected(f"You cannot update this SetupIntent because it {done}.")
    if "customer" in params:
        tx.get("customer", params["customer"], param="customer", status=400)
        intent["customer"] = params["customer"]
    if filters.are_chosen_by(params):
        filters.choose(intent, params)
    _apply(intent, params)
    _update_payment_method(tx, intent, params)
    return tx.save(intent)


def _update_payment_method(tx: Transaction, intent: Resource, params: dict[str, Any]) -> None:
    """The one given, none if it is unset, or the one there was if the intent still takes it."""
    wanted = params.get("payment_method", intent["payment_method"])
    if "payment_method_data" in params:
        _set_payment_method(tx, intent, payment_methods.create(tx, params["payment_method_data"]))
    elif wanted is not None and "payment_method" in params:
        _set_payment_method(tx, intent, payment_methods.resolve(tx, wanted))
    elif wanted is not None and intent["status"] in OPEN:
        filters.check_taken(intent, tx.get("payment_method", wanted))
    elif intent["payment_method"] is not None and wanted is None:
        challenges.abandon(tx, intent)
        intent |= {"next_action": None, "payment_method": None, "status": "requires_payment_method"}


def confirm(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """Try to set the card up. A decline is an ApiError that keeps its changes."""
    if intent["status"] not in OPEN:
        done = "it has already succeeded" if intent["status"] == "succeeded" else "it has been canceled"
        raise _unexpected(f"You cannot confirm this SetupIntent because {done}.")
    return_url = check_url(params["return_url"], "return_url") if "return_url" in params else None
    if filters.are_chosen_by(params):
        filters.choose(intent, params)
    _apply(intent, params)
    if intent["customer"] is not None:
        tx.get("customer", intent["customer"], param="customer", status=400)
    payment_method = _chosen(tx, intent, params)
    filters.check_taken(intent, payment_method)
    challenges.abandon(tx, intent)
    intent |= {"last_setup_error": None, "next_action": None}
    options = intent["payment_method_options"][payment_method["type"]]
    request = options.get("request_three_d_secure") or "automatic"
    answer = type_of(payment_method).authenticate(payment_method, request=request, off_session=False)
    if answer == "challenge":
        use_stripe_sdk = params.get("use_stripe_sdk", False)
        challenges.open_for(tx, intent, payment_method, return_url=return_url, use_stripe_sdk=use_stripe_sdk)
        intent |= {"payment_method": payment_method.id, "status": "requires_action"}
        tx.save(intent)
        events.emit(tx, "setup_intent.requires_action", intent)
        return intent
    reason = "processing_error" if answer == "error" else _ask_bank(tx, intent, payment_method)
    if reason is not None:
        _fail(tx, intent, payment_method, declines.last_error(reason, payment_method))
        raise declines.error(reason, keeps_changes=True, payment_method=payment_method.snapshot(), setup_intent=intent)
    return intent


def complete_challenge(tx: Transaction, intent: Resource) -> None:
    """The bank is sure of the cardholder."""
    payment_method = tx.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    reason = _ask_bank(tx, intent, payment_method)
    if reason is not None:
        _fail(tx, intent, payment_method, declines.last_error(reason, payment_method))


def fail_challenge(tx: Transaction, intent: Resource) -> None:
    """The cardholder failed or refused. Emits setup_intent.setup_failed."""
    payment_method = tx.get("payment_method", intent["payment_method"])
    error = {
        "code": "setup_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/setup-intent-authentication-failure",
        "message": "The latest attempt to set up the payment method has failed because authentication failed.",
        "payment_method": payment_method.snapshot(),
        "type": "invalid_request_error",
    }
    _fail(tx, intent, payment_method, error)


def cancel(tx: Transaction, intent: Resource, reason: str | None) -> Resource:
    """Emits setup_intent.canceled."""
    if intent["status"] == "canceled":
        raise _unexpected("You cannot cancel this SetupIntent because it is already canceled.")
    if intent["status"] not in OPEN:
        listed = ", ".join(f"`{status}`" for status in OPEN)
        raise _unexpected(
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            f"with one of the following statuses may be canceled: {listed}."
        )
    challenges.abandon(tx, intent)
    intent |= {"cancellation_reason": reason, "next_action": None, "status": "canceled"}
    followers.end(tx, intent, "canceled")
    return intent


def refuse_microdeposits(intent: Resource) -> NoReturn:
    """Only bank accounts are verified by two small deposits, and none is imitated."""
    raise _unexpected(
        f"You cannot verify this SetupIntent with microdeposits because it has a status of {intent['status']} and is "
        "not waiting for any."
    )


def _ask_bank(tx: Transaction, intent: Resource, payment_method: Resource) -> str | None:
    """The reason the bank declined for, or None once the card is set up."""
    method = type_of(payment_method)
    reason = method.refusal(payment_method)
    if reason is not None and not method.may_be_saved(payment_method):
        return reason
    payment_method.private["set_up"] = True
    method.verify(tx, payment_method)
    tx.save(payment_method)
    payment_methods.link_to_existing(tx, payment_method, intent["customer"])
    attempt = _attempt(tx, intent, payment_method, "succeeded", None)
    intent |= {"latest_attempt": attempt.id, "payment_method": payment_method.id, "status": "succeeded"}
    followers.end(tx, intent, "succeeded")
    return None


def _fail(tx: Transaction, intent: Resource, payment_method: Resource, error: dict[str, Any]) -> None:
    attempt = _attempt(tx, intent, payment_method, "failed", error)
    intent |= {
        "last_setup_error": error,
        "latest_attempt": attempt.id,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    followers.end(tx, intent, "failed")


def _chosen(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    if "payment_method_data" in params:
        chosen = payment_methods.create(tx, params["payment_method_data"])
    elif "payment_method" in params:
        chosen = payment_methods.resolve(tx, params["payment_method"])
    elif intent["payment_method"] is not None:
        return tx.get("payment_method", intent["payment_method"], param="payment_method", status=400)
    else:
        raise _unexpected(
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the "
            "SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment "
            "method or ConfirmationToken."
        )
    _set_payment_method(tx, intent, chosen)
    return chosen


def _set_payment_method(tx: Transaction, intent: Resource, payment_method: Resource) -> None:
    owner = payment_method["customer"]
    if owner is not None and intent["customer"] not in (owner, None):
        raise ApiError(
            f"The PaymentMethod {payment_method.id} does not belong to the Customer you supplied {intent['customer']}. "
            "Please use this PaymentMethod with the Customer that it belongs to instead.",
            param="payment_method",
        )
    if owner is not None and intent["customer"] is None:
        raise ApiError(
            f"The payment method supplied ({payment_method.id}) belongs to the Customer {owner}. Please include the "
            "Customer in the `customer` parameter on the SetupIntent.",
            param="payment_method",
        )
    payment_methods.check_unspent(payment_method)
    filters.check_taken(intent, payment_method)
    challenges.abandon(tx, intent)
    intent |= {"next_action": None, "payment_method": payment_method.id, "status": "requires_confirmation"}


def _apply(intent: Resource, params: dict[str, Any]) -> None:
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    if "description" in params:
        intent["description"] = params["description"] or None
    for method, shown in intent["payment_method_options"].items():
        given = (params.get("payment_method_options") or {}).get(method) or {}
        shown |= {name: given[name] for name in ("network", "request_three_d_secure") if name in given}


def _unexpected(message: str) -> ApiError:
    return ApiError(message, code="setup_intent_unexpected_state")


def _attempt(
    tx: Transaction, intent: Resource, payment_method: Resource, status: str, error: dict[str, Any] | None
) -> Resource:
    name = payment_method["type"]
    given = {
        "id": ids.new("setatt"),
        "customer": intent["customer"],
        "payment_method": payment_method.id,
        "payment_method_details": {name: type_of(payment_method).setup_details(payment_method), "type": name},
        "setup_error": error,
        "setup_intent": intent.id,
        "status": status,
        "usage": intent["usage"],
    }
    return tx.insert(objects.new(tx, "setup_attempt", given))


def _blank(tx: Transaction, params: dict[str, Any]) -> Resource:
    """Its usage is off_session, whatever was asked (as recorded)."""
    intent_id = ids.new("seti")
    automatic = params.get("automatic_payment_methods", {})
    given = {
        "id": intent_id,
        "automatic_payment_methods": {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": True},
        "client_secret": f"{intent_id}_secret_{ids.random_text(31)}",
        "customer": params.get("customer"),
        "managed_payments": {"enabled": False},
        "metadata": {},
        "payment_method_configuration_details": {"id": ids.derived("pmc_1", tx.account, 23), "parent": None},
        "payment_method_options": {},
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    return objects.new(tx, "setup_intent", given)
