"""An intent that belongs to a Checkout Session is the page's to confirm, and ends with the session."""

from till_sandbox.errors import ApiError
from till_sandbox.model import followers
from till_sandbox.state import Resource, Transaction


def check_not_of_checkout(tx: Transaction, intent: Resource) -> None:
    """Refuse what the API may not do to the intent of an open session. Once it is complete, a hold may be let go."""
    owner = followers.owner_of(tx, intent)
    if owner is None or owner.kind != "checkout.session" or owner["status"] == "complete":
        return
    name = "PaymentIntents" if intent.kind == "payment_intent" else "SetupIntents"
    raise ApiError(
        f"You cannot perform this action on {name} created by Checkout. To end the payment, expire the Checkout "
        "Session instead.",
        code=f"{intent.kind}_unexpected_state",
    )
