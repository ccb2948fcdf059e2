"""A payment that the store does not know, because the response was lost and the shopper left."""

from datetime import timedelta

import pytest

from models import Order
from store.domain.errors import PaymentUnavailable
from store.domain.states import OrderState, PaymentState, ReservationState
from store.services import reconciliation
from store.services.operations import audit, worker
from tests.support.shop import NoAnswer, Shop


def expired_with_an_orphan(shop: Shop) -> Order:
    """An order that expired; its payment was created at Stripe, and the response was lost."""
    order = shop.order()

    def lose_response(method: str, _path: str) -> None:
        if method == "POST":
            raise NoAnswer

    shop.transport.after = lose_response
    with pytest.raises(PaymentUnavailable):
        shop.open(order)
    shop.transport.after = lambda _method, _path: None
    shop.clock.forward(minutes=31)
    worker.run(shop.services, shop.clock())
    return shop.read(order.reference)


@pytest.mark.parametrize("webhook", ["lost", "late"])
def test_reconciliation_cancels_an_orphaned_payment(shop: Shop, webhook: str) -> None:
    order = expired_with_an_orphan(shop)
    if webhook == "late":
        shop.deliver()
    else:
        shop.lose()

    reconciliation.repair(shop.services, shop.clock() - timedelta(hours=2), shop.clock())

    after = shop.read(order.reference)
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "abandoned")
    assert (after.state, after.payment.state, after.reservation) == (
        OrderState.EXPIRED,
        PaymentState.CANCELLED,
        ReservationState.RELEASED,
    )
    assert not after.needs_review
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_an_order_awaiting_payment_keeps_its_payment(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)

    reconciliation.repair(shop.services, shop.clock() - timedelta(hours=2), shop.clock())

    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    assert intent["status"] == "requires_payment_method"
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
