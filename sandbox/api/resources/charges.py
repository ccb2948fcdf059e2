"""/v1/charges"""

from sandbox.api.call import Call, Listing, listing
from sandbox.errors import ApiError
from sandbox.model import charges
from sandbox.state import Resource


def retrieve(call: Call) -> Resource:
    return call.tx.get("charge", call.ids["charge"])


def list_all(call: Call) -> Listing:
    params = call.params
    if "customer" in params:
        call.tx.get("customer", params["customer"], param="customer", status=400)
    if "payment_intent" in params:
        call.tx.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
    return listing(call, "charge", {"customer": params.get("customer"), "payment_intent": params.get("payment_intent")})


def update(call: Call) -> Resource:
    charge = retrieve(call)
    if "transfer_group" in call.params:
        raise ApiError(
            f"This Charge was created by a PaymentIntent ({charge['payment_intent']}). You must update the "
            "`transfer_group` on the PaymentIntent instead of updating the Charge directly. See "
            "https://stripe.com/docs/api#update_payment_intent"
        )
    return charges.update(call.tx, charge, call.params)
