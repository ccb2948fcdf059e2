"""An order takes a limited number of declined cards, then it is cancelled."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from store.domain.errors import OrderClosed
from store.domain.states import OrderState
from store.services.operations import worker
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop, event_of

DECLINED = "4000000000000002"


def test_too_many_declines_cancel_the_order_and_its_payment(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=3)
    order = shop.order(2)
    payment = shop.open(order)
    for number in ("4000000000000002", "4000000000009995", "4000000000000069"):
        shop.confirm(payment, number)
    shop.deliver()

    with pytest.raises(OrderClosed):
        shop.open(order)

    closed = shop.read(order.reference)
    intent = shop.stripe("GET", f"/v1/payment_intents/{payment.snapshot.provider_payment_id}")
    assert (closed.state, closed.payment.declines) == (OrderState.CANCELLED, 3)
    assert intent["status"] == "canceled"
    assert shop.product().reserved == 0


def test_a_script_with_the_payments_secret_is_stopped_by_the_last_decline(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=4)
    order = shop.order()
    payment = shop.open(order)
    codes: list[str] = []

    while len(codes) < 50 and (not codes or codes[-1] == "card_declined"):
        codes.append(shop.confirm(payment, DECLINED)["code"])
        shop.deliver()

    assert codes == ["card_declined"] * 4 + ["payment_intent_unexpected_state"]
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert shop.product().reserved == 0


@pytest.mark.on_both_databases
def test_declines_that_are_told_at_once_close_the_payment_once(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=3)
    order = shop.order()
    payment = shop.open(order)
    for _ in range(6):
        shop.confirm(payment, DECLINED)
    told = [delivery for delivery in shop.lose() if event_of(delivery)["type"] == "payment_intent.payment_failed"]

    answers = at_once(len(told), lambda number: shop.receive(told[number]))

    assert answers == [200] * 6
    assert shop.stripe("GET", f"/v1/payment_intents/{payment.snapshot.provider_payment_id}")["status"] == "canceled"
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert shop.history(order.reference).count("order.cancelled") == 1


@pytest.mark.on_both_databases
def test_the_worker_closes_it_when_stripe_did_not_answer_the_webhook(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=2)
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, DECLINED)
    shop.confirm(payment, DECLINED)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    with capture_logs() as log:
        answers = {shop.receive(delivery) for delivery in shop.lose()}
    shop.transport.renew()

    assert [line for line in log if line["event"] == "card testing not stopped yet"] == [
        {
            "event": "card testing not stopped yet",
            "log_level": "warning",
            "order": order.reference,
            "failure": "PaymentUnavailable",
        }
    ]
    assert (answers, shop.read(order.reference).state) == ({200}, OrderState.AWAITING_PAYMENT)
    done = worker.run(shop.services, shop.clock())
    shop.clock.forward(minutes=2)
    again = worker.run(shop.services, shop.clock())

    assert (done, again) == (1, 0)
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert "code" in shop.confirm(payment)


def test_an_order_with_fewer_declines_can_be_paid(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=3)
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")
    shop.confirm(payment, "4000000000000002")
    shop.deliver()

    shop.confirm(shop.open(order))
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
