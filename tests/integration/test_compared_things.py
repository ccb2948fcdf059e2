"""What reconciliation looks at beside what Stripe lists: the store's own, as far back as it may still change."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import Dispute, Order, Payment, Refund, Review
from store.domain.states import DisputeState, OrderState, PaymentState, RefundState
from store.services.reconciliation import collect
from tests.support.shop import Shop

NAMES = ("new", "waits", "old", "foreign", "replaced", "reviewed")


@pytest.fixture
def orders(shop: Shop) -> dict[str, Order]:
    """Orders that are paid and older than what is looked at, but for the new one and one that waits."""
    shop.clock.stop()
    placed = {name: shop.order() for name in NAMES}
    with shop.services.database.transaction() as session:
        paid = {"state": OrderState.PAID, "placed_at": shop.clock() - timedelta(hours=1)}
        session.execute(update(Order).values(paid))
        session.execute(update(Payment).values(state=PaymentState.PAID, received_minor=400))
        session.execute(update(Order).where(Order.id == placed["new"].id).values(placed_at=shop.clock()))
        session.execute(update(Order).where(Order.id == placed["waits"].id).values(state=OrderState.AWAITING_PAYMENT))
        session.execute(update(Payment).where(Payment.order_id == placed["foreign"].id).values(account="live:acct_1"))
        review = {"reason": "amount", "opened_at": shop.clock(), "data": {}}
        session.execute(insert(Review).values(order_id=placed["reviewed"].id, **review))
        session.execute(insert(Review).values(order_id=placed["old"].id, resolved_at=shop.clock(), **review))
    return {name: shop.read(order.reference) for name, order in placed.items()}


def set_payments(shop: Shop, orders: dict[str, Order], column: str) -> None:
    """Give each payment the name of its order, but for one that has none."""
    with shop.services.database.transaction() as session:
        for name, order in orders.items():
            session.execute(update(Payment).where(Payment.order_id == order.id).values({column: name}))
        unnamed = {"order_id": orders["waits"].id, "amount_minor": 400, "live": False}
        session.execute(insert(Payment).values(unnamed))


def payment_id(order: Order) -> int:
    return order.payment.id


def test_payments_of_new_orders_and_of_those_that_wait_are_looked_at(shop: Shop, orders: dict[str, Order]) -> None:
    set_payments(shop, orders, "provider_payment_id")

    found = list(collect.payments(shop.services, shop.clock()))

    assert sorted(name for name, _snapshot in found) == ["new", "waits"]
    assert [snapshot for _name, snapshot in found] == [None, None]


def test_pages_that_may_still_be_paid_are_looked_at(shop: Shop, orders: dict[str, Order]) -> None:
    set_payments(shop, orders, "provider_page_id")
    with shop.services.database.transaction() as session:
        let_go = {"live": False, "state": PaymentState.OPEN}
        session.execute(update(Payment).where(Payment.order_id == orders["replaced"].id).values(let_go))
        session.execute(update(Payment).where(Payment.order_id == orders["old"].id).values(live=False))

    found = list(collect.hosted_pages(shop.services, shop.clock()))

    assert sorted(found) == [("replaced", None), ("waits", None)]


def test_new_refunds_and_those_on_their_way_are_looked_at(shop: Shop, orders: dict[str, Order]) -> None:
    hour, now = timedelta(hours=1), shop.clock()
    rows: list[dict[str, Any]] = [
        {"provider_refund_id": "new", "state": RefundState.SUCCEEDED, "requested_at": now},
        {"provider_refund_id": "on its way", "state": RefundState.PENDING, "requested_at": now - hour},
        {"provider_refund_id": "old", "state": RefundState.SUCCEEDED, "requested_at": now - hour},
        {"provider_refund_id": None, "state": RefundState.REQUESTED, "requested_at": now},
    ]
    with shop.services.database.transaction() as session:
        for row in rows:
            session.execute(insert(Refund).values(payment_id=payment_id(orders["old"]), amount_minor=100, **row))
        foreign = {**rows[1], "provider_refund_id": "foreign", "payment_id": payment_id(orders["foreign"])}
        session.execute(insert(Refund).values(amount_minor=100, **foreign))

    found = list(collect.refunds(shop.services, now))

    assert sorted(found) == [("new", None), ("on its way", None)]


def test_new_disputes_and_those_that_may_be_decided_are_looked_at(shop: Shop, orders: dict[str, Order]) -> None:
    hour, now = timedelta(hours=1), shop.clock()
    rows = [
        ("new", "old", DisputeState.WON, now), ("undecided", "old", DisputeState.UNDER_REVIEW, now - hour),
        ("decided", "old", DisputeState.WON, now - hour), ("in review", "reviewed", DisputeState.LOST, now - hour),
        ("foreign", "foreign", DisputeState.INQUIRY, now),
    ]  # fmt: skip
    with shop.services.database.transaction() as session:
        for name, order, state, at in rows:
            row = {"provider_dispute_id": name, "payment_id": payment_id(orders[order]), "state": state}
            session.execute(insert(Dispute).values(amount_minor=400, opened_at=at, **row))

    found = list(collect.disputes(shop.services, now))

    assert sorted(found) == [("in review", None), ("new", None), ("undecided", None)]
