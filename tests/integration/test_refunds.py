"""Refunds: requested here or elsewhere, in parts, repeatedly, failing late, reported in any order."""

import itertools
import random

import pytest

from models import Order, Refund
from store.domain.errors import PaymentUnavailable, RefundRefused
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState, RefundState, ReservationState
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop


def paid(shop: Shop, quantity: int = 5, number: str = "4242424242424242") -> Order:
    order = shop.order(quantity)
    shop.pay(order, number)
    shop.deliver()
    return shop.read(order.reference)


def submit(shop: Shop, order: Order, amount: int | None, key: str) -> RefundState:
    money = Money(amount, "usd") if amount is not None else None
    return refunds.submit(shop.services, order.reference, money, key, Origin(Source.STAFF, shop.clock()))


def agreed(shop: Shop) -> bool:
    with shop.services.database.reading() as session:
        return not audit.run(session, shop.clock())


def test_a_full_refund_restocks_an_order_that_was_not_fulfilled(shop: Shop) -> None:
    before = shop.product().stock
    order = paid(shop)

    state = submit(shop, order, None, "all")
    shop.deliver()

    after = shop.read(order.reference)
    assert state is RefundState.SUCCEEDED
    assert (after.state, after.payment.state) == (OrderState.REFUNDED, PaymentState.REFUNDED)
    assert (after.payment.refunded_minor, after.reservation) == (order.total_minor, ReservationState.RELEASED)
    assert shop.product().stock == before
    assert agreed(shop)


def test_partial_refunds_add_up_to_the_amount_received(shop: Shop) -> None:
    order = paid(shop)  # $20.00

    submit(shop, order, 500, "first")
    submit(shop, order, 700, "second")
    halfway = shop.read(order.reference)
    with pytest.raises(RefundRefused) as too_much:
        submit(shop, order, 801, "too much")
    submit(shop, order, None, "the rest")
    with pytest.raises(RefundRefused) as one_more:
        submit(shop, order, 1, "one more")

    assert (too_much.value.amount, one_more.value.amount) == (Money(800, "usd"), Money(0, "usd"))
    assert (halfway.state, halfway.payment.refunded_minor) == (OrderState.PAID, 1200)
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert sum(refund["amount"] for refund in shop.stripe("GET", "/v1/refunds")["data"]) == 2000


@pytest.mark.on_both_databases
def test_the_same_request_at_once_and_again_is_one_refund(shop: Shop) -> None:
    order = paid(shop)

    at_once(6, lambda _: submit(shop, order, 500, "once"))

    assert shop.read(order.reference).payment.refunded_minor == 500
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1


@pytest.mark.on_both_databases
def test_two_requests_at_once_never_return_more_than_was_received(shop: Shop) -> None:
    order = paid(shop)

    outcomes = at_once(4, lambda number: submit(shop, order, 1500, f"request-{number}"))

    assert len([outcome for outcome in outcomes if outcome is RefundState.SUCCEEDED]) == 1
    assert shop.read(order.reference).payment.refunded_minor == 1500


def test_a_refund_made_in_the_dashboard_is_followed(shop: Shop) -> None:
    order = paid(shop)

    shop.stripe("POST", "/v1/refunds", {"payment_intent": order.payment.provider_payment_id or "", "amount": "300"})
    shop.deliver()

    assert shop.read(order.reference).payment.refunded_minor == 300
    assert "refund.succeeded" in shop.history(order.reference)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_worker_resubmits_an_unanswered_refund_once(shop: Shop, when: str) -> None:
    order = paid(shop)

    def broken(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    setattr(shop.transport, when, broken)
    with pytest.raises(PaymentUnavailable):
        submit(shop, order, 500, "key")
    setattr(shop.transport, when, lambda _method, _path: None)
    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())
    shop.deliver()

    assert shop.read(order.reference).payment.refunded_minor == 500
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1
    assert agreed(shop)


def test_a_refund_resubmitted_after_a_day_is_still_one_refund(shop: Shop) -> None:
    order = paid(shop)

    def broken(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    shop.transport.after = broken
    with pytest.raises(PaymentUnavailable):
        submit(shop, order, 500, "key")
    shop.transport.after = lambda _method, _path: None
    shop.lose()
    shop.clock.forward(hours=25)  # by now Stripe has forgotten the key that the first request carried
    worker.run(shop.services, shop.clock())

    assert shop.read(order.reference).payment.refunded_minor == 500
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1
    assert agreed(shop)


def test_a_refund_that_fails_late_makes_the_order_paid_and_reviewed(shop: Shop) -> None:
    order = paid(shop, number="4000000000005126")
    submit(shop, order, None, "all")
    shop.deliver()
    returned = shop.read(order.reference)

    shop.clock.forward(minutes=5)
    shop.deliver()

    reopened = shop.read(order.reference)
    assert returned.state is OrderState.REFUNDED
    assert (reopened.state, reopened.payment.state) == (OrderState.PAID, PaymentState.PAID)
    assert (reopened.payment.refunded_minor, reopened.needs_review) == (0, True)


def test_a_failed_partial_refund_opens_a_review(shop: Shop) -> None:
    order = paid(shop, number="4000000000005126")
    submit(shop, order, 500, "part")
    shop.deliver()

    shop.clock.forward(minutes=5)
    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.payment.refunded_minor, after.needs_review) == (OrderState.PAID, 0, True)


def test_a_late_payment_that_cannot_be_refunded_opens_a_review(shop: Shop) -> None:
    order = late_payment(shop, "4000000000005126")

    def lose_response(method: str, _path: str) -> None:
        if method == "POST":
            raise NoAnswer

    shop.transport.after = lose_response
    worker.run(shop.services, shop.clock())
    shop.lose()
    shop.clock.forward(minutes=5)
    shop.deliver()  # the store learns of this refund only that it failed

    after = shop.read(order.reference)
    assert (after.state, after.payment.state) == (OrderState.EXPIRED, PaymentState.PAID)
    assert (after.payment.refund_due, after.needs_review) == (False, True)


def late_payment(shop: Shop, number: str) -> Order:
    """The order was expired without asking Stripe, and its stock was gone when the payment succeeded."""
    order = shop.order(2, "brass-pen")
    shop.pay(order, number)
    shop.close_by_hand(order.reference)
    shop.set_stock("brass-pen", 1)
    shop.deliver()
    return order


def test_a_pending_refund_counts_until_it_is_decided(shop: Shop) -> None:
    order = paid(shop, number="4000000000007726")

    state = submit(shop, order, 500, "key")
    pending = shop.read(order.reference).payment.refunded_minor
    shop.clock.forward(minutes=5)
    shop.deliver()

    assert (state, pending) == (RefundState.PENDING, 500)
    assert [refund.state for refund in shop_refunds(shop, order)] == [RefundState.SUCCEEDED]


def shop_refunds(shop: Shop, order: Order) -> list[Refund]:
    return shop.refunds(order.reference)


@pytest.mark.parametrize("seed", range(6))
def test_refund_events_in_any_order_and_number_end_the_same(shop: Shop, seed: int) -> None:
    order = shop.order(5)
    shop.pay(order, "4000000000005126")
    intent = shop.stripe("GET", "/v1/payment_intents")["data"][0]["id"]
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "300"})
    events = shop.lose()
    shop.clock.forward(minutes=5)
    events += shop.lose()
    chance = random.Random(seed)  # a shuffle, not a secret
    deliveries = list(itertools.chain(events, chance.choices(events, k=len(events))))
    chance.shuffle(deliveries)

    answers = {shop.receive(delivery) for delivery in deliveries}

    after = shop.read(order.reference)
    assert answers == {200}
    assert (after.state, after.payment.state, after.payment.refunded_minor) == (OrderState.PAID, PaymentState.PAID, 0)
    assert [refund.state for refund in shop_refunds(shop, order)] == [RefundState.FAILED]
