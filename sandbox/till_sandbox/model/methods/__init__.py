"""The types of payment method, a module for each. A further type is a module like `card`, and a line in the table."""

from till_sandbox.model.methods.base import Consequences, MethodType
from till_sandbox.model.methods.card import CARD
from till_sandbox.model.methods.link import LINK
from till_sandbox.state import Resource

__all__ = ["TYPES", "UNKNOWN", "Consequences", "MethodType", "of_charge", "type_of"]

#: What an account of the sandbox takes, in the order that intents list it in.
TYPES: dict[str, MethodType] = {method.name: method for method in (CARD, LINK)}


#: What stands in for a type that is not in the table: it makes nothing.
UNKNOWN = MethodType()


def type_of(payment_method: Resource) -> MethodType:
    return TYPES[payment_method["type"]]


def of_charge(charge: Resource) -> MethodType:
    return TYPES[charge["payment_method_details"]["type"]]
