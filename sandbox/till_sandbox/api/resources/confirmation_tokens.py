"""/v1/confirmation_tokens"""

from till_sandbox.api.call import Call
from till_sandbox.api.resources.payment_methods import raw_number
from till_sandbox.errors import ApiError
from till_sandbox.model import confirmation_tokens
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    """From a page, with what was typed into it; a server has none to make."""
    if not call.principal.publishable:
        raise ApiError(
            "ConfirmationTokens are created by Stripe.js. In test mode a server can create one with "
            "/v1/test_helpers/confirmation_tokens.",
            status=403,
        )
    return confirmation_tokens.create(call.tx, call.params)


def create_for_test(call: Call) -> Resource:
    """The test helper: a server stands in for the page."""
    if "number" in (call.params.get("payment_method_data", {}).get("card") or {}):
        raise raw_number()
    return confirmation_tokens.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return call.tx.get(confirmation_tokens.KIND, call.ids["confirmation_token"], param="confirmation_token")
