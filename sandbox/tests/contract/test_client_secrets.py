"""A publishable key is public: without an intent's client secret it learns nothing of the intent, least of all that."""

import itertools

import pytest
from flask.testing import FlaskClient

from till_sandbox.api.route import Route
from till_sandbox.api.routes import ROUTES

PUBLISHABLE = [route for route in ROUTES if route.publishable]

#: Requests a browser may send, good and bad: each is refused at another place.
REQUESTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "a test card": {"payment_method": "pm_card_visa"},
    "an unknown payment method": {"payment_method": "pm_unknown"},
    "a ConfirmationToken": {"confirmation_token": "ctoken_unknown"},
    "a card number": {
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4000000000000002",
        "payment_method_data[card][exp_month]": "12",
        "payment_method_data[card][exp_year]": "34",
    },
    "half a card": {"payment_method_data[type]": "card"},
    "no address": {"return_url": "nowhere"},
    "an unknown parameter": {"wat": "1"},
    "an unknown expansion": {"expand[]": "wat"},
    "too small an amount": {"amount_to_confirm": "1"},
    "no payment method type that is left": {"allowed_payment_method_types[]": "alipay"},
}

WRONG: dict[str, dict[str, str]] = {
    "nothing": {},
    "another one": {"client_secret": "pi_1_secret_2"},
    "a nested one": {"client_secret[a]": "b"},
    "an empty one": {"client_secret": ""},
}


@pytest.fixture(params=["new", "succeeded"])
def intents(request: pytest.FixtureRequest, http: FlaskClient) -> dict[str, dict[str, str]]:
    """One of each kind, by its place in the path."""
    paid = {"confirm": "true", "payment_method": "pm_card_visa"} if request.param == "succeeded" else {}
    payment = http.post("/v1/payment_intents", data={"amount": "4900", "currency": "usd", **paid}).json
    setup = http.post("/v1/setup_intents", data=paid).json
    assert payment is not None
    assert setup is not None
    return {"/v1/payment_intents": payment, "/v1/setup_intents": setup}


@pytest.mark.parametrize("route", PUBLISHABLE, ids=lambda route: f"{route.method} {route.path}")
def test_who_does_not_know_the_secret_is_not_told_it(
    browser: FlaskClient, intents: dict[str, dict[str, str]], route: Route
) -> None:
    intent = next((intent for prefix, intent in intents.items() if route.path.startswith(prefix)), None)
    path = route.path.replace("{intent}", intent["id"] if intent else "")

    for asked, secret in itertools.product(REQUESTS, WRONG):
        form = {**REQUESTS[asked], **WRONG[secret]}
        answer = (
            browser.get(path, query_string=form)
            if route.method == "GET"
            else browser.open(path, method=route.method, data=form)
        )

        assert "_secret_" not in answer.text, f"told who sent {asked} with {secret} for a secret"
        assert intent is None or answer.status_code == 400, f"took {asked} with {secret} for a secret"


@pytest.mark.parametrize("kind", ["payment_intent", "setup_intent"])
def test_a_refusal_shows_the_intent_to_who_knows_its_secret(
    browser: FlaskClient, intents: dict[str, dict[str, str]], kind: str
) -> None:
    intent = intents[f"/v1/{kind}s"]
    form = {"confirmation_token": "ctoken_unknown", "client_secret": intent["client_secret"]}

    answer = browser.post(f"/v1/{kind}s/{intent['id']}/confirm", data=form)

    assert answer.json is not None
    assert answer.json["error"]["message"] == "No such confirmation_token: 'ctoken_unknown'"
    assert answer.json["error"][kind]["client_secret"] == intent["client_secret"]


def test_what_a_secret_key_was_answered_is_not_told_to_a_browser_again(http: FlaskClient, browser: FlaskClient) -> None:
    intent = http.post("/v1/payment_intents", data={"amount": "4900", "currency": "usd"}).json
    assert intent is not None
    request = {
        "data": {"payment_method": "pm_card_visa", "return_url": "https://shop.test/"},
        "headers": {"Idempotency-Key": "shared"},
    }

    first = http.post(f"/v1/payment_intents/{intent['id']}/confirm", **request)
    answer = browser.post(f"/v1/payment_intents/{intent['id']}/confirm", **request)

    assert first.status_code == 200
    assert answer.status_code == 400
    assert intent["client_secret"] not in answer.text
