"""The list of a browser's orders: page by page, each order once, the last page at the cost of the first."""

import re

import pytest

from store.services import orders
from store.services.orders.lookup import LISTED
from tests.support.shop import Browser, Shop
from tools.fill_orders import REGULAR_BROWSER, REGULAR_ORDERS, fill


def regular_customer(shop: Shop) -> Browser:
    """A browser with 200 orders."""
    fill(shop.services.database.engine, 1050, seed=1)
    browser = shop.browser()
    with browser.session() as session:
        session["browser"] = REGULAR_BROWSER
    return browser


def references(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/orders/([A-Z0-9-]+)">', page)


@pytest.mark.on_both_databases
def test_every_order_of_a_browser_is_on_one_page(shop: Shop) -> None:
    browser = regular_customer(shop)
    pages, path = [], "/orders"

    while path:
        page = browser.get(path).text
        pages.append(references(page))
        older = re.search(r'rel="next" href="([^"]*)"', page)
        path = older.group(1) if older else ""

    listed = [reference for page in pages for reference in page]
    assert {len(page) for page in pages} == {LISTED}
    assert len(set(listed)) == len(listed) == REGULAR_ORDERS
    assert [shop.read(each).id for each in listed[:40]] == sorted(
        (shop.read(each).id for each in listed[:40]), reverse=True
    )


def test_the_way_back_to_the_newest_orders_is_on_every_other_page(shop: Shop) -> None:
    browser = regular_customer(shop)
    first = browser.get("/orders").text

    second = browser.get(f"/orders?after={references(first)[-1]}").text

    assert "Newest orders" not in first
    assert '<a class="button second" href="/orders">Newest orders</a>' in second


@pytest.mark.on_both_databases
def test_no_order_of_another_browser_is_a_way_into_the_list(shop: Shop) -> None:
    stranger = shop.order()
    browser, reference = shop.browser_with_order()

    answers = [
        browser.get(f"/orders?after={each}").status_code for each in (stranger.reference, "NO-SUCH", "", reference)
    ]

    assert answers == [404, 404, 404, 200]


def test_a_browser_without_orders_has_none_listed(shop: Shop) -> None:
    shop.order()

    with shop.services.database.reading() as session:
        listed = orders.of_browser(session, None)

    assert (list(listed.orders), listed.after) == ([], None)
