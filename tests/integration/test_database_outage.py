"""While the database is away or full, requests get a clear error, nothing is lost, and the store recovers by itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import psycopg2
import pytest
from sqlalchemy import event, make_url
from structlog.testing import capture_logs

from store.domain.states import OrderState
from store.services.operations import audit, health
from tests.support.shop import Shop, event_of

Away = Callable[[], AbstractContextManager[None]]


@contextmanager
def postgresql_away(url: str) -> Iterator[None]:
    """Close all connections to the database and refuse new ones."""
    parsed = make_url(url)
    admin = parsed.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)

    def execute(statement: str, *values: str | None) -> None:
        with closing(psycopg2.connect(admin)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)

    execute(f'ALTER DATABASE "{parsed.database}" ALLOW_CONNECTIONS false')
    execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", parsed.database)
    try:
        yield
    finally:
        execute(f'ALTER DATABASE "{parsed.database}" ALLOW_CONNECTIONS true')


@contextmanager
def disk_full(shop: Shop) -> Iterator[None]:
    """Let SQLite's file grow no further, and fill its free pages."""
    with shop.services.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    shop.services.database.engine.dispose()

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(shop.services.database.engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(shop.services.database.engine, "connect", limit)
        shop.services.database.engine.dispose()


@pytest.fixture
def away(shop: Shop, database_url: str) -> Away:
    return lambda: postgresql_away(database_url) if database_url.startswith("postgres") else disk_full(shop)


@pytest.mark.on_both_databases
def test_webhooks_are_answered_5xx_and_retried_until_the_database_is_up(shop: Shop, away: Away) -> None:
    orders = [shop.order(1) for _ in range(40)]
    for order in orders:
        shop.pay(order)

    with away(), capture_logs() as log:
        refused = {shop.receive(delivery) for delivery in shop.send_to(lambda _delivery: 503)} - {200}
    shop.clock.forward(minutes=10)
    shop.deliver()

    assert refused == {503}
    unwritten = [line["event_id"] for line in log if line["event"] == "webhook error not recorded"]
    assert unwritten
    assert set(unwritten) <= {event_of(delivery)["id"] for delivery in shop.webhooks.sent}
    assert {shop.read(order.reference).state for order in orders} == {OrderState.PAID}
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


@pytest.mark.on_postgresql  # a full disk still lets SQLite read
def test_pages_say_that_nothing_was_charged_and_when_to_come_back(shop: Shop, away: Away) -> None:
    browser, reference = shop.browser_with_order()

    with away():
        answers = [browser.get(path) for path in ("/", "/cart", f"/orders/{reference}", f"/orders/{reference}/pay")]
        ready = browser.get("/readyz")
        alive = browser.get("/healthz")
    after = browser.get(f"/orders/{reference}/pay")

    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    collect, order = answers[:2], answers[2:]
    assert all("Nothing was charged by this step." in answer.text for answer in collect)
    assert all("We cannot see right now whether you were charged." in answer.text for answer in order)
    assert not any("Nothing was charged" in answer.text for answer in order)
    assert (ready.status_code, alive.status_code, after.status_code) == (503, 200, 200)


@pytest.mark.on_postgresql  # SQLite has no server
def test_a_restart_of_the_database_costs_a_shopper_who_comes_later_nothing(shop: Shop, away: Away) -> None:
    browser, reference = shop.browser_with_order()

    with away():
        shop.clock.forward(seconds=5)
    answers = [browser.get(path).status_code for path in ("/", "/cart", f"/orders/{reference}/pay")]

    assert answers == [200, 200, 200]


@pytest.mark.on_postgresql
def test_a_connection_that_was_just_used_is_taken_without_a_question(shop: Shop, away: Away) -> None:
    """Whoever is the first to use one that broke in that moment is told to try again, and nobody after that."""
    shop.product()

    with away():
        pass
    answers = [shop.browser().get("/").status_code for _ in range(3)]

    assert answers == [503, 200, 200]


@pytest.mark.on_both_databases
def test_a_database_that_refuses_connections_is_named(shop: Shop) -> None:
    engine = shop.services.database.engine
    engine.dispose()

    def refuse(*_: Any) -> None:
        raise engine.dialect.loaded_dbapi.OperationalError("no connection")

    event.listen(engine, "do_connect", refuse)
    try:
        problems = health.problems(shop.services)
    finally:
        event.remove(engine, "do_connect", refuse)

    assert problems == ["The database does not answer."]
    assert health.problems(shop.services) == []
