"""Checkout Sessions that are paid: what the payment, the session and the events become."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from harness.checkout import TEA, Open, opener, pay
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import ManualClock

Later = Callable[[float], None]


@pytest.fixture
def start(client: stripe.StripeClient) -> Open:
    return opener(client)


def types(client: stripe.StripeClient) -> list[str]:
    """Of all events, oldest first."""
    return [event.type for event in reversed(client.v1.events.list({"limit": 100}).data)]


def test_paying_makes_the_payment_and_completes_the_session(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    session = start(payment_intent_data={"metadata": {"order": "T-1"}, "description": "Tea"}, metadata={"only": "here"})

    pay(http, session.id, email="ada@example.com", name="Ada", postal_code="62701")

    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status, done.url, done.customer) == ("complete", "paid", None, None)
    intent: Any = done.payment_intent
    assert (intent.status, intent.amount_received, intent.description) == ("succeeded", 1800, "Tea")
    assert intent.metadata.to_dict() == {"order": "T-1"}
    assert intent.payment_details.order_reference == session.id[:25]
    assert done.customer_details is not None
    assert (done.customer_details.email, done.customer_details.name) == ("ada@example.com", "Ada")
    assert types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    completed: Any = client.v1.events.list({"type": "checkout.session.completed"}).data[0].data.object
    assert (completed["status"], completed["payment_status"]) == ("complete", "paid")
    assert [it.id for it in client.v1.checkout.sessions.list({"payment_intent": intent.id}).data] == [session.id]


def test_a_decline_leaves_the_session_open_for_another_card(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    session = start()

    declined = pay(http, session.id, payment_method="pm_card_chargeDeclined")
    first = client.v1.checkout.sessions.retrieve(session.id)
    pay(http, session.id)

    assert declined["error"] == "Your card was declined."
    assert (first.status, first.payment_status) == ("open", "unpaid")
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_intent) == ("complete", first.payment_intent)
    assert types(client) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_bank_is_asked_before_the_session_is_complete(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    session = start()

    asked = pay(http, session.id, payment_method="pm_card_authenticationRequired")
    waiting = client.v1.checkout.sessions.retrieve(session.id).status
    http.post(f"/sandbox/challenges/{asked['challenge']['id']}", json={"outcome": "complete"})

    assert (waiting, client.v1.checkout.sessions.retrieve(session.id).status) == ("open", "complete")
    assert types(client)[-2:] == ["payment_intent.succeeded", "checkout.session.completed"]


def test_its_payment_is_the_pages_to_confirm_and_ends_with_the_session(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    session = start()
    pay(http, session.id, payment_method="pm_card_chargeDeclined")
    intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

    for refuse in (client.v1.payment_intents.cancel, client.v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError, match="on PaymentIntents created by Checkout"):
            refuse(intent)
    client.v1.checkout.sessions.expire(session.id)

    canceled = client.v1.payment_intents.retrieve(intent)
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "automatic")
    assert types(client)[-2:] == ["checkout.session.expired", "payment_intent.canceled"]
    assert "has a status of `expired`" in pay(http, session.id)["error"]


def test_a_hold_completes_the_session_unpaid_until_it_is_taken(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    session = start(payment_intent_data={"capture_method": "manual"})

    pay(http, session.id)
    held = client.v1.checkout.sessions.retrieve(session.id)
    client.v1.payment_intents.capture(str(held.payment_intent))

    assert (held.status, held.payment_status) == ("complete", "unpaid")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert [it for it in types(client) if it.startswith("checkout")] == ["checkout.session.completed"]


@pytest.mark.parametrize(
    ("how", "ends", "status"),
    [("succeeds", "async_payment_succeeded", "paid"), ("fails", "async_payment_failed", "unpaid")],
)
def test_a_payment_decided_later_is_announced_later(
    start: Open, client: stripe.StripeClient, http: FlaskClient, later: Later, how: str, ends: str, status: str
) -> None:
    session = start()

    pay(http, session.id, delayed=how)
    completed = client.v1.checkout.sessions.retrieve(session.id)
    before = types(client)
    later(6)

    assert (completed.status, completed.payment_status) == ("complete", "unpaid")
    assert before == ["payment_intent.created", "payment_intent.processing", "checkout.session.completed"]
    payment = (
        ["charge.succeeded", "payment_intent.succeeded"]
        if how == "succeeds"
        else [
            "charge.failed",
            "payment_intent.payment_failed",
        ]
    )
    assert types(client)[3:6] == [*payment, f"checkout.session.{ends}"]
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == status


def test_nothing_to_pay_needs_no_payment(start: Open, client: stripe.StripeClient, http: FlaskClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 100, "max_redemptions": 1})
    session = start(discounts=[{"coupon": coupon.id}])

    pay(http, session.id)

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)
    used = client.v1.coupons.retrieve(coupon.id)
    assert (used.times_redeemed, used.valid) == (1, False)
    assert types(client) == ["coupon.created", "checkout.session.completed"]


def test_the_last_use_of_a_code_is_the_first_payers(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10})
    client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TEA", "max_redemptions": 1}
    )
    first, second = start(allow_promotion_codes=True), start(allow_promotion_codes=True)

    pay(http, second.id, promotion_code="tea", payment_method="pm_card_chargeDeclined")
    pay(http, first.id, promotion_code="tea")
    refused = pay(http, second.id)

    assert "used the maximum number of times" in refused["error"]
    assert client.v1.checkout.sessions.retrieve(first.id).amount_total == 1620
    assert pay(http, start(allow_promotion_codes=True).id, promotion_code="tea")["error"] == "This code is invalid."


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"restrictions": {"minimum_amount": 1801, "minimum_amount_currency": "usd"}}, "its minimum amount"),
        ({"restrictions": {"first_time_transaction": True}}, "has prior transactions"),
        ({"active": False}, "it is not active"),
        ({"customer": "another"}, "it belongs to another customer"),
    ],
)
def test_a_code_is_refused_where_it_is_not_for(
    start: Open, client: stripe.StripeClient, http: FlaskClient, limits: dict[str, Any], words: str
) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    pay(http, start(customer=customer.id).id)
    coupon = client.v1.coupons.create({"percent_off": 10})
    asked: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, **limits}
    if "customer" in limits:
        asked["customer"] = client.v1.customers.create({}).id
    code = client.v1.promotion_codes.create(asked)

    with pytest.raises(stripe.InvalidRequestError, match=words) as refused:
        start(customer=customer.id, discounts=[{"promotion_code": code.id}])

    assert refused.value.param == "discounts[0][promotion_code]"


def test_the_chosen_delivery_goes_to_the_address(start: Open, client: stripe.StripeClient, http: FlaskClient) -> None:
    rates = [
        client.v1.shipping_rates.create({"display_name": name, "fixed_amount": {"amount": cost, "currency": "usd"}}).id
        for name, cost in (("Post", 500), ("Courier", 1200))
    ]
    session = start(
        shipping_address_collection={"allowed_countries": ["DE"]},
        shipping_options=[{"shipping_rate": rate} for rate in rates],
    )

    refused = pay(http, session.id, country="US")
    pay(http, session.id, shipping_rate=rates[1], line1="Weg 1", city="Bonn", postal_code="53111", name="Ada")

    assert refused["error"] == "We do not ship to this country."
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert done.amount_total == 3000
    assert done.shipping_cost is not None
    assert (done.shipping_cost.shipping_rate, done.shipping_cost.amount_total) == (rates[1], 1200)
    assert done.collected_information is not None
    assert done.collected_information.shipping_details is not None
    assert done.collected_information.shipping_details.address.city == "Bonn"
    intent: Any = done.payment_intent
    assert (intent.amount, intent.shipping.name, intent.shipping.address.country) == (3000, "Ada", "DE")


@pytest.mark.parametrize(
    "asked", [{"customer_creation": "always"}, {"payment_intent_data": {"setup_future_usage": "off_session"}}]
)
def test_a_customer_is_made_where_one_is_needed(
    start: Open, client: stripe.StripeClient, http: FlaskClient, asked: dict[str, Any]
) -> None:
    session = start(customer_email="ada@example.com", **asked)

    pay(http, session.id, payment_method="pm_card_chargeDeclined")
    pay(http, session.id, name="Ada")

    (customer,) = client.v1.customers.list().data
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    intent: Any = done.payment_intent
    assert done.customer == customer.id == intent.customer
    assert customer.email == "ada@example.com"
    saved = client.v1.customers.payment_methods.list(customer.id).data
    assert len(saved) == ("payment_intent_data" in asked)


def test_a_known_customer_may_be_brought_up_to_date(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    receipt = {"receipt_email": "x@y.example"}
    session = start(customer=customer.id, customer_update={"name": "auto"}, payment_intent_data=receipt)

    pay(http, session.id, name="Ada Lovelace")

    assert client.v1.customers.retrieve(customer.id).name == "Ada Lovelace"
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    intent: Any = done.payment_intent
    assert (done.customer, intent.receipt_email) == (customer.id, "x@y.example")


def test_a_set_up_saves_the_card(start: Open, client: stripe.StripeClient, http: FlaskClient) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    session = start(mode="setup", currency="usd", customer=customer.id)

    pay(http, session.id, payment_method="pm_card_chargeDeclined")
    pay(http, session.id)

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert client.v1.setup_intents.retrieve(str(done.setup_intent)).status == "succeeded"
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1
    assert types(client)[-2:] == ["setup_intent.succeeded", "checkout.session.completed"]


def test_the_accounts_own_questions_are_answered(start: Open, client: stripe.StripeClient, http: FlaskClient) -> None:
    label = {"type": "custom", "custom": "Size"}
    options = [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]
    session = start(
        custom_fields=[
            {"key": "size", "label": label, "type": "dropdown", "dropdown": {"options": options}},
            {"key": "note", "label": {**label, "custom": "Note"}, "type": "text", "optional": True},
        ]
    )

    refused = pay(http, session.id, custom_fields={"size": "xl"})
    too_long = pay(http, session.id, custom_fields={"size": "l", "note": "x" * 256})
    pay(http, session.id, custom_fields={"size": "l"})

    assert refused["error"] == too_long["error"].replace("Note", "Size") == "Size is invalid."
    done = client.v1.checkout.sessions.retrieve(session.id)
    size, note = done.custom_fields
    assert (size.dropdown and size.dropdown.value, note.text and note.text.value) == ("l", None)


def test_a_paid_session_stays_paid_when_its_time_is_over(
    start: Open, client: stripe.StripeClient, http: FlaskClient, clock: ManualClock, sandbox: Sandbox
) -> None:
    session = start()
    pay(http, session.id)

    clock.advance(86400)
    sandbox.deliver_due()

    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert "checkout.session.expired" not in types(client)


def test_paying_twice_is_refused(start: Open, http: FlaskClient) -> None:
    session = start(line_items=[TEA])
    pay(http, session.id)

    assert "has a status of `complete`" in pay(http, session.id)["error"]
    assert pay(http, "cs_test_none")["error"] == "no such Checkout Session: cs_test_none"


def test_a_payment_that_was_tried_ends_when_nothing_is_due(
    start: Open, client: stripe.StripeClient, http: FlaskClient
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 100})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "FREE"})
    session = start(allow_promotion_codes=True)
    pay(http, session.id, payment_method="pm_card_chargeDeclined")

    pay(http, session.id, promotion_code="FREE")

    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    intent: Any = done.payment_intent
    assert (done.payment_status, intent.status) == ("no_payment_required", "canceled")
