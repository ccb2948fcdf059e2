"""How many statements a page or the worker may send to the database, and in how many transactions: a count is exact, so
a test holds it. What PostgreSQL gets as a script, in one round trip, is not among them; there SQLite has the more of
the two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from store.services.operations import worker
from tests.support.shop import FORM, Shop, event_of, token_on

pytestmark = pytest.mark.on_both_databases

# Every step of one paid order and its webhooks, in the order of the way: at most so many statements in so many
# transactions.
AT_MOST = {
    "catalogue": (2, 1),
    "product": (2, 1),
    "add to cart": (4, 1),
    "cart": (1, 1),
    "checkout": (2, 1),
    "place the order": (7, 1),
    "payment page": (7, 2),
    "order page, confirming": (3, 2),
    "payment_intent.created": (2, 1),
    "charge.succeeded": (2, 1),
    "payment_intent.succeeded": (8, 1),
    "status.json": (1, 1),
    "order page, paid": (2, 1),
}
AT_MOST_IN_ALL = 43
# The same pages again, which a shopper may see or not.
AT_MOST_AGAIN = {
    "payment page": (4, 2),
    "status.json": (1, 1),
    "catalogue": (3, 1),
    "product": (3, 1),
    "add to cart": (4, 1),
    "cart": (1, 1),
    "orders": (3, 1),
}


@dataclass
class Counter:
    """Counts what is sent to the database, by the step during which it is."""

    counts: dict[str, tuple[int, int]]
    statements: int = 0
    transactions: int = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.statements = self.transactions = 0
        yield
        self.counts[name] = (self.statements, self.transactions)


@pytest.fixture
def counter(shop: Shop) -> Iterator[Counter]:
    counter = Counter({})
    shop.clock.stop()
    shop.browser().get("/products/cedar-pencil")  # tariffs that were read are kept for some seconds

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        counter.statements += not text.startswith("BEGIN")  # SQLite's is sent like a statement, PostgreSQL's is not

    def begin(_connection: Any) -> None:
        counter.transactions += 1

    engine = shop.services.database.engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "begin", begin)
    yield counter
    event.remove(engine, "before_cursor_execute", statement)
    event.remove(engine, "begin", begin)


def test_a_paid_order_sends_few_statements_on_every_page_of_its_way(shop: Shop, counter: Counter) -> None:
    browser, counts = Visitor(shop, counter), counter.counts
    with shop.services.database.reading() as session:
        shop.services.tariffs.current(session, shop.clock())  # which a process reads every few seconds

    browser.get("catalogue", "/")
    product = browser.get("product", "/products/cedar-pencil")
    browser.send("add to cart", "/cart/lines", product, slug="cedar-pencil", quantity="1")
    browser.get("cart", "/cart")
    checkout = browser.get("checkout", "/checkout")
    placed = browser.send("place the order", "/checkout", checkout, **FORM)
    browser.get("payment page", placed.location)
    reference = placed.location.split("/")[2]
    shop.pay(shop.read(reference))
    browser.get("order page, confirming", f"/orders/{reference}?confirming=1")
    for delivery in shop.lose():
        with counter.step(event_of(delivery)["type"]):
            shop.receive(delivery)
    browser.get("status.json", f"/orders/{reference}/status.json?confirming=1")
    thanks = browser.get("order page, paid", f"/orders/{reference}")

    assert "Payment received" in thanks.text
    assert {name: count for name, count in counts.items() if not within(count, AT_MOST[name])} == {}
    assert sum(statements for statements, _ in counts.values()) <= AT_MOST_IN_ALL
    assert list(counts) == list(AT_MOST)


def test_pages_that_are_seen_again_send_few_statements(shop: Shop, counter: Counter) -> None:
    browser = Visitor(shop, counter)
    product = browser.get("product", "/products/cedar-pencil")
    browser.send("add to cart", "/cart/lines", product, slug="cedar-pencil", quantity="1")
    placed = browser.send("place the order", "/checkout", browser.get("checkout", "/checkout"), **FORM)
    browser.get("payment page", placed.location)
    reference = placed.location.split("/")[2]
    browser.get("order page", f"/orders/{reference}?confirming=1")
    counter.counts.clear()

    browser.get("payment page", placed.location)
    browser.get("status.json", f"/orders/{reference}/status.json?confirming=1")
    browser.get("catalogue", "/")
    product = browser.get("product", "/products/cedar-pencil")
    browser.send("add to cart", "/cart/lines", product, slug="cedar-pencil", quantity="1")
    browser.get("cart", "/cart")
    browser.get("orders", "/orders")

    over = {name: count for name, count in counter.counts.items() if not within(count, AT_MOST_AGAIN[name])}
    assert over == {}
    assert list(counter.counts) == list(AT_MOST_AGAIN)


def test_a_round_of_the_worker_that_finds_nothing_to_do_sends_few_statements(shop: Shop, counter: Counter) -> None:
    shop.pay(shop.order())
    shop.deliver()
    for _ in range(2):
        shop.clock.forward(minutes=2)
        worker.run(shop.services, shop.clock())

    with counter.step("worker"):
        done = worker.run(shop.services, shop.clock())

    assert done == 0
    assert within(counter.counts["worker"], (16, 8))


def within(count: tuple[int, int], most: tuple[int, int]) -> bool:
    return all(number <= limit for number, limit in zip(count, most, strict=True))


class Visitor:
    """A browser whose every request is a step that is counted."""

    def __init__(self, shop: Shop, counter: Counter) -> None:
        self._browser, self._counter = shop.browser(), counter

    def get(self, step: str, path: str) -> TestResponse:
        with self._counter.step(step):
            return self._browser.get(path)

    def send(self, step: str, path: str, page: TestResponse, **form: str) -> TestResponse:
        """Send a form that stands on `page`."""
        token = token_on(page)
        with self._counter.step(step):
            return self._browser.open("POST", path, data={**form, "csrf_token": token})
