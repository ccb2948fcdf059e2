"""/v1/charges"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.resources.legacy import refuse_cards
from till_sandbox.api.search import search as find
from till_sandbox.errors import ApiError
from till_sandbox.model import charges, payment_intents
from till_sandbox.state import Resource

#: What a charge's capture passes on to its PaymentIntent's, by the name it has there.
_OF_CAPTURE = {
    "amount": "amount_to_capture",
    "statement_descriptor": "statement_descriptor",
    "statement_descriptor_suffix": "statement_descriptor_suffix",
}


def create(call: Call) -> Resource:
    """Refused, as for every new account; each way of asking has a refusal of its own."""
    params = call.params
    refuse_cards(params)
    if "customer" not in params:
        raise ApiError("Must provide source or customer.", code="parameter_missing")
    customer = call.tx.get("customer", params["customer"], param="customer", status=400)
    if call.tx.all("payment_method", customer=customer.id):
        message = (
            "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached. Use "
            "a Payment Intent instead of creating a Charge: https://stripe.com/docs/payments/payment-intents/migration"
        )
    else:
        message = (
            "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or "
            "Source to this Customer and then try this request again, or use Payment Intents and Payment Methods "
            "instead."
        )
    raise ApiError(message, status=402, kind="card_error", code="missing", param="card")


def capture(call: Call) -> Resource:
    """Capture through the charge what its PaymentIntent holds."""
    charge = retrieve(call)
    if charge["captured"]:
        raise ApiError(f"Charge {charge.id} has already been captured.", code="charge_already_captured")
    intent = call.tx.get("payment_intent", charge["payment_intent"])
    if "receipt_email" in call.params:
        charges.send_receipt_to(call.tx, charge, call.params["receipt_email"])
    asked = {new: call.params[name] for name, new in _OF_CAPTURE.items() if name in call.params}
    payment_intents.capture(call.tx, intent, asked)
    return retrieve(call)


def retrieve(call: Call) -> Resource:
    return call.tx.get("charge", call.ids["charge"])


def list_all(call: Call) -> Listing:
    params = call.params
    if "customer" in params:
        call.tx.get("customer", params["customer"], param="customer", status=400)
    if "payment_intent" in params:
        call.tx.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
    return listing(
        call, "charge", {name: params.get(name) for name in ("customer", "payment_intent", "transfer_group")}
    )


def search(call: Call) -> dict[str, Any]:
    return find(call, "charge")


def update(call: Call) -> Resource:
    charge = retrieve(call)
    if "transfer_group" in call.params:
        raise ApiError(
            f"This Charge was created by a PaymentIntent ({charge['payment_intent']}). You must update the "
            "`transfer_group` on the PaymentIntent instead of updating the Charge directly. See "
            "https://stripe.com/docs/api#update_payment_intent"
        )
    return charges.update(call.tx, charge, call.params)
