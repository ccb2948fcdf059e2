"""Customers."""

import secrets
import string
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.customer_time import CLOCK, check_still, clock_of
from till_sandbox.model.details import address, check_email, shipping
from till_sandbox.model.metadata import merged
from till_sandbox.model.payment_methods import attach, resolve, spend
from till_sandbox.state import Resource, Transaction

_TEXTS = ("business_name", "description", "email", "individual_name", "name", "phone")
#: How many customers can live by one test clock.
MOST_OF_A_CLOCK = 3
_VALUES = ("balance", "invoice_prefix", "next_invoice_sequence", "preferred_locales")


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new customer, with `payment_method` attached to it if given, which may be its default by the same name.

    With `test_clock` it lives by that clock. Emits customer.created.
    """
    customer = _blank(tx)
    if "test_clock" in params:
        clock = tx.get(CLOCK, params["test_clock"], param="test_clock", status=400)
        set_clock(tx, customer, clock)
        customer["created"] = clock["frozen_time"]
    _apply(customer, params)
    saving = resolve(tx, params["payment_method"]) if "payment_method" in params else None
    settings = params.get("invoice_settings", {})
    if saving is not None and settings.get("default_payment_method") in (saving.id, params["payment_method"]):
        _apply_settings(customer, {**settings, "default_payment_method": saving.id})
    else:
        _check_default(tx, customer, settings)
        _apply_settings(customer, settings)
    tx.insert(customer)
    events.emit(tx, "customer.created", customer)
    if saving is not None:
        attach(tx, saving, customer.id)
    return customer


def update(tx: Transaction, customer: Resource, params: dict[str, Any]) -> Resource:
    check_still(clock_of(tx, customer))
    before = customer.snapshot()
    _apply(customer, params)
    settings = params.get("invoice_settings", {})
    _check_default(tx, customer, settings)
    _apply_settings(customer, settings)
    tx.save(customer)
    events.emit(tx, "customer.updated", customer, before)
    return customer


def delete(tx: Transaction, customer: Resource) -> dict[str, Any]:
    """Gone for good; its payment methods are detached. Emits customer.deleted with the whole customer."""
    check_still(clock_of(tx, customer))
    for payment_method in tx.all("payment_method", customer=customer.id):
        payment_method["customer"] = None
        spend(tx, payment_method)
    tx.delete(customer)
    events.emit(tx, "customer.deleted", customer)
    return {"id": customer.id, "object": "customer", "deleted": True}


def set_clock(tx: Transaction, customer: Resource, clock: Resource) -> None:
    """From now on the customer lives by the clock. The customer is still to be saved if it is new."""
    check_still(clock)
    if customer["test_clock"] is not None:
        raise ApiError("This customer has a test clock already, and it cannot be taken off.", param="customer")
    if len(tx.all("customer", test_clock=clock.id)) >= MOST_OF_A_CLOCK:
        raise ApiError(f"A test clock can have at most {MOST_OF_A_CLOCK} customers.", param="test_clock")
    customer["test_clock"] = clock.id


def _apply(customer: Resource, params: dict[str, Any]) -> None:
    if params.get("email"):
        check_email(params["email"], "email")
    customer |= {name: params[name] or None for name in _TEXTS if name in params}
    customer |= {name: params[name] for name in _VALUES if name in params}
    if "tax_exempt" in params:
        customer["tax_exempt"] = params["tax_exempt"] or "none"
    if "address" in params:
        customer["address"] = address(params["address"]) if params["address"] else None
    if "shipping" in params:
        customer["shipping"] = shipping(params["shipping"])
    if "metadata" in params:
        customer["metadata"] = merged(customer["metadata"], params["metadata"])


def _apply_settings(customer: Resource, given: dict[str, Any]) -> None:
    """The invoice settings with those given replaced; what is empty is null."""
    settings = {**customer["invoice_settings"], **{name: value or None for name, value in given.items()}}
    options = settings["rendering_options"]
    if options is not None:
        settings["rendering_options"] = {name: options.get(name) for name in ("amount_tax_display", "template")}
    customer["invoice_settings"] = settings


def _check_default(tx: Transaction, customer: Resource, settings: dict[str, Any]) -> None:
    if "default_payment_method" not in settings:
        return
    chosen, param = settings["default_payment_method"], "invoice_settings[default_payment_method]"
    if resolve(tx, chosen, param)["customer"] != customer.id:
        raise ApiError(
            f"The customer does not have a payment method with the ID {chosen}. The payment method must be attached to "
            "the customer.",
            code="resource_missing",
            param=param,
        )


def _blank(tx: Transaction) -> Resource:
    given = {
        "id": ids.new("cus"),
        "balance": 0,
        "delinquent": False,
        "invoice_prefix": "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8)),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }
    return objects.new(tx, "customer", given)
