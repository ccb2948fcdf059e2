"""An address, a browser and an email may place a limited number of orders an hour, on any number of servers."""

from collections.abc import Callable
from typing import Any

import pytest
from fakeredis import FakeRedis, FakeServer
from redis import Redis
from werkzeug.test import TestResponse

from models import Order
from store.services import checkout
from store.services.operations import worker
from store.web import limits
from tests.support.shop import FORM, Browser, Shop

SHARED = {"orders_per_hour": 2, "rate_limit_storage": "redis://redis.test:6379"}


def place(browser: Browser, email: str = FORM["email"], address: str = "203.0.113.1") -> int:
    return check_out(browser, email, address).status_code


def check_out(browser: Browser, email: str, address: str) -> TestResponse:
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    form = {**FORM, "email": email, "csrf_token": browser.token("/checkout")}
    return browser.open("POST", "/checkout", data=form, headers={"X-Forwarded-For": address})


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A Redis server without a socket, which all clients of the test are led to."""
    server = FakeServer()
    monkeypatch.setattr(limits.limiter, "_storage_dead", False)  # a server that starts knows of no outage
    monkeypatch.setattr(Redis, "from_url", lambda _url, **_options: FakeRedis(server=server))
    return server


def test_one_browser_may_place_so_many_orders_an_hour_and_no_more(shop_with: Callable[..., Shop]) -> None:
    browser = shop_with(orders_per_hour=3).browser()

    mistakes = [browser.post("/checkout", {}, page="/checkout").status_code for _ in range(5)]
    answers = [place(browser) for _ in range(5)]
    refused = browser.post("/checkout", FORM, page="/checkout")

    assert 429 not in mistakes
    assert answers == [303, 303, 303, 429, 429]
    assert "Nothing was charged" in refused.text
    assert 3000 < int(refused.headers["Retry-After"]) <= 3601  # the hour, and a begun second


def test_one_address_may_place_so_many_orders_an_hour_in_any_browser(
    shop_with: Callable[..., Shop],
) -> None:
    """Who drops the cookie is a new browser, and still the same address."""
    shop = shop_with(orders_per_hour=2)

    assert [place(shop.browser()) for _ in range(3)] == [303, 303, 429]


def test_one_email_may_place_so_many_orders_an_hour_from_anywhere(shop_with: Callable[..., Shop]) -> None:
    """However it is spelled, and whatever else is new."""
    shop = shop_with(orders_per_hour=2, proxy_hops=1)
    spelled = ["ada@example.com", "ADA@example.com", " Ada <ada@EXAMPLE.com>", "grace@example.com"]

    answers = [place(shop.browser(), email, f"203.0.113.{n}") for n, email in enumerate(spelled)]

    assert answers == [303, 303, 429, 303]


@pytest.mark.usefixtures("redis")
def test_a_count_in_redis_survives_a_restart(shop_with: Callable[..., Shop]) -> None:
    first = place(shop_with(**SHARED).browser())
    second = shop_with(**SHARED)

    assert [first, place(second.browser()), place(second.browser())] == [303, 303, 429]


def test_while_redis_is_away_the_server_counts_by_itself(shop_with: Callable[..., Shop], redis: FakeServer) -> None:
    shop = shop_with(**SHARED)
    before = place(shop.browser())

    redis.connected = False
    answers = [place(shop.browser()) for _ in range(3)]

    assert before == 303
    assert answers == [303, 303, 429]


def test_an_order_is_placed_though_redis_goes_away_before_it_is_counted(
    shop_with: Callable[..., Shop], redis: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_with(**SHARED)
    place_order = checkout.place

    def and_then_redis_goes_away(*arguments: Any) -> Order:
        order = place_order(*arguments)
        redis.connected = False
        return order

    monkeypatch.setattr(checkout, "place", and_then_redis_goes_away)

    assert place(shop.browser()) == 303


@pytest.mark.on_both_databases
@pytest.mark.parametrize("kept", ["address", "browser", "email", "nothing"])
def test_after_many_declines_a_shopper_cannot_order_for_an_hour(shop_with: Callable[..., Shop], kept: str) -> None:
    """By whatever a card tester leaves the same. PostgreSQL counts in the statement that reads the cart."""
    shop = shop_with(declines_per_hour=4, proxy_hops=1)
    browsers = [shop.browser() for _ in range(3)]

    answers = []
    for number in range(3):
        browser = browsers[0 if kept == "browser" else number]
        email = "ada@example.com" if kept == "email" else f"tester{number}@example.com"
        answer = check_out(browser, email, "203.0.113.9" if kept == "address" else f"203.0.113.{number}")
        answers.append(answer.status_code)
        if answer.status_code == 303:
            try_two_cards(shop, answer.location.split("/")[2])
    shop.clock.forward(hours=2)

    assert answers == [303, 303, 303 if kept == "nothing" else 429]
    assert place(browsers[0], "ada@example.com", "203.0.113.9") == 303


def test_an_open_order_takes_no_more_cards_once_many_were_declined(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(declines_per_hour=2)
    browser, reference = shop.browser_with_order()
    before = browser.get(f"/orders/{reference}/pay")

    try_two_cards(shop, reference)
    refused = browser.get(f"/orders/{reference}/pay")

    assert (before.status_code, refused.status_code) == (200, 429)
    assert "A declined card is not charged" in refused.text


def test_whose_declines_an_order_counts_for_is_forgotten_after_two_hours(shop: Shop) -> None:
    _browser, reference = shop.browser_with_order()
    kept = [digests(shop, reference)]

    for minutes in (119, 1):
        shop.clock.forward(minutes=minutes)
        worker.run(shop.services, shop.clock())
        kept.append(digests(shop, reference))

    assert kept[0] == kept[1]
    assert all(digest and len(digest) == 32 for digest in kept[0])
    assert kept[2] == (None, None)


def digests(shop: Shop, reference: str) -> tuple[str | None, str | None]:
    order = shop.read(reference)
    return order.address_digest, order.email_digest


def try_two_cards(shop: Shop, reference: str) -> None:
    payment = shop.open(shop.read(reference))
    for card in ("4000000000000002", "4000000000009995"):
        shop.confirm(payment, card)
    shop.deliver()
