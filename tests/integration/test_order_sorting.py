"""The staff's list of orders sorted by total and by state, page by page: each order once, in its place."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Order
from store.domain.states import OrderState
from store.services.orders import listing
from store.services.orders.listing import OrderFilter, Show
from store.services.orders.sorting import Sort
from tests.support.shop import Shop
from tests.support.staff import staff

TOTALS = (800, 400, 1200, 400, 800, 2000, 400)
STATES = ("paid", "expired", "paid", "awaiting_payment", "fulfilled", "paid", "awaiting_payment")


def placed(shop: Shop) -> list[Order]:
    """Orders of these totals in these states, the oldest first."""
    references = [shop.order(total // 400).reference for total in TOTALS]
    with shop.services.database.transaction() as session:
        for reference, state in zip(references, STATES, strict=True):
            change = update(Order).where(Order.reference == reference).values(state=OrderState(state))
            session.execute(change, execution_options={"synchronize_session": False})
        return list(session.scalars(select(Order).order_by(Order.id)))


def pages(shop: Shop, wanted: OrderFilter, most: int = 2) -> list[list[int]]:
    """The ids of the orders on each page."""
    found, after, first = list[list[int]](), None, True
    with shop.services.database.reading() as session:
        while first or after is not None:
            part = listing.find(session, wanted, after, most)
            found.append([order.id for order in part.orders])
            after, first = part.after, False
    return found


@pytest.mark.on_both_databases
@pytest.mark.parametrize("show", [Show.ALL, Show.PAID])
@pytest.mark.parametrize("smallest", [False, True])
def test_each_order_is_on_one_page_by_its_total(shop: Shop, show: Show, smallest: bool) -> None:
    orders = [order for order in placed(shop) if show is Show.ALL or order.state == "paid"]

    found = pages(shop, OrderFilter(show, sort=Sort.TOTAL, oldest_first=smallest))

    expected = sorted(orders, key=lambda order: (order.total_minor, order.id), reverse=not smallest)
    assert [number for page in found for number in page] == [order.id for order in expected]
    assert [len(page) for page in found][:-1] == [2] * (len(found) - 1)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_each_order_is_on_one_page_by_its_state(shop: Shop, most: int) -> None:
    orders = placed(shop)

    found = pages(shop, OrderFilter(sort=Sort.STATE), most)

    states = list(OrderState)
    expected = sorted(orders, key=lambda order: (states.index(order.state), -order.id))
    assert [number for page in found for number in page] == [order.id for order in expected]
    assert {len(page) for page in found[:-1]} <= {most}


def test_the_page_and_the_csv_are_sorted_as_they_are_asked(shop: Shop) -> None:
    orders, browser = placed(shop), staff(shop)
    highest, lowest = orders[5].reference, orders[1].reference

    page = browser.get("/admin/orders?sort=highest").text
    lines = browser.get("/admin/orders/export.csv?sort=lowest").text.splitlines()
    odd = [
        browser.get(f"/admin/orders?{query}").status_code
        for query in ("sort=x", "sort=highest&after=5~x", "sort=state&after=5~x")
    ]

    assert page.index(highest) < page.index(orders[2].reference) < page.index(lowest)
    assert '<option value="highest" selected>Highest total</option>' in page
    assert (lines[1].split(",")[0], len(lines)) == (lowest, 8)
    assert odd == [200, 200, 200]


def test_orders_in_a_state_are_listed_of_some_time(shop: Shop) -> None:
    shop.clock.stop()
    orders = placed(shop)
    hour = timedelta(hours=1)
    with shop.services.database.transaction() as session:
        for number, order in enumerate(orders):
            session.execute(
                update(Order).where(Order.id == order.id).values(placed_at=shop.clock() + number * hour),
                execution_options={"synchronize_session": False},
            )
    since, until = shop.clock() + hour, shop.clock() + 5 * hour

    listed = {
        (begin, end): pages(shop, OrderFilter(Show.PAID, since=begin, until=end), most=9)
        for begin in (None, since) for end in (None, until)
    }  # fmt: skip

    first, second, third = (order.id for order in orders if order.state == "paid")
    assert listed == {
        (None, None): [[third, second, first]], (None, until): [[second, first]],
        (since, None): [[third, second]], (since, until): [[second]],
    }  # fmt: skip
