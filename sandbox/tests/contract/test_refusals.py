"""What Stripe says no to, and how: statuses, codes and params are the recorded ones."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

Made = dict[str, str]

#: method and path, status, what there is none of, param. `{customer}` and the like are ids of objects that exist.
UNKNOWN = [
    ("GET /v1/payment_intents/x", 404, "payment_intent", "intent"),
    ("POST /v1/payment_intents/x/confirm", 404, "payment_intent", "intent"),
    ("GET /v1/charges/x", 404, "charge", "id"),
    ("POST /v1/refunds charge", 404, "charge", "id"),
    ("POST /v1/refunds payment_intent", 400, "payment_intent", "payment_intent"),
    ("GET /v1/refunds charge", 400, "charge", "charge"),
    ("GET /v1/setup_intents/x", 404, "setupintent", "intent"),
    ("GET /v1/disputes/x", 404, "dispute", "dispute"),
    ("GET /v1/balance_transactions/x", 404, "balance transaction", "id"),
    ("GET /v1/balance_transactions payout", 400, "payout", "payout"),
    ("GET /v1/customers/x/payment_methods", 404, "customer", "id"),
    ("GET /v1/payment_intents customer", 400, "customer", "customer"),
    ("GET /v1/customers starting_after", 400, "customer", "starting_after"),
    ("GET /v1/events ending_before", 400, "event", "ending_before"),
    ("GET /v1/setup_attempts setup_intent", 400, "setupintent", "setup_intent"),
    ("POST /v1/payment_intents/{intent} payment_method", 400, "PaymentMethod", "payment_method"),
    ("POST /v1/payment_intents/{intent}/confirm confirmation_token", 400, "confirmation_token", "confirmation_token"),
]


@pytest.fixture
def made(http: FlaskClient) -> Made:
    """Ids of objects that exist."""
    customer, other = (post(http, "/v1/customers", name=name)["id"] for name in ("Ada", "Bob"))
    return {
        "customer": customer,
        "other": other,
        "saved": post(http, "/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"],
        "loose": post(http, "/v1/payment_methods", type="card", **{"card[token]": "tok_visa"})["id"],
        "intent": post(http, "/v1/payment_intents", amount="4900", currency="usd")["id"],
        "setup": post(http, "/v1/setup_intents")["id"],
    }


def post(http: FlaskClient, path: str, **form: str) -> dict[str, Any]:
    answer: dict[str, Any] | None = http.post(path, data=form).json
    assert answer is not None
    return answer


def refused(http: FlaskClient, method: str, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    answer = http.open(path, method=method, query_string=form) if method == "GET" else http.post(path, data=form)
    assert answer.json is not None
    error: dict[str, Any] = answer.json["error"]
    return answer.status_code, error


@pytest.mark.parametrize(("asked", "status", "kind", "param"), UNKNOWN, ids=lambda value: str(value).replace(" ", "_"))
def test_an_unknown_object_is_named(
    http: FlaskClient, made: Made, asked: str, status: int, kind: str, param: str
) -> None:
    method, path, *name = asked.format(**made).split()

    answered, error = refused(http, method, path, dict.fromkeys(name, "x"))

    assert (answered, error["code"], error["param"]) == (status, "resource_missing", param)
    assert error["message"] == f"No such {kind}: 'x'"
    assert error["doc_url"] == "https://stripe.com/docs/error-codes/resource-missing"


@pytest.mark.parametrize(
    ("path", "form", "shown"),
    [
        ("/v1/payment_intents/{intent}/confirm", {}, "payment_intent"),
        ("/v1/payment_intents/{intent}/confirm", {"wat": "1"}, "payment_intent"),
        ("/v1/payment_intents/{intent}/capture", {"amount_to_capture": "x"}, "payment_intent"),
        ("/v1/payment_intents/{intent}/cancel", {"cancellation_reason": "x"}, "payment_intent"),
        ("/v1/payment_intents/{intent}", {"amount": "1"}, "payment_intent"),
        ("/v1/setup_intents/{setup}/confirm", {}, "setup_intent"),
        ("/v1/setup_intents/{setup}", {"wat": "1"}, "setup_intent"),
    ],
)
def test_a_refusal_shows_the_intent_unchanged(
    http: FlaskClient, made: Made, path: str, form: dict[str, str], shown: str
) -> None:
    path = path.format(**made)
    before = http.get("/".join(path.split("/")[:4])).json

    _, error = refused(http, "POST", path, form)

    assert error[shown] == before
    assert error["request_log_url"]


def test_a_browser_without_the_secret_is_shown_nothing(browser: FlaskClient, made: Made) -> None:
    for secret in ({}, {"client_secret": "wrong"}, {"client_secret": "wrong", "wat": "1"}):
        _, error = refused(browser, "POST", f"/v1/payment_intents/{made['intent']}/confirm", secret)

        assert "payment_intent" not in error
        assert "_secret_" not in str(error)


@pytest.mark.parametrize(
    ("path", "form", "status", "code", "param", "words"),
    [
        ("/v1/customers", {"source": "tok_visa"}, 400, None, None, "has reached end of life"),
        ("/v1/customers/{customer}", {"source": "tok_visa"}, 400, None, None, "has reached end of life"),
        ("/v1/customers", {"source": "tok_x"}, 400, None, None, "has reached end of life"),
        ("/v1/customers", {"source": "x"}, 400, "resource_missing", "source", "No such token: 'x'"),
        (
            "/v1/customers/{customer}",
            {"default_source": "x"},
            400,
            "resource_missing",
            "default_source",
            "No such source",
        ),
        ("/v1/charges", {"source[number]": "4242424242424242"}, 402, None, None, "generally unsafe"),
        ("/v1/charges", {"card[number]": "4242424242424242"}, 402, None, None, "generally unsafe"),
        (
            "/v1/customers/{other}",
            {"invoice_settings[default_payment_method]": "{saved}"},
            400,
            "resource_missing",
            "invoice_settings[default_payment_method]",
            "The customer does not have a payment method with the ID",
        ),
        ("/v1/payment_methods/{saved}/attach", {"customer": "{other}"}, 400, None, None, "already been attached"),
        ("/v1/payment_methods/{loose}", {"metadata[a]": "b"}, 400, None, None, "You must save this PaymentMethod"),
        ("/v1/payment_methods/{saved}", {"card[exp_month]": "13"}, 402, "invalid_expiry_month", "exp_month", "month"),
    ],
)
def test_cards_go_to_customers_the_new_way_only(
    http: FlaskClient,
    made: Made,
    path: str,
    form: dict[str, str],
    status: int,
    code: str | None,
    param: str | None,
    words: str,
) -> None:
    filled = {name: value.format(**made) for name, value in form.items()}

    answered, error = refused(http, "POST", path.format(**made), filled)

    assert answered == status
    assert words in error["message"]
    assert (error.get("code"), error.get("param")) == (code, param)


def test_a_payment_method_that_paid_without_a_customer_is_spent(client: stripe.StripeClient, made: Made) -> None:
    paying: Any = {"amount": 4900, "currency": "usd", "payment_method": made["loose"]}
    chosen_before = client.v1.payment_intents.create(paying)
    client.v1.payment_intents.create({**paying, "confirm": True})  # type: ignore[typeddict-item]  # built from parts

    with pytest.raises(stripe.InvalidRequestError, match="It may not be used again"):
        client.v1.payment_intents.confirm(chosen_before.id)
    with pytest.raises(stripe.InvalidRequestError, match="It may not be used again"):
        client.v1.setup_intents.create({"payment_method": made["loose"]})
    with pytest.raises(stripe.InvalidRequestError, match="It may not be used again"):
        client.v1.payment_intents.create(paying)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(made["loose"], {"customer": made["customer"]})


def test_a_declined_payment_method_is_not_spent(client: stripe.StripeClient) -> None:
    card: Any = {"type": "card", "card": {"token": "tok_visa_chargeDeclined"}}
    method = client.v1.payment_methods.create(card)
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.confirm(intent.id, {"payment_method": method.id})


def test_a_detached_payment_method_is_spent_and_no_default_any_more(client: stripe.StripeClient, made: Made) -> None:
    default: Any = {"invoice_settings": {"default_payment_method": made["saved"]}}
    client.v1.customers.update(made["customer"], default)

    client.v1.payment_methods.detach(made["saved"])

    customer = client.v1.customers.retrieve(made["customer"])
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method is None
    told = client.v1.events.list({"type": "customer.updated"}).data[0].data.previous_attributes
    assert told is not None
    assert told.to_dict() == {"invoice_settings": {"default_payment_method": made["saved"]}}
    with pytest.raises(stripe.InvalidRequestError, match="was detached from a Customer"):
        client.v1.payment_methods.attach(made["saved"], {"customer": made["customer"]})


def test_a_server_may_rather_have_an_error_than_a_challenge(client: stripe.StripeClient) -> None:
    paying: Any = {
        "amount": 4900,
        "currency": "usd",
        "payment_method": "pm_card_authenticationRequired",
        "confirm": True,
        "error_on_requires_action": True,
    }

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.create(paying)

    assert refusal.value.error is not None
    said = (refusal.value.error.code, refusal.value.error.decline_code)
    assert said == ("authentication_required", "authentication_not_handled")


def test_a_payment_keeps_its_customer(client: stripe.StripeClient, made: Made) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd", "customer": made["customer"]})

    client.v1.payment_intents.update(intent.id, {"customer": made["customer"]})
    with pytest.raises(stripe.InvalidRequestError, match="You cannot modify `customer` on a PaymentIntent"):
        client.v1.payment_intents.update(intent.id, {"customer": made["other"]})


def test_a_setup_that_is_done_cannot_be_cancelled(http: FlaskClient) -> None:
    setup = post(http, "/v1/setup_intents", usage="on_session", payment_method="pm_card_visa", confirm="true")
    assert setup["usage"] == "off_session"

    _, error = refused(http, "POST", f"/v1/setup_intents/{setup['id']}/cancel", {})

    assert error["code"] == "setup_intent_unexpected_state"
    assert "`requires_payment_method`, `requires_confirmation`, `requires_action`" in error["message"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer sk_live_x"}, {"Authorization": "Bearer sk_test_a"}, {"Content-Type": "text/plain"}],
)
def test_every_refusal_has_a_log(application: Flask, headers: dict[str, str]) -> None:
    answer = application.test_client().post("/v1/payment_intents", headers=headers, data="amount=x")

    assert answer.json is not None
    assert answer.json["error"]["request_log_url"].endswith(answer.headers["Request-Id"])


def test_an_update_that_changes_nothing_tells_nobody(client: stripe.StripeClient, made: Made) -> None:
    client.v1.customers.update(made["customer"], {"name": "Ada"})
    client.v1.customers.update(made["customer"], {"metadata": {"a": "b"}})

    (event,) = client.v1.events.list({"type": "customer.updated"}).data
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes.to_dict() == {"metadata": {"a": None}}


def test_the_balance_is_what_its_rows_come_to(client: stripe.StripeClient, later: Callable[[float], None]) -> None:
    paying: Any = {"amount": 5000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    charge = client.v1.payment_intents.create(paying).latest_charge
    later(2)
    client.v1.refunds.create({"charge": str(charge), "amount": 1000})

    balance = client.v1.balance.retrieve()

    assert [(pending.amount, pending.currency) for pending in balance.pending] == [(5000 - 175 - 1000, "usd")]
    assert balance.available[0].amount == 0


def test_a_hold_is_released_by_canceling_not_by_refunding(client: stripe.StripeClient) -> None:
    held: Any = {"amount": 500, "currency": "usd", "capture_method": "manual"}
    held |= {"confirm": True, "payment_method": "pm_card_visa"}
    intent = client.v1.payment_intents.create(held)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": str(intent.latest_charge)})

    assert refusal.value.user_message == (
        f"This uncaptured Charge was created by a PaymentIntent ({intent.id}). You must cancel the PaymentIntent to "
        "reverse the authorization instead of refunding the Charge directly. For more information, see "
        "https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
    )


def test_a_set_up_card_is_neither_canceled_nor_verified_by_deposits(client: stripe.StripeClient) -> None:
    done = client.v1.setup_intents.create({"confirm": True, "payment_method": "pm_card_visa"})

    with pytest.raises(stripe.InvalidRequestError, match="it has a status of succeeded"):
        client.v1.setup_intents.cancel(done.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.verify_microdeposits(done.id, {"amounts": [32, 45]})

    assert (refusal.value.http_status, refusal.value.code) == (400, "setup_intent_unexpected_state")
