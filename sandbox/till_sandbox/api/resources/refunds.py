"""/v1/refunds, and a charge's refunds"""

from dataclasses import replace
from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import missing_object
from till_sandbox.model import refunds
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return refunds.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return call.tx.get("refund", call.ids["refund"], param="refund")


def update(call: Call) -> Resource:
    return refunds.update(call.tx, retrieve(call), call.params)


def cancel(call: Call) -> Resource:
    return refunds.cancel(call.tx, retrieve(call))


def list_all(call: Call) -> Listing:
    """With `charge`, Stripe adds how many there are."""
    params = call.params
    for name, kind in (("charge", "charge"), ("payment_intent", "payment_intent")):
        if name in params:
            call.tx.get(kind, params[name], param=name, status=400)
    found = listing(call, "refund", {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")})
    return replace(found, count=len(found.page.data)) if "charge" in params else found


def create_of_charge(call: Call) -> Resource:
    return refunds.create(call.tx, {**call.params, "charge": call.ids["charge"]})


def create_answering_charge(call: Call) -> Resource:
    """The older address answers the charge instead of the refund."""
    create_of_charge(call)
    return call.tx.get("charge", call.ids["charge"])


def list_of_charge(call: Call) -> Listing:
    charge = call.tx.get("charge", call.ids["charge"])
    return listing(call, "refund", {"charge": charge.id})


def retrieve_of_charge(call: Call) -> Resource:
    charge: Any = call.tx.get("charge", call.ids["charge"])
    refund = retrieve(call)
    if refund["charge"] != charge.id:
        raise missing_object("refund", refund.id, "refund")
    return refund
