"""/v1/disputes, and a charge's dispute"""

from dataclasses import replace

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import ApiError
from till_sandbox.model import disputes
from till_sandbox.state import Resource


def retrieve(call: Call) -> Resource:
    return call.tx.get("dispute", call.ids["dispute"], param="dispute")


def update(call: Call) -> Resource:
    return disputes.update(call.tx, retrieve(call), call.params)


def close(call: Call) -> Resource:
    return disputes.close(call.tx, retrieve(call))


def list_all(call: Call) -> Listing:
    """With `charge`, Stripe adds how many there are."""
    params = call.params
    for name, kind in (("charge", "charge"), ("payment_intent", "payment_intent")):
        if name in params:
            call.tx.get(kind, params[name], param=name, status=400)
    found = listing(call, "dispute", {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")})
    return replace(found, count=len(found.page.data)) if "charge" in params else found


def retrieve_of_charge(call: Call) -> Resource:
    charge = call.tx.get("charge", call.ids["charge"])
    found = call.tx.all("dispute", charge=charge.id)
    if not found:
        raise ApiError(f"No dispute for charge: {charge.id}", status=404)
    return found[0]
