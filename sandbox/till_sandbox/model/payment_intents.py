"""PaymentIntents: what the account asks for, and what it may still change. Trying to pay is in `confirmation`."""

import re
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import challenges, charges, events, followers, holds, objects, payment_methods
from till_sandbox.model.details import check_email, shipping
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import filters
from till_sandbox.model.money import check_amount, check_currency
from till_sandbox.model.tax import associations
from till_sandbox.state import Resource, Transaction

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
#: Those of `payment_method_options` that are read here.
_OPTIONS = ("network", "request_three_d_secure", "setup_future_usage", "capture_method")
_FIXED_BY_PAYING = ("amount", "currency", "payment_method", "customer", "capture_method", "setup_future_usage")
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_reauthorization",
    "requires_confirmation",
    "requires_action",
    "expired",
    "processing",
)


def create(tx: Transaction, params: dict[str, Any], owner: Resource | None = None) -> Resource:
    """A new PaymentIntent, waiting for a payment method or for confirmation. Emits payment_intent.created.

    `owner`: what it belongs to and is told how it ends (`model.followers`).
    """
    currency = check_currency(params["currency"])
    amount = check_amount(params["amount"], currency)
    if "customer" in params:
        tx.get("customer", params["customer"], param="customer", status=400)
    intent = _blank(tx, amount, currency, params)
    if owner is not None:
        followers.belong_to(intent, owner)
    filters.choose(intent, params)
    apply_details(tx, intent, params)
    check_descriptor(intent, *intent["payment_method_types"])
    if "payment_method_data" in params:
        set_payment_method(tx, intent, payment_methods.create(tx, params["payment_method_data"]))
    elif "payment_method" in params:
        set_payment_method(tx, intent, payment_methods.resolve(tx, params["payment_method"]))
    tx.insert(intent)
    events.emit(tx, "payment_intent.created", intent)
    return intent


def update(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """Change what may still be changed in its state. A `payment_method` of None unsets it."""
    for name in (*_FIXED_BY_PAYING, *filters.FILTERS):
        if name in params and intent["status"] not in OPEN and params[name] != intent[name]:
            raise unexpected(
                f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You "
                f"may only update the {name} of a PaymentIntent with one of the following statuses: {', '.join(OPEN)}.",
                param=name,
            )
    currency = check_currency(params.get("currency", intent["currency"]))
    if "amount" in params or "currency" in params:
        intent |= {"amount": check_amount(params.get("amount", intent["amount"]), currency), "currency": currency}
    if "customer" in params:
        _set_customer(tx, intent, params["customer"])
    if "capture_method" in params:
        intent["capture_method"] = params["capture_method"]
    if filters.are_chosen_by(params):
        filters.choose(intent, params)
    apply_details(tx, intent, params)
    check_descriptor(intent, *intent["payment_method_types"])
    _update_payment_method(tx, intent, params)
    if intent["status"] in OPEN:
        intent["last_payment_error"] = None
    return tx.save(intent)


def _set_customer(tx: Transaction, intent: Resource, customer_id: str) -> None:
    tx.get("customer", customer_id, param="customer", status=400)
    if intent["customer"] not in (None, customer_id):
        raise ApiError(
            "You cannot modify `customer` on a PaymentIntent once it already has been set. To fulfill a payment with a "
            "different Customer, cancel this PaymentIntent and create a new one."
        )
    intent["customer"] = customer_id


def _update_payment_method(tx: Transaction, intent: Resource, params: dict[str, Any]) -> None:
    """The one given, none if it is unset, or the one there was if the intent still takes it."""
    before = intent["payment_method"]
    wanted = params.get("payment_method", before)
    if "payment_method_data" in params:
        set_payment_method(tx, intent, payment_methods.create(tx, params["payment_method_data"]))
    elif wanted is not None and wanted != before:
        set_payment_method(tx, intent, payment_methods.resolve(tx, wanted))
    elif wanted is not None and intent["status"] in OPEN:
        filters.check_taken(intent, tx.get("payment_method", wanted))
    elif before is not None and wanted is None:
        challenges.abandon(tx, intent)
        intent |= {"next_action": None, "payment_method": None, "status": "requires_payment_method"}


def set_payment_method(tx: Transaction, intent: Resource, payment_method: Resource) -> None:
    """Pay with this next. Whatever authentication was going on for another card is over."""
    check_owner(intent, payment_method)
    payment_methods.check_unspent(payment_method)
    filters.check_taken(intent, payment_method)
    challenges.abandon(tx, intent)
    intent |= {"next_action": None, "payment_method": payment_method.id, "status": "requires_confirmation"}


def check_owner(intent: Resource, payment_method: Resource) -> None:
    """A PaymentMethod saved to a customer only pays for that customer."""
    owner, customer = payment_method["customer"], intent["customer"]
    if owner is None or owner == customer:
        return
    if customer is None:
        raise ApiError(
            f"The `payment_method` parameter supplied {payment_method.id} belongs to the Customer {owner}. Please "
            "include the Customer in the `customer` parameter on the PaymentIntent.",
            code="parameter_missing",
            param="source",
        )
    raise ApiError(
        f"The PaymentMethod {payment_method.id} does not belong to the Customer you supplied {customer}. Please use "
        "this PaymentMethod with the Customer that it belongs to instead.",
        param="payment_method",
    )


def cancel(tx: Transaction, intent: Resource, reason: str | None) -> Resource:
    """Close it for good, releasing what is held. Emits payment_intent.canceled."""
    status = intent["status"]
    if status not in CANCELABLE:
        raise unexpected(
            f"You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one "
            f"of the following statuses may be canceled: {', '.join(CANCELABLE)}."
        )
    challenges.abandon(tx, intent)
    if status == "requires_capture":
        holds.release(tx, tx.get("charge", intent["latest_charge"]))
    intent |= {
        "amount_capturable": 0,
        "next_action": None,
        "canceled_at": tx.now,
        "cancellation_reason": reason,
        "status": "canceled",
    }
    followers.end(tx, intent, "canceled")
    return intent


def capture(tx: Transaction, intent: Resource, params: dict[str, Any]) -> Resource:
    """Take a hold or a part of it; the rest is released. The charge takes over a new statement descriptor suffix.

    Emits charge.captured and payment_intent.succeeded.
    """
    _check_capturable(intent)
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    if amount < 0:
        raise ApiError("Invalid non-negative integer", param="amount_to_capture")
    if amount == 0:
        raise ApiError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > intent["amount_capturable"]:
        raise ApiError(
            "The payment could not be captured because the requested capture amount is greater than the amount you "
            "can capture for this charge. Contact us via https://support.stripe.com/contact/ for help.",
            code="amount_too_large",
        )
    apply_details(tx, intent, params)
    check_descriptor(intent, "card")
    charges.capture(tx, tx.get("charge", intent["latest_charge"]), amount, suffix=intent["statement_descriptor_suffix"])
    intent |= {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    followers.end(tx, intent, "succeeded")
    return intent


def _check_capturable(intent: Resource) -> None:
    if intent["status"] == "requires_capture":
        return
    if intent["status"] == "succeeded" and intent["amount_received"] < intent["amount"]:
        raise unexpected(
            "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized "
            "amount has been released."
        )
    raise unexpected(
        f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a PaymentIntent "
        "with one of the following statuses may be captured: requires_capture."
    )


def apply_details(tx: Transaction, intent: Resource, params: dict[str, Any]) -> None:
    """The parameters create, update and confirm share that only describe the payment."""
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    for name in (
        "description",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "setup_future_usage",
        "transfer_group",
    ):
        if name in params:
            intent[name] = params[name] or None
    if "receipt_email" in params:
        given = params["receipt_email"]
        intent["receipt_email"] = check_email(given, "receipt_email") if given else None
    if "payment_details" in params:
        said = params["payment_details"] or {}
        names = ("customer_reference", "order_reference")
        intent["payment_details"] = {name: said.get(name) or None for name in names} if said else None
    if "shipping" in params:
        intent["shipping"] = shipping(params["shipping"])
    associations.link(tx, intent, params)
    for method, shown in intent["payment_method_options"].items():
        given = (params.get("payment_method_options") or {}).get(method) or {}
        shown |= {name: given[name] or None for name in _OPTIONS if name in given}


def check_descriptor(intent: Resource, *methods: str) -> None:
    """Cards take only a suffix to the account's own descriptor, of at most 22 characters with a letter among them."""
    if intent["statement_descriptor"] and tuple(methods) == ("card",):
        raise ApiError(
            "You can't set `statement_descriptor` on a card payment. Use `statement_descriptor_suffix` to set the part "
            "that follows the account's prefix.",
            code="payment_intent_invalid_parameter",
            param="statement_descriptor",
        )
    suffix = intent["statement_descriptor_suffix"]
    if suffix and not re.fullmatch(r"(?=.*[A-Za-z])[^<>\\'\"*]{1,22}", suffix):
        raise ApiError(
            "The statement descriptor suffix must be at most 22 characters, contain at least one letter, and none of "
            "these: < > \\ ' \" *",
            param="statement_descriptor_suffix",
        )


def unexpected(message: str, param: str | None = None) -> ApiError:
    return ApiError(message, code="payment_intent_unexpected_state", param=param)


def _blank(tx: Transaction, amount: int, currency: str, params: dict[str, Any]) -> Resource:
    intent_id = ids.new_payment()
    automatic = params.get("automatic_payment_methods", {})
    given = {
        "id": intent_id,
        "amount": amount,
        "amount_details": {"tip": {}},
        "automatic_payment_methods": {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": True},
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{ids.random_text(25)}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "currency": currency,
        "customer": params.get("customer"),
        "managed_payments": {"enabled": False},
        "payment_method_configuration_details": {"id": ids.derived("pmc_1", tx.account, 23), "parent": None},
        "payment_method_options": {},
        "status": "requires_payment_method",
    }
    return objects.new(tx, "payment_intent", given)
