"""Confirming a PaymentIntent: trying to take its money, with 3-D Secure where the card asks for it."""

from dataclasses import dataclass
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model import challenges, charges, declines, events, followers, payment_methods
from till_sandbox.model.details import check_url
from till_sandbox.model.methods import filters, type_of
from till_sandbox.model.payment_intents import (
    OPEN,
    apply_details,
    check_descriptor,
    set_payment_method,
    unexpected,
)
from till_sandbox.state import Resource, Transaction

#: Seconds until a payment that is delayed is decided.
DECIDED_AFTER = 5


@dataclass(frozen=True)
class AuthenticationRequest:
    """What a confirmation says about how to authenticate."""

    off_session: bool
    three_d_secure: str
    error_on_requires_action: bool
    use_stripe_sdk: bool
    return_url: str | None


def confirm(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """Try to pay. Afterwards the intent is succeeded, requires_capture or requires_action.

    A decline is an ApiError that keeps its changes: the intent waits for another payment method.
    """
    _check_confirmable(intent)
    return_url = check_url(params["return_url"], "return_url") if "return_url" in params else None
    if filters.are_chosen_by(params):
        filters.choose(intent, params)
    apply_details(tx, intent, params)
    if "capture_method" in params:
        intent["capture_method"] = params["capture_method"]
    _check_amount(intent, params)
    if _is_saved(intent) and intent["customer"] is not None:
        tx.get("customer", intent["customer"], param="customer", status=400)
    payment_method = _payment_method(tx, intent, params)
    payment_methods.check_unspent(payment_method)
    filters.check_taken(intent, payment_method)
    name = payment_method["type"]
    given = (params.get("payment_method_options") or {}).get(name) or {}
    type_of(payment_method).answer_again(tx, payment_method, given)
    check_descriptor(intent, name)
    options = intent["payment_method_options"].get(name, {})
    how = AuthenticationRequest(
        off_session=params.get("off_session") not in (None, False),
        three_d_secure=options.get("request_three_d_secure") or "automatic",
        error_on_requires_action=params.get("error_on_requires_action", False),
        use_stripe_sdk=params.get("use_stripe_sdk", False),
        return_url=return_url,
    )
    challenges.abandon(tx, intent)
    intent |= {"last_payment_error": None, "next_action": None}
    reason = _attempt(tx, intent, payment_method, how)
    if reason is not None:
        raise _decline_error(intent, payment_method, reason)
    return intent


def complete_challenge(tx: Transaction, intent: Resource) -> None:
    """The bank is sure of the cardholder: take the money (or wait for the server, with manual confirmation)."""
    payment_method = tx.get("payment_method", intent["payment_method"])
    secure = type_of(payment_method).authentication_result("challenge")
    intent["next_action"] = None
    if intent["confirmation_method"] == "manual":
        intent["status"] = "requires_confirmation"
        intent.private["authenticated"] = {"payment_method": payment_method.id, "secure": secure}
        tx.save(intent)
        return
    _charge(tx, intent, payment_method, secure)


def fail_challenge(tx: Transaction, intent: Resource) -> None:
    """The cardholder failed or refused: back to asking for a payment method. Emits payment_intent.payment_failed."""
    payment_method = tx.get("payment_method", intent["payment_method"])
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        "PaymentMethod to attempt to fulfill this PaymentIntent again.",
        "payment_method": payment_method.snapshot(),
        "payment_method_type": payment_method["type"],
        "type": "invalid_request_error",
    }
    _back_to_start(tx, intent, error)


def delay(tx: Transaction, intent: Resource, params: dict[str, Any], *, succeeds: bool) -> None:
    """Try to pay with something whose bank takes its time. Emits payment_intent.processing; it is decided later.

    No card does that. It is asked for by who wants to see what follows (the control API).
    """
    set_payment_method(tx, intent, payment_methods.resolve(tx, params["payment_method"]))
    intent["status"] = "processing"
    tx.save(intent)
    events.emit(tx, "payment_intent.processing", intent)
    tx.schedule("decide_payment", intent.id, after=DECIDED_AFTER, succeeds=succeeds)


def decide(tx: Transaction, intent: Resource, *, succeeds: bool) -> None:
    """The bank's word about a payment that is processing."""
    if intent["status"] != "processing":
        return
    payment_method = tx.get("payment_method", intent["payment_method"])
    if succeeds:
        _charge(tx, intent, payment_method, None)
    else:
        _decline(tx, intent, payment_method, "generic_decline", None)


def _attempt(tx: Transaction, intent: Resource, payment_method: Resource, how: AuthenticationRequest) -> str | None:
    """One try. The reason it was declined for, or None."""
    done = intent.private.pop("authenticated", None)
    if done and done["payment_method"] == payment_method.id:
        return _charge(tx, intent, payment_method, done["secure"])
    method = type_of(payment_method)
    answer = method.authenticate(payment_method, request=how.three_d_secure, off_session=how.off_session)
    if answer == "challenge":
        if how.off_session or how.error_on_requires_action:
            reason = "authentication_required" if how.off_session else "authentication_not_handled"
            error = declines.last_error(reason, payment_method)
            _back_to_start(tx, intent, {**error, "payment_method_type": payment_method["type"]})
            return reason
        _challenge(tx, intent, payment_method, how)
        return None
    if answer == "error":
        return _decline(tx, intent, payment_method, "processing_error", None)
    return _charge(tx, intent, payment_method, method.authentication_result(answer))


def _challenge(tx: Transaction, intent: Resource, payment_method: Resource, how: AuthenticationRequest) -> None:
    challenges.open_for(tx, intent, payment_method, return_url=how.return_url, use_stripe_sdk=how.use_stripe_sdk)
    intent |= {"payment_method": payment_method.id, "status": "requires_action"}
    tx.save(intent)
    events.emit(tx, "payment_intent.requires_action", intent)


def _charge(tx: Transaction, intent: Resource, payment_method: Resource, secure: dict[str, Any] | None) -> str | None:
    """Ask the bank for the money. The reason it was declined for, or None."""
    reason = type_of(payment_method).refusal(payment_method)
    if reason is not None:
        return _decline(tx, intent, payment_method, reason, secure)
    charge = charges.succeed(tx, intent, payment_method, secure)
    held = not charge["captured"]
    intent |= {
        "amount_capturable": intent["amount"] if held else 0,
        "amount_received": 0 if held else intent["amount"],
        "latest_charge": charge.id,
        "payment_method": payment_method.id,
        "status": "requires_capture" if held else "succeeded",
    }
    followers.end(tx, intent, "held" if held else "succeeded")
    _save_for_later(tx, intent, payment_method)
    payment_methods.spend(tx, payment_method)
    return None


def _decline(
    tx: Transaction, intent: Resource, payment_method: Resource, reason: str, secure: dict[str, Any] | None
) -> str:
    charge = charges.fail(tx, intent, payment_method, reason, secure)
    intent["latest_charge"] = charge.id
    error = declines.last_error(reason, payment_method, charge=charge.id)
    _back_to_start(tx, intent, {**error, "payment_method_type": payment_method["type"]})
    return reason


def _back_to_start(tx: Transaction, intent: Resource, error: dict[str, Any]) -> None:
    intent |= {
        "last_payment_error": dict(sorted(error.items())),
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    followers.end(tx, intent, "failed")


def _save_for_later(tx: Transaction, intent: Resource, payment_method: Resource) -> None:
    if not _is_saved(intent):
        return
    payment_method.private["set_up"] = True
    tx.save(payment_method)
    payment_methods.link_to_existing(tx, payment_method, intent["customer"])


def _is_saved(intent: Resource) -> bool:
    """Whether the card is to be used again."""
    own = (options.get("setup_future_usage") for options in intent["payment_method_options"].values())
    return (next(filter(None, own), None) or intent["setup_future_usage"] or "none") != "none"


def _decline_error(intent: Resource, payment_method: Resource, reason: str) -> ApiError:
    charge = intent["last_payment_error"].get("charge")
    return declines.error(
        reason, keeps_changes=True, charge=charge, payment_method=payment_method.snapshot(), payment_intent=intent
    )


def _check_confirmable(intent: Resource) -> None:
    if intent["status"] in OPEN:
        return
    if intent["status"] == "succeeded":
        raise unexpected(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
    raise unexpected(
        f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
        f"with one of the following statuses may be confirmed: {', '.join(OPEN)}."
    )


def _check_amount(intent: Resource, params: dict[str, Any]) -> None:
    if params.get("amount_to_confirm", intent["amount"]) != intent["amount"]:
        raise ApiError(
            "The amount to confirm does not match the amount of the PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="amount_to_confirm",
        )


def _payment_method(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """The PaymentMethod to pay with: the one given, made of what was given, or the one chosen before."""
    if "payment_method_data" in params:
        chosen = payment_methods.create(tx, params["payment_method_data"])
    elif "payment_method" in params:
        chosen = payment_methods.resolve(tx, params["payment_method"])
    elif intent["payment_method"] is not None:
        return tx.get("payment_method", intent["payment_method"], param="payment_method", status=400)
    else:
        raise unexpected(_missing_text(intent))
    if chosen.id != intent["payment_method"] or intent["status"] == "requires_action":
        set_payment_method(tx, intent, chosen)
    return chosen


def _missing_text(intent: Resource) -> str:
    missing = "You cannot confirm this PaymentIntent because it's missing a payment method. "
    if intent["customer"] is not None:
        return (
            f"{missing}To confirm the PaymentIntent with {intent['customer']}, specify a payment method attached to "
            "this customer along with the customer ID."
        )
    return (
        f"{missing}You can either update the PaymentIntent with a payment method and then confirm it again, or confirm "
        "it again directly with a payment method or ConfirmationToken."
    )
