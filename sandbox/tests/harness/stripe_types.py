"""Holds an answer against the classes of the official library: every declared key there, every value of its type."""

import inspect
import re
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import stripe

#: Declared keys Stripe leaves out all the same: only sent when expanded, only once, or only of a deleted object.
LEFT_OUT = {
    "Balance": {"connect_reserved", "instant_available", "issuing", "refund_and_dispute_prefunding"},
    "Calculation": {"line_items"},
    "CalculationLineItem": {"tax_breakdown"},
    "Charge": {"refunds"},
    "Coupon": {"applies_to", "currency_options", "deleted"},
    "Customer": {
        "cash_balance",
        "deleted",
        "invoice_credit_balance",
        "sources",
        "subscriptions",
        "tax",
        "tax_ids",
    },
    "Account": {"company", "deleted", "groups", "individual"},
    "Event": {"account", "context"},
    "Discount": {"deleted"},
    "LineItem": {"discounts", "taxes"},
    "Price": {"currency_options", "deleted", "tiers"},
    "Product": {"deleted"},
    "Session": {"line_items", "presentment_details"},
    "Transaction": {"line_items"},
    "WebhookEndpoint": {"deleted", "secret"},
}
#: Keys recorded from Stripe that the library does not declare.
UNDECLARED = {
    "Charge": {"destination", "dispute", "order"},
    "Dispute": {"balance_transaction"},
    "PaymentIntent": {"shared_payment_granted_token"},
    "PaymentMethod": {"shared_payment_granted_token"},
    "Product": {"attributes"},
}
#: Classes of which only the part that is there is checked: one of many kinds, each with keys of its own.
ONE_OF_MANY = ("PaymentMethod", "NextAction", "DestinationDetails", "PaymentMethodDetails", "PaymentMethodOptions")


def complaints(body: Any, cls: type, path: str = "") -> Iterator[str]:
    """Everything about `body` the class does not allow, as sentences; nothing if it fits."""
    if not isinstance(body, dict):
        yield f"{path}: {body!r} is no {cls.__name__}"
        return
    declared = {name: hint for name, hint in annotations(cls).items() if not name.startswith("_")}
    nested = "." in cls.__qualname__
    for name, hint in declared.items():
        if name not in body:
            may_be_left_out = name in LEFT_OUT.get(cls.__name__, ()) or cls.__name__ in ONE_OF_MANY
            if not (may_be_left_out or (nested and _optional(hint))):
                yield f"{path}.{name}: missing from {cls.__qualname__}"
            continue
        yield from _value(body[name], hint, cls, f"{path}.{name}")
    for name in body.keys() - declared.keys() - UNDECLARED.get(cls.__name__, set()):
        yield f"{path}.{name}: not declared by {cls.__qualname__}"


def annotations(cls: type) -> dict[str, Any]:
    return {name: hint for name, hint in inspect.get_annotations(cls).items() if name != "OBJECT_NAME"}


def class_of(body: dict[str, Any]) -> type | None:
    """The library's class for an object, by the name in its `object`."""
    name = {"item": "line_item"}.get(body.get("object", ""), str(body.get("object", "")))
    found: Any = stripe
    for part in ("".join(word.title() for word in piece.split("_")) for piece in name.split(".")):
        found = getattr(found, part if hasattr(found, part) else part.lower(), None)
    return found if inspect.isclass(found) else None


def _value(value: Any, hint: Any, owner: type, path: str) -> Iterator[str]:
    options = list(_options(hint, owner))
    literals = [option for option in options if typing.get_origin(option) is typing.Literal]
    if value is None:
        if type(None) not in options and Any not in options:
            yield f"{path}: null, but not optional"
        return
    if literals and isinstance(value, str):
        allowed = {word for literal in literals for word in typing.get_args(literal)}
        if value not in allowed:
            yield f"{path}: {value!r} is none of {sorted(allowed)}"
        return
    failures = []
    for option in options:
        found = list(_fits(value, option, owner, path))
        if not found:
            return
        failures.append(found)
    yield from min(failures, key=lambda found: (found[0].startswith("!"), len(found)))


def _fits(value: Any, option: Any, owner: type, path: str) -> Iterator[str]:
    """Complaints about a value that should be of one type; one that begins with ! says it is of another altogether."""
    origin = typing.get_origin(option)
    if origin is list:
        yield from _fits_list(value, typing.get_args(option)[0], owner, path)
    elif option in (str, int, bool, float):
        if not isinstance(value, option) or (option is int and isinstance(value, bool)):
            yield f"!{path}: {value!r} is no {option.__name__}"
    elif option is Decimal:  # a text on the wire
        if not (isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value)):
            yield f"!{path}: {value!r} is no decimal"
    elif origin is stripe.ListObject:
        if not (isinstance(value, dict) and value.get("object") == "list"):
            yield f"!{path}: {value!r} is no list object"
    elif option is not Any:
        yield from _fits_object(value, option, path)


def _fits_list(value: Any, item_hint: Any, owner: type, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"!{path}: {value!r} is no list"
        return
    for index, item in enumerate(value):
        yield from _value(item, item_hint, owner, f"{path}.{index}")


def _fits_object(value: Any, option: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"!{path}: {value!r} does not fit {option}"
    elif inspect.isclass(option) and issubclass(option, stripe.StripeObject) and annotations(option):
        yield from complaints(value, option, path)


def _options(hint: Any, owner: type) -> Iterator[Any]:
    if isinstance(hint, str):
        hint = typing.ForwardRef(hint)
    if isinstance(hint, typing.ForwardRef):
        yield from _options(_resolved(hint.__forward_arg__, owner), owner)
    elif typing.get_origin(hint) is typing.Union:
        for argument in typing.get_args(hint):
            yield from _options(argument, owner)
    else:
        yield hint


def _resolved(name: str, owner: type) -> Any:
    """A class named in an annotation: nested in the owner, public, or a type expression."""
    return eval(name, {}, _Scope(owner))  # noqa: S307  # the library's own annotations


class _Scope(dict[str, Any]):
    """What a name in an annotation of a class means. The library loads its public classes when they are asked for."""

    def __init__(self, owner: type) -> None:
        super().__init__({**vars(typing), **vars(inspect.getmodule(owner)), **vars(owner)})

    def __missing__(self, name: str) -> Any:
        public = name.removesuffix("Resource")  # as some are called where their own name is taken
        return getattr(stripe, public, stripe.StripeObject)  # or a class of a part of Stripe that is not imitated


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint) or "Optional" in str(hint)
