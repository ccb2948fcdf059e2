"""An order is paid because a signed webhook said so, or because the store asked; and once."""

from collections.abc import Callable

import pytest

from models import Base
from store.domain.errors import OrderClosed, PaymentUnavailable
from store.domain.states import OrderState, PaymentState
from tests.support.concurrency import at_once
from tests.support.shop import PUBLISHABLE_KEY, NoAnswer, Shop


def test_a_webhook_makes_an_order_paid_and_commits_its_stock(shop: Shop) -> None:
    before = shop.product()
    order = shop.order(2)

    shop.pay(order)
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    shop.deliver()

    paid = shop.read(order.reference)
    assert (paid.state, paid.payment.state) == (OrderState.PAID, PaymentState.PAID)
    assert paid.payment.received_minor == order.total_minor
    assert (paid.payment.card_brand, paid.payment.card_last4) == ("visa", "4242")
    assert {entry.source for entry in paid.history if entry.to_state == "paid"} == {"webhook"}
    after = shop.product()
    assert (after.stock, after.reserved) == (before.stock - 2, before.reserved)


def test_paying_by_webhook_needs_no_call_to_stripe(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    asked = list(shop.transport.requests)

    shop.deliver()

    assert shop.transport.requests == asked
    assert shop.read(order.reference).state is OrderState.PAID


def test_the_payment_intent_says_what_it_is_for(shop: Shop) -> None:
    order = shop.order(3)
    provider_payment_id = shop.open(order).snapshot.provider_payment_id

    intent = shop.stripe("GET", f"/v1/payment_intents/{provider_payment_id}")

    assert (intent["amount"], intent["currency"]) == (order.total_minor, "usd")
    assert intent["metadata"] == {"order_reference": order.reference}
    assert order.reference in intent["description"]
    assert intent["shipping"]["name"] == "Ada Shopper"
    assert intent["shipping"]["address"]["postal_code"] == "62701"
    assert intent["payment_method_types"] == ["card"]
    assert intent["receipt_email"] is None


def test_stripes_receipt_is_requested_only_with_its_setting(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(stripe_receipts=True)

    provider_payment_id = shop.open(shop.order()).snapshot.provider_payment_id

    assert shop.stripe("GET", f"/v1/payment_intents/{provider_payment_id}")["receipt_email"] == "ada@example.com"


def test_a_reload_finds_the_same_payment(shop: Shop) -> None:
    order = shop.order()

    first, second = shop.open(order), shop.open(order)

    assert first.snapshot.provider_payment_id == second.snapshot.provider_payment_id
    assert first.client_secret == second.client_secret
    assert len(shop.stripe("GET", "/v1/payment_intents")["data"]) == 1


@pytest.mark.on_both_databases
def test_opening_in_eight_tabs_at_once_opens_one_payment(shop: Shop) -> None:
    order = shop.order()

    outcomes = at_once(8, lambda _: shop.open(order).client_secret)

    assert len(set(outcomes)) == 1, outcomes
    assert len(shop.stripe("GET", "/v1/payment_intents")["data"]) == 1


@pytest.mark.on_both_databases
def test_the_client_secret_is_nowhere_in_the_database(shop: Shop) -> None:
    order = shop.order()
    secret = shop.open(order).client_secret

    with shop.services.database.reading() as session:
        rows = [str(row) for table in Base.metadata.sorted_tables for row in session.execute(table.select())]

    assert not [row for row in rows if secret in row or secret.partition("_secret_")[2] in row]


def test_after_a_decline_the_same_payment_takes_another_card(shop: Shop) -> None:
    order = shop.order(2)
    payment = shop.open(order)

    refused = shop.confirm(payment, "4000000000009995")
    shop.deliver()
    declined = shop.read(order.reference)
    reserved = shop.product().reserved
    shop.confirm(shop.open(order))
    shop.deliver()

    assert refused["decline_code"] == "insufficient_funds"
    assert (declined.state, declined.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.DECLINED)
    assert (declined.payment.last_decline, declined.payment.declines, reserved) == ("insufficient_funds", 1, 2)
    paid = shop.read(order.reference)
    assert paid.state is OrderState.PAID
    assert paid.payment.provider_payment_id == payment.snapshot.provider_payment_id


def test_a_decline_seen_by_look_up_and_by_webhook_counts_once(shop: Shop) -> None:
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")

    shop.open(order)  # looks
    shop.deliver()  # and receives the webhook

    assert shop.read(order.reference).payment.declines == 1
    assert shop.history(order.reference).count("payment.declined") == 1


def test_a_challenge_that_is_completed_pays(shop: Shop) -> None:
    order = shop.order()
    intent = shop.pay(order, "4000002500003155")
    shop.deliver()
    assert shop.read(order.reference).payment.state is PaymentState.ACTION_REQUIRED

    shop.challenge(intent, "complete")
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID


def test_a_challenge_that_fails_leaves_the_order_waiting_for_another_card(shop: Shop) -> None:
    order = shop.order()
    intent = shop.pay(order, "4000002760003184")

    shop.challenge(intent, "fail")
    shop.deliver()
    waiting = shop.read(order.reference)
    shop.confirm(shop.open(order))
    shop.deliver()

    assert (waiting.state, waiting.payment.last_decline) == (
        OrderState.AWAITING_PAYMENT,
        "payment_intent_authentication_failure",
    )
    assert shop.read(order.reference).state is OrderState.PAID


def test_a_look_up_after_five_seconds_replaces_a_lost_webhook(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.lose()

    shop.look_up(order.reference)
    at_first = shop.read(order.reference).state
    shop.clock.forward(seconds=6)
    shop.look_up(order.reference)

    paid = shop.read(order.reference)
    assert at_first is OrderState.AWAITING_PAYMENT
    assert paid.state is OrderState.PAID
    assert "lookup" in {entry.source for entry in paid.history}
    assert paid.payment.card_last4 == "4242"


@pytest.mark.on_both_databases
def test_many_waiting_tabs_ask_stripe_once_in_five_seconds(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.look_up(order.reference)
    shop.clock.forward(seconds=6)
    asked = len(shop.transport.requests)

    at_once(8, lambda _: shop.look_up(order.reference))

    assert len(shop.transport.requests) == asked + 1


def test_the_payment_page_finds_a_payment_before_its_webhook(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)

    with pytest.raises(OrderClosed):
        shop.open(order)

    assert shop.read(order.reference).state is OrderState.PAID


def test_a_paid_order_empties_its_cart(shop: Shop) -> None:
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "2"}, page="/products/cedar-pencil")
    with browser.session() as cookies:
        cart = cookies["cart"]
    order = shop.place(cart)
    shop.pay(order)

    shop.deliver()

    assert "Your cart is empty" in browser.get("/cart").text


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_that_breaks_on_creation_leaves_one_payment(shop: Shop, when: str) -> None:
    order = shop.order()

    def broken(_method: str, _path: str) -> None:
        raise NoAnswer

    setattr(shop.transport, when, broken)
    with pytest.raises(PaymentUnavailable):
        shop.open(order)
    setattr(shop.transport, when, lambda _method, _path: None)
    shop.open(order)

    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    assert len(shop.stripe("GET", "/v1/payment_intents")["data"]) == 1


def test_a_webhook_before_the_stores_own_commit_finds_its_order(shop: Shop) -> None:
    order = shop.order()

    def deliver_while_opening(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/payment_intents"):
            shop.transport.after = lambda _method, _path: None
            intent = shop.stripe("GET", "/v1/payment_intents")["data"][0]
            shop.stripe(
                "POST",
                f"/v1/payment_intents/{intent['id']}/confirm",
                {"payment_method": "pm_card_visa", "return_url": "http://store.test/"},
            )
            shop.deliver()

    shop.transport.after = deliver_while_opening
    with pytest.raises(OrderClosed):
        shop.open(order)

    paid = shop.read(order.reference)
    assert (paid.state, paid.needs_review) == (OrderState.PAID, False)


def test_a_payment_cancelled_at_stripe_cancels_the_order(shop: Shop) -> None:
    order = shop.order(2)
    provider_payment_id = shop.open(order).snapshot.provider_payment_id
    shop.stripe("POST", f"/v1/payment_intents/{provider_payment_id}/cancel")

    shop.deliver()

    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert shop.product().reserved == 0


def test_the_publishable_view_of_a_payment_has_no_metadata(shop: Shop) -> None:
    payment = shop.open(shop.order())

    view = shop.stripe(
        "GET",
        f"/v1/payment_intents/{payment.snapshot.provider_payment_id}",
        {"key": PUBLISHABLE_KEY, "client_secret": payment.client_secret},
    )

    assert view["status"] == "requires_payment_method"
    assert "metadata" not in view
