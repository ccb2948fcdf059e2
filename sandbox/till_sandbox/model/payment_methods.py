"""PaymentMethods: made, saved to customers, taken from them. What depends on their type is in `methods`."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object, missing_param
from till_sandbox.model import declines, events, methods, objects
from till_sandbox.model.details import billing_details
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import type_of
from till_sandbox.state import Resource, Transaction


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A PaymentMethod of the type that `type` names, from the parameter of the same name."""
    if "type" not in params:
        raise missing_param("type")
    method = methods.TYPES.get(params["type"], methods.UNKNOWN)
    return _insert(tx, params["type"], method.create(tx, params), params)


def from_alias(tx: Transaction, alias: str) -> Resource | None:
    """A new PaymentMethod for a test one's name, such as `pm_card_visa`; None if it is no such name."""
    for method in methods.TYPES.values():
        made = method.from_alias(tx, alias)
        if made is not None:
            return _insert(tx, method.name, made, {})
    return None


def resolve(tx: Transaction, payment_method_id: str, param: str = "payment_method", *, status: int = 400) -> Resource:
    """The stored PaymentMethod, or a new one where a test card is named instead."""
    found = from_alias(tx, payment_method_id) or tx.find("payment_method", payment_method_id)
    if found is None:
        raise missing_object("PaymentMethod", payment_method_id, param, status=status)
    return found


def attach(tx: Transaction, payment_method: Resource, customer: str) -> Resource:
    """Save the PaymentMethod to the customer. The bank is asked, so a card that declines is refused here."""
    if payment_method["customer"] == customer:
        return payment_method
    if payment_method.private.get("spent"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    if payment_method["customer"] is not None:
        raise ApiError("The payment method you provided has already been attached to a customer.")
    method = type_of(payment_method)
    reason = method.refusal(payment_method)
    if reason is not None and not method.may_be_saved(payment_method):
        raise declines.error(reason, param="")
    return link(tx, payment_method, customer)


def link(tx: Transaction, payment_method: Resource, customer: str) -> Resource:
    """Attach without asking the bank: it has just approved a payment or a set-up."""
    type_of(payment_method).verify(tx, payment_method)
    payment_method["customer"] = customer
    tx.save(payment_method)
    events.emit(tx, "payment_method.attached", payment_method)
    return payment_method


def link_to_existing(tx: Transaction, payment_method: Resource, customer: str | None) -> None:
    """Attach what has just paid or been set up, unless it is attached already.

    A customer may have been deleted while the cardholder answered their bank: then there is none to attach it to.
    """
    if payment_method["customer"] is None and customer is not None and tx.find("customer", customer) is not None:
        link(tx, payment_method, customer)


def spend(tx: Transaction, payment_method: Resource) -> None:
    """It has paid or was detached. If no customer has it, it cannot be used again."""
    if payment_method["customer"] is None:
        payment_method.private["spent"] = True
        tx.save(payment_method)


def check_unspent(payment_method: Resource) -> None:
    if payment_method.private.get("spent"):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
        )


def detach(tx: Transaction, payment_method: Resource) -> Resource:
    """Take it from its customer, for good. Emits payment_method.detached, customer.updated if it was the default."""
    if payment_method["customer"] is None:
        raise ApiError("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = payment_method.snapshot()
    payment_method["customer"] = None
    spend(tx, payment_method)
    _take_from_defaults(tx, tx.get("customer", before["customer"]), payment_method)
    events.emit(tx, "payment_method.detached", payment_method, before)
    return payment_method


def _take_from_defaults(tx: Transaction, customer: Resource, payment_method: Resource) -> None:
    if customer["invoice_settings"]["default_payment_method"] != payment_method.id:
        return
    before = customer.snapshot()
    customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
    tx.save(customer)
    events.emit(tx, "customer.updated", customer, before)


def update(tx: Transaction, payment_method: Resource, params: dict[str, Any]) -> Resource:
    """Change a saved PaymentMethod. Emits payment_method.updated."""
    if payment_method["customer"] is None:
        raise ApiError("You must save this PaymentMethod to a customer before you can update it.")
    before = payment_method.snapshot()
    if "billing_details" in params:
        payment_method["billing_details"] = billing_details(
            params["billing_details"], payment_method["billing_details"]
        )
    if "metadata" in params:
        payment_method["metadata"] = merged(payment_method["metadata"], params["metadata"])
    if "allow_redisplay" in params:
        payment_method["allow_redisplay"] = params["allow_redisplay"]
    type_of(payment_method).update(tx, payment_method, params.get(payment_method["type"], {}))
    tx.save(payment_method)
    events.emit(tx, "payment_method.updated", payment_method, before)
    return payment_method


def _insert(
    tx: Transaction, name: str, made: tuple[dict[str, Any], dict[str, Any]], params: dict[str, Any]
) -> Resource:
    shown, private = made
    given = {
        "id": ids.new("pm"),
        "allow_redisplay": params.get("allow_redisplay", "unspecified"),
        "billing_details": billing_details(params.get("billing_details") or {}),
        name: shown,
        "metadata": merged({}, params.get("metadata") or {}),
        "type": name,
    }
    return tx.insert(objects.new(tx, "payment_method", given, private))
