"""ConfirmationTokens: a card typed into a page, with which the server confirms once."""

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.model.confirmation_tokens import GOOD_FOR
from till_sandbox.testing import ManualClock

TYPED = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "4242424242424242",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "34",
    "payment_method_data[card][cvc]": "123",
    "payment_method_data[billing_details][name]": "Ada",
}


def test_a_page_makes_a_token_and_the_server_pays_with_it_once(
    browser: FlaskClient, client: stripe.StripeClient
) -> None:
    shipping = {"shipping[name]": "Ada", "shipping[address][line1]": "1 Main St", "return_url": "https://shop.example/"}
    made = browser.post("/v1/confirmation_tokens", data={**TYPED, **shipping}).json
    assert made is not None
    preview = made["payment_method_preview"]
    assert made["id"].startswith("ctoken_1")
    assert (preview["card"]["last4"], preview["billing_details"]["name"]) == ("4242", "Ada")
    assert "fingerprint" not in preview["card"]
    assert made["expires_at"] == made["created"] + GOOD_FOR

    pay = {"amount": 4900, "currency": "usd", "confirm": True, "confirmation_token": made["id"]}
    intent = client.v1.payment_intents.create(pay)  # type: ignore[arg-type]  # from parts

    assert (intent.status, intent.shipping.name if intent.shipping else None) == ("succeeded", "Ada")
    token = client.v1.confirmation_tokens.retrieve(made["id"])
    assert (token.payment_intent, token.expires_at) == (intent.id, None)
    with pytest.raises(stripe.InvalidRequestError, match="has already been used to confirm"):
        client.v1.payment_intents.create(pay)  # type: ignore[arg-type]  # from parts


def test_a_token_whose_card_asks_goes_on_in_the_page(client: stripe.StripeClient) -> None:
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": "pm_card_authenticationRequired"})
    intent = client.v1.setup_intents.create({"confirm": True, "confirmation_token": token.id})

    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    assert client.v1.confirmation_tokens.retrieve(token.id).setup_intent == intent.id


def test_a_declined_token_is_used_up_and_a_refused_one_is_not(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": "pm_card_chargeDeclined"})

    with pytest.raises(stripe.InvalidRequestError, match="does not match the amount"):
        client.v1.payment_intents.confirm(intent.id, {"confirmation_token": token.id, "amount_to_confirm": 1})
    assert client.v1.confirmation_tokens.retrieve(token.id).payment_intent is None
    with pytest.raises(stripe.CardError, match="Your card was declined"):
        client.v1.payment_intents.confirm(intent.id, {"confirmation_token": token.id})
    assert client.v1.confirmation_tokens.retrieve(token.id).payment_intent == intent.id


def test_a_token_is_good_for_half_a_day(client: stripe.StripeClient, clock: ManualClock) -> None:
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": "pm_card_visa"})
    clock.advance(GOOD_FOR)

    with pytest.raises(stripe.InvalidRequestError, match="has expired"):
        client.v1.setup_intents.create({"confirm": True, "confirmation_token": token.id})


def test_the_amount_that_a_page_showed_must_be_that_of_the_payment(
    browser: FlaskClient, client: stripe.StripeClient
) -> None:
    shown = {"client_context[mode]": "payment", "client_context[amount]": "1000", "client_context[currency]": "usd"}
    made = browser.post("/v1/confirmation_tokens", data={**TYPED, **shown}).json
    assert made is not None
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError, match=r"amount \(1000\) does not match the expected amount \(4900"):
        client.v1.payment_intents.confirm(intent.id, {"confirmation_token": made["id"]})
    form = {**TYPED, "client_secret": str(intent.client_secret), "client_context[mode]": "setup"}
    answer = browser.post(f"/v1/payment_intents/{intent.id}/confirm", data=form)
    assert answer.status_code == 400


def test_wrong_uses_of_tokens_are_refused(browser: FlaskClient, client: stripe.StripeClient) -> None:
    for path in ("/v1/confirmation_tokens", "/v1/test_helpers/confirmation_tokens"):
        with pytest.raises(stripe.StripeError) as raised:
            client.raw_request(
                "post", path, payment_method_data={"type": "card", "card": {"number": "4242424242424242"}}
            )
        assert raised.value.http_status in (402, 403)
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters"):
        client.v1.payment_intents.create(
            {
                "amount": 4900,
                "currency": "usd",
                "confirm": True,
                "confirmation_token": "ctoken_1",
                "payment_method": "pm_card_visa",
            }
        )
    with pytest.raises(stripe.InvalidRequestError, match="You can only pass `confirmation_token`"):
        client.v1.payment_intents.create({"amount": 4900, "currency": "usd", "confirmation_token": "ctoken_1"})
    answer = browser.post("/v1/confirmation_tokens", data={})
    assert (answer.status_code, answer.json and answer.json["error"]["param"]) == (400, "payment_method_data")
