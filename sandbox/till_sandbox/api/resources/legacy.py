"""Cards given to customers and charges directly, as it was done before PaymentMethods: closed to new accounts."""

from typing import Any

from till_sandbox.api.resources.payment_methods import raw_number
from till_sandbox.errors import ApiError, missing_object

#: Where a card could be given. A number came as an object, a token or source by its name.
CARD_PARAMETERS = ("card", "source")


def refuse_cards(params: dict[str, Any]) -> None:
    """Stripe's refusal if a card is given: by number, by token, or as a source nobody has."""
    for name in (*CARD_PARAMETERS, "default_source"):
        given = params.get(name)
        if isinstance(given, dict):
            raise raw_number()
        if given and given.startswith("tok_"):
            raise _end_of_life()
        if given:
            is_source = name == "default_source" or given.startswith("src_")
            raise missing_object("source" if is_source else "token", given, name, status=400)


def _end_of_life() -> ApiError:
    return ApiError(
        "Card Token usage on the Customers API and Charges API has reached end of life. In order to continue "
        "processing your payments, you will need to use the Payment Intents and Payment Methods API. Read more "
        "about what you should do here: https://docs.stripe.com/payments/payment-methods/integration-options. If "
        "you need to continue to use Card Tokens on the Customers and Charges API, enable this functionality in "
        "your API policies settings: https://dashboard.stripe.com/settings/developers/api-policies"
    )
