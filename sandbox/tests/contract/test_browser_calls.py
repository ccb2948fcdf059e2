"""What Stripe.js asks the API for: cards that were typed in, and 3-D Secure."""

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.browser.pages import RELEASES
from till_sandbox.model import authentications
from till_sandbox.sandbox import Sandbox

TYPED = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "34",
    "payment_method_data[card][cvc]": "123",
    "payment_method_data[billing_details][address][postal_code]": "94103",
    "payment_method_data[guid]": "NA",
    "expected_payment_method_type": "card",
    "use_stripe_sdk": "true",
}


def confirm(
    browser: FlaskClient, intent: stripe.PaymentIntent, number: str, **more: str
) -> tuple[int, dict[str, object]]:
    form = {**TYPED, "payment_method_data[card][number]": number, "client_secret": str(intent.client_secret), **more}
    answer = browser.post(f"/v1/payment_intents/{intent.id}/confirm", data=form)
    assert isinstance(answer.json, dict)
    return answer.status_code, answer.json


@pytest.fixture
def intent(client: stripe.StripeClient) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": 4900, "currency": "usd", "allowed_payment_method_types": ["card"]}
    )


def challenge_of(body: dict[str, object]) -> tuple[str, str]:
    action = body["next_action"]
    assert isinstance(action, dict)
    assert action["type"] == "use_stripe_sdk"
    said = action["use_stripe_sdk"]
    assert said["type"] == "three_d_secure_redirect"
    return said["source"], said["stripe_js"].partition("client_secret=")[2]


def test_a_typed_card_pays(browser: FlaskClient, intent: stripe.PaymentIntent) -> None:
    status, body = confirm(browser, intent, "4242 4242 4242 4242")

    assert (status, body["status"]) == (200, "succeeded")


def test_a_browser_makes_a_payment_method_and_pays_with_it(
    browser: FlaskClient, client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    form = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "12", "card[exp_year]": "2034"}

    made = browser.post("/v1/payment_methods", data=form).json
    assert made is not None
    assert "fingerprint" not in made["card"]
    paid = browser.post(
        f"/v1/payment_intents/{intent.id}/confirm",
        data={"client_secret": intent.client_secret, "payment_method": made["id"]},
    )

    assert paid.json is not None
    assert paid.json["status"] == "succeeded"


def test_card_numbers_are_never_kept(browser: FlaskClient, intent: stripe.PaymentIntent, sandbox: Sandbox) -> None:
    confirm(browser, intent, "4000000000000002")

    with sandbox.state.read("") as tx:
        kept = [row[0] + row[1] for row in tx.execute("SELECT body, private FROM objects")]
    assert not [text for text in kept if "4000000000000002" in text]


@pytest.mark.parametrize(
    ("number", "more", "code"),
    [
        ("4111111111111111", {}, "card_declined"),
        ("4242424242424241", {}, "incorrect_number"),
        ("4242", {}, "invalid_number"),
        ("4242424242424242", {"payment_method_data[card][exp_month]": "13"}, "invalid_expiry_month"),
        ("4242424242424242", {"payment_method_data[card][exp_year]": "95"}, "invalid_expiry_year"),
        ("4242424242424242", {"payment_method_data[card][cvc]": "99"}, "invalid_cvc"),
    ],
)
def test_what_is_no_test_card_is_declined(
    browser: FlaskClient, intent: stripe.PaymentIntent, number: str, more: dict[str, str], code: str
) -> None:
    status, body = confirm(browser, intent, number, **more)

    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["type"], error["code"]) == (402, "card_error", code)
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_secret_keys_must_not_send_card_numbers(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.StripeError, match="generally unsafe"):
        client.v1.payment_methods.create({"type": "card", "card": {"number": "4242424242424242"}})


def test_a_completed_challenge_takes_the_money(
    browser: FlaskClient, client: stripe.StripeClient, intent: stripe.PaymentIntent, sandbox: Sandbox
) -> None:
    status, body = confirm(browser, intent, "4000002760003184")
    assert (status, body["status"]) == (200, "requires_action")

    settled = authentications.decide(sandbox.state, *challenge_of(body), "complete")

    assert (settled.status, settled.amount, settled.last4) == ("complete", 4900, "3184")
    paid = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert paid.status == "succeeded"
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.payment_method_details is not None
    assert paid.latest_charge.payment_method_details.card is not None
    assert paid.latest_charge.payment_method_details.card.three_d_secure is not None


def test_a_challenge_is_decided_once(
    browser: FlaskClient, client: stripe.StripeClient, intent: stripe.PaymentIntent, sandbox: Sandbox
) -> None:
    _, body = confirm(browser, intent, "4000002500003155")
    challenge = challenge_of(body)

    authentications.decide(sandbox.state, *challenge, "fail")
    again = authentications.decide(sandbox.state, *challenge, "complete")

    assert again.status == "failed"
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_challenge_abandoned_for_another_card_is_over(
    browser: FlaskClient, client: stripe.StripeClient, intent: stripe.PaymentIntent, sandbox: Sandbox
) -> None:
    _, body = confirm(browser, intent, "4000002760003184")

    status, paid = confirm(browser, intent, "4242424242424242")

    assert (status, paid["status"]) == (200, "succeeded")
    assert authentications.find(sandbox.state, *challenge_of(body)).status == "failed"
    authentications.decide(sandbox.state, *challenge_of(body), "complete")
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_a_challenge_needs_its_secret(browser: FlaskClient, intent: stripe.PaymentIntent, sandbox: Sandbox) -> None:
    _, body = confirm(browser, intent, "4000002760003184")
    source, _ = challenge_of(body)

    with pytest.raises(authentications.NotFound):
        authentications.find(sandbox.state, source, "wrong")
    with pytest.raises(authentications.NotFound):
        authentications.find(sandbox.state, "src_nope", "wrong")


def test_a_server_that_confirms_gets_an_address_to_redirect_to(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 4900,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_authenticationRequired",
            "return_url": "https://shop.example/back",
        }
    )

    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.return_url == "https://shop.example/back"
    assert str(intent.next_action.redirect_to_url.url).startswith("http://127.0.0.1:4242/sandbox/3ds/src_")


def test_manual_confirmation_waits_for_the_server_after_a_challenge(
    client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 4900,
            "currency": "usd",
            "confirmation_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_authenticationRequired",
            "use_stripe_sdk": True,
        }
    )

    authentications.decide(sandbox.state, *challenge_of(intent.to_dict()), "complete")

    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(intent.id).status == "succeeded"


def test_a_browser_saves_a_card_with_a_setup_intent(
    browser: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    setup = client.v1.setup_intents.create({"customer": customer.id})
    form = {**TYPED, "payment_method_data[card][number]": "4000002500003155", "client_secret": str(setup.client_secret)}

    body = browser.post(f"/v1/setup_intents/{setup.id}/confirm", data=form).json
    assert body is not None
    authentications.decide(sandbox.state, *challenge_of(body), "complete")

    done = client.v1.setup_intents.retrieve(setup.id)
    assert done.status == "succeeded"
    paid = client.v1.payment_intents.create(
        {
            "amount": 4900,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": str(done.payment_method),
            "off_session": True,
            "confirm": True,
        }
    )
    assert paid.status == "succeeded"


@pytest.mark.parametrize(
    ("cvc", "status", "check"),
    [("123", "succeeded", "pass"), ("1234", "succeeded", "pass"), ("99", "invalid_cvc", None)],
)
def test_a_saved_card_is_paid_with_after_its_cvc_was_asked_again(
    browser: FlaskClient, client: stripe.StripeClient, cvc: str, status: str, check: str | None
) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})
    form = {
        "client_secret": str(intent.client_secret),
        "payment_method": "pm_card_visa",
        "payment_method_options[card][cvc]": cvc,
    }

    body = browser.post(f"/v1/payment_intents/{intent.id}/confirm", data=form).json

    assert body is not None
    assert body.get("status", body.get("error", {}).get("code")) == status
    charges = client.v1.charges.list({"payment_intent": intent.id}).to_dict()["data"]
    assert [charge["payment_method_details"]["card"]["checks"]["cvc_check"] for charge in charges] == [check][
        : len(charges)
    ]
    assert len(charges) == (1 if check else 0)


@pytest.mark.parametrize(
    ("more", "network"),
    [
        ({}, "cartes_bancaires"),
        ({"payment_method_options[card][network]": "visa"}, "visa"),
        ({"payment_method_data[card][networks][preferred]": "visa"}, "visa"),
        ({"payment_method_options[card][network]": "mastercard"}, "cartes_bancaires"),
    ],
)
def test_a_card_of_two_networks_takes_the_one_chosen(
    browser: FlaskClient, client: stripe.StripeClient, intent: stripe.PaymentIntent, more: dict[str, str], network: str
) -> None:
    status, _ = confirm(browser, intent, "4000002500001001", **more)

    assert status == 200
    (charge,) = client.v1.charges.list().to_dict()["data"]
    assert charge["payment_method_details"]["card"]["network"] == network


def test_a_network_the_card_does_not_have_cannot_be_preferred(
    browser: FlaskClient, intent: stripe.PaymentIntent
) -> None:
    status, body = confirm(
        browser, intent, "4242424242424242", **{"payment_method_data[card][networks][preferred]": "mastercard"}
    )

    assert status == 400
    assert "error" in body


def test_a_cvc_that_was_not_given_cannot_be_wrong(browser: FlaskClient, intent: stripe.PaymentIntent) -> None:
    form = {name: value for name, value in TYPED.items() if not name.endswith("[cvc]")}
    form |= {"payment_method_data[card][number]": "4000000000000127", "client_secret": str(intent.client_secret)}

    answer = browser.post(f"/v1/payment_intents/{intent.id}/confirm", data=form)

    assert answer.status_code == 200


def test_only_a_browser_asks_for_a_cvc_again(client: stripe.StripeClient, http: FlaskClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd", "payment_method": "pm_card_visa"})

    answer = http.post(f"/v1/payment_intents/{intent.id}/confirm", data={"payment_method_options[card][cvc]": "123"})

    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/v3", "/v3/", *(f"/{name}/stripe.js" for name in RELEASES)])
def test_the_script_is_there_under_the_name_of_every_release(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path)

    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.text == browser.get("/endive/stripe.js").text
    assert browser.get("/everest/stripe.js").status_code == 404


def test_a_browser_sends_its_key_in_the_form(application: Flask, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    form = {"key": "pk_test_contract", "client_secret": str(intent.client_secret), "payment_method": "pm_card_visa"}

    answer = application.test_client().post(f"/v1/payment_intents/{intent.id}/confirm", data=form)

    assert (answer.json or {})["status"] == "succeeded"
