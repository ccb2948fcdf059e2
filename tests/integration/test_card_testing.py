"""Whoever tries stolen cards on one order is stopped after some, for good."""

from collections.abc import Callable

import pytest

from store.domain.errors import OrderClosed
from store.domain.states import OrderState
from store.services.operations import worker
from tests.support.shop import Shop


def test_after_so_many_declines_the_payment_is_closed_and_cancelled_at_stripe(shop_with: Callable[..., Shop]) -> None:
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


def test_upkeep_closes_it_when_the_page_is_never_loaded_again(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=2)
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")
    shop.confirm(payment, "4000000000000002")
    shop.deliver()

    done = worker.run(shop.services, shop.clock())
    shop.clock.forward(minutes=2)
    again = worker.run(shop.services, shop.clock())

    assert (done, again) == (1, 0)
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert "code" in shop.confirm(payment)


def test_fewer_declines_leave_the_order_payable(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(max_declines=3)
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")
    shop.confirm(payment, "4000000000000002")
    shop.deliver()

    shop.confirm(shop.open(order))
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
