"""Expiry releases stock, but never on a guess; a late payment commits stock again or is refunded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from store.domain.errors import OrderClosed
from store.domain.states import OrderState, PaymentEvent, PaymentState, ReservationState
from store.gateway.port import PaymentGateway, PaymentSession
from store.services import checkout
from store.services.operations import worker
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop


def overdue(shop: Shop) -> None:
    shop.clock.forward(minutes=31)


def run(shop: Shop) -> int:
    return worker.run(shop.services, shop.clock())


def test_an_unpaid_order_expires_after_its_payment_is_cancelled(shop: Shop) -> None:
    order = shop.order(2)
    provider_payment_id = shop.open(order).snapshot.provider_payment_id
    overdue(shop)

    run(shop)

    expired = shop.read(order.reference)
    assert (expired.state, expired.payment.state) == (OrderState.EXPIRED, PaymentState.CANCELLED)
    intent = shop.stripe("GET", f"/v1/payment_intents/{provider_payment_id}")
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "abandoned")
    assert shop.product().reserved == 0


def test_stock_stays_reserved_until_the_payment_is_cancelled(shop: Shop) -> None:
    shop.open(shop.order(2))
    overdue(shop)
    reserved: list[int] = []

    def look(_method: str, path: str) -> None:
        if path.endswith("/cancel"):
            reserved.append(shop.product().reserved)

    shop.transport.before = look

    run(shop)

    assert reserved == [2]
    assert shop.product().reserved == 0


def test_an_order_whose_payment_was_never_opened_expires_without_asking_stripe(shop: Shop) -> None:
    order = shop.order(2)
    overdue(shop)

    run(shop)

    assert shop.read(order.reference).state is OrderState.EXPIRED
    assert shop.product().reserved == 0
    assert shop.transport.requests == []


def test_an_order_does_not_expire_before_its_time(shop: Shop) -> None:
    order = shop.order()
    shop.clock.forward(minutes=29)

    assert run(shop) == 0
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT


def test_an_order_that_turns_out_to_be_paid_is_paid_not_expired(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.lose()
    overdue(shop)

    run(shop)

    assert shop.read(order.reference).state is OrderState.PAID


@pytest.mark.on_both_databases
def test_an_open_challenge_extends_the_reservation_a_limited_time(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000002760003184")
    overdue(shop)

    run(shop)
    extended = shop.read(order.reference)
    for _ in range(worker.MOST_EXTENSIONS):
        shop.clock.forward(minutes=6)
        run(shop)

    assert (extended.state, extended.expires_at > shop.clock() - timedelta(hours=1)) == (
        OrderState.AWAITING_PAYMENT,
        True,
    )
    assert shop.read(order.reference).state is OrderState.EXPIRED
    assert shop.product().reserved == 0


class Undecided:
    """The gateway where the bank is still deciding about every payment."""

    def __init__(self, gateway: PaymentGateway) -> None:
        self._gateway = gateway

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        page = self._gateway.retrieve_payment(provider_payment_id)
        return replace(page, snapshot=replace(page.snapshot, event=PaymentEvent.PROCESSING))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


def test_a_reservation_is_extended_as_long_as_the_bank_decides(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    undecided = replace(shop.services, gateway=Undecided(shop.services.gateway))
    overdue(shop)

    for _ in range(worker.MOST_EXTENSIONS + 2):
        worker.run(undecided, shop.clock())
        waiting = shop.read(order.reference)
        assert (waiting.state, waiting.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.PROCESSING)
        assert waiting.expires_at > shop.clock()
        assert shop.product().reserved == 2
        shop.clock.forward(minutes=6)

    assert shop.stripe("GET", "/v1/payment_intents")["data"][0]["status"] != "canceled"
    assert shop.history(order.reference).count("order.extended") == worker.MOST_EXTENSIONS + 2


def test_the_payment_page_of_an_overdue_order_expires_it(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    overdue(shop)

    with pytest.raises(OrderClosed):
        shop.open(order)

    assert shop.read(order.reference).state is OrderState.EXPIRED


def test_no_order_expires_while_stripe_does_not_answer(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    overdue(shop)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    run(shop)
    unchanged = shop.read(order.reference).state, shop.product().reserved
    shop.transport.before = lambda _method, _path: None
    shop.clock.forward(minutes=2)
    run(shop)

    assert unchanged == (OrderState.AWAITING_PAYMENT, 2)
    assert shop.read(order.reference).state is OrderState.EXPIRED


@pytest.mark.on_both_databases
def test_several_workers_at_once_expire_each_order_once(shop: Shop) -> None:
    orders = [shop.order() for _ in range(12)]
    overdue(shop)

    at_once(4, lambda _: run(shop))

    assert {shop.read(order.reference).state for order in orders} == {OrderState.EXPIRED}
    assert all(shop.history(order.reference).count("order.expired") == 1 for order in orders)
    assert shop.product().reserved == 0


def late_payment(shop: Shop) -> str:
    """The shopper paid in the last second; the store learns of it after the order was expired without asking Stripe."""
    order = shop.order(2, "brass-pen")
    shop.set_stock("brass-pen", 2)
    shop.pay(order)
    shop.close_by_hand(order.reference)
    return order.reference


def test_a_late_payment_commits_stock_that_is_still_available(shop: Shop) -> None:
    reference = late_payment(shop)

    shop.deliver()

    order = shop.read(reference)
    assert (order.state, order.reservation) == (OrderState.PAID, ReservationState.COMMITTED)
    assert (shop.product("brass-pen").stock, shop.product("brass-pen").reserved) == (0, 0)


@pytest.mark.on_both_databases
def test_a_late_payment_without_stock_is_refunded_once(shop: Shop) -> None:
    reference = late_payment(shop)
    shop.set_stock("brass-pen", 1)

    shop.deliver()
    at_once(3, lambda _: run(shop))
    shop.deliver()
    shop.clock.forward(minutes=2)
    run(shop)

    order = shop.read(reference)
    assert (order.state, order.payment.state) == (OrderState.REFUNDED, PaymentState.REFUNDED)
    assert order.payment.refunded_minor == order.total_minor
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1
    assert (shop.product("brass-pen").stock, shop.product("brass-pen").reserved) == (1, 0)
    assert "payment.too_late" in shop.history(reference)


def test_a_shopper_can_cancel_an_order_that_is_not_paid(shop: Shop) -> None:
    order = shop.order(2)
    provider_payment_id = shop.open(order).snapshot.provider_payment_id

    checkout.cancel(shop.services, order.reference, shop.clock())

    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert shop.stripe("GET", f"/v1/payment_intents/{provider_payment_id}")["status"] == "canceled"
    assert shop.product().reserved == 0


def test_a_shopper_cannot_cancel_a_paid_order(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)

    with pytest.raises(OrderClosed):
        checkout.cancel(shop.services, order.reference, shop.clock())

    assert shop.read(order.reference).state is OrderState.PAID
