"""Buyers and payments that wait for the same product at once: none of them waits for another that waits for it."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from sqlalchemy import select, update

from models import Order, Product
from store.domain.states import OrderState
from store.services import carts
from tests.support.concurrency import wait_until_blocked
from tests.support.shop import Shop

pytestmark = pytest.mark.on_postgresql

PEN = Product.slug == "brass-pen"


@pytest.mark.parametrize("ordinary", [True, False])
def test_two_buyers_who_waited_for_a_third_both_order(shop: Shop, ordinary: bool) -> None:
    buyers = [shop.cart(1, "brass-pen" if ordinary else "cedar-pencil") for _ in range(2)]
    if not ordinary:
        for cart in buyers:
            order_and_add(shop, cart)
    before = shop.product("brass-pen")

    outcomes = while_the_product_is_taken(shop, [partial(shop.place, cart) for cart in buyers])

    assert all(isinstance(each, Order) for each in outcomes), outcomes
    assert shop.product("brass-pen").reserved == before.reserved + 2


def test_two_payments_that_waited_for_a_buyer_are_both_recorded(shop: Shop) -> None:
    orders = [shop.place(shop.cart(1, "brass-pen")) for _ in range(2)]
    for order in orders:
        shop.pay(order)
    paid = [delivery for delivery in shop.lose() if b"payment_intent.succeeded" in delivery.body]
    before = shop.product("brass-pen")

    outcomes = while_the_product_is_taken(shop, [partial(shop.receive, each) for each in paid])

    assert outcomes == [200, 200]
    assert {shop.read(order.reference).state for order in orders} == {OrderState.PAID}
    assert shop.product("brass-pen").stock == before.stock - 2


def while_the_product_is_taken(shop: Shop, calls: Sequence[Callable[[], object]]) -> list[object]:
    """What the calls end with, each on a thread of its own, that wait for a product while one order of it is written,
    and go on while another one is not yet written to its end.
    """
    outcomes: list[object] = []

    def run(call: Callable[[], object]) -> None:
        try:
            outcomes.append(call())
        except Exception as failure:  # noqa: BLE001  # what it was is the test's to judge
            outcomes.append(failure)

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    with shop.services.database.transaction() as beside:  # as PostgreSQL does for a line that names a product
        beside.execute(select(Product.id).where(PEN).with_for_update(read=True, key_share=True))
        with shop.services.database.transaction() as session:
            session.execute(update(Product).where(PEN).values(position=Product.position))
            for thread in threads:
                thread.start()
            wait_until_blocked(session, *threads)
        for thread in threads:
            thread.join(timeout=20)
    return outcomes


def order_and_add(shop: Shop, cart: str) -> None:
    """A cart with an open order for less than is in it by now: the next one is placed by the readable path."""
    shop.place(cart)
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "brass-pen", 1, shop.clock())
