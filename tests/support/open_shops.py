"""Shops that tests use one after the other: two Flask applications cost more than most tests do with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from limits.storage import MemoryStorage
from sqlalchemy import create_engine

from store import logs
from store.services import catalogue
from store.services.database import Database
from store.web.limits import limiter
from tests.support.databases import migrated_sqlite
from tests.support.shop import Shop, open_shop

MOST_FILES = 300  # open ones; each thread that a test starts leaves the sandbox's behind, until the sandbox ends


class OpenShops:
    """At most one idle shop, of the usual settings, for each database.

    A shop is lent again only when nothing in it remembers the test before: its database was emptied and its
    sandbox reset; one whose web request Stripe failed to answer, which a circuit breaker counts, is not kept, nor one
    whose test failed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: dict[str, Shop] = {}
        self._opened = 0

    @contextmanager
    def lent(self, database_url: str, test: pytest.FixtureRequest) -> Iterator[Shop]:
        """A shop as `open_shop` opens it, on a database without rows. It is closed when the test fails."""
        failures = test.session.testsfailed
        shop = self._borrow(database_url)
        try:
            yield shop
        finally:
            self._return(database_url, shop, passed=test.session.testsfailed == failures)

    def _borrow(self, database_url: str) -> Shop:
        kept = self._idle.pop(database_url, None)
        # All shops of a process count orders in the place that the last one to be opened has named, such as a Redis.
        if kept is not None and isinstance(limiter.storage, MemoryStorage):
            return renew(kept)
        if kept is not None:
            kept.close()
        self._opened += 1
        folder = self._folder / str(self._opened)
        folder.mkdir()
        return open_shop(database_url, folder)

    def _return(self, database_url: str, shop: Shop, *, passed: bool) -> None:
        if not passed or shop.transport.failed or sum(1 for _ in Path("/dev/fd").iterdir()) > MOST_FILES:
            shop.close()
            return
        shop.services.database.engine.dispose()
        self._idle[database_url] = shop


def renew(kept: Shop) -> Shop:
    """The same applications, without anything that the test before did to them."""
    shop = replace(kept, services=kept.opened_with)
    shop.app.extensions["services"] = shop.opened_with
    shop.clock.offset, shop.clock.stopped_at = timedelta(), None
    shop.transport.renew()
    shop.sandbox.extensions["sandbox"].reset()
    shop.lose()
    shutil.rmtree(shop.mail_folder, ignore_errors=True)
    limiter.reset()
    admin = shop.app.extensions["admin"].made
    if admin is not None:
        admin.extensions["sign_in_limiter"].reset()
    api = shop.app.extensions["api"].made
    if api is not None:
        api.extensions["services"] = shop.opened_with
        api.extensions["api_limiter"].reset()
    shop.opened_with.tariffs.forget()
    logs.configure()
    _fill_catalogue(shop)
    return shop


def _fill_catalogue(shop: Shop) -> None:
    engine, currency = shop.services.database.engine, shop.services.settings.store_currency
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).write_bytes(_file_with_catalogue(currency))
        return
    with shop.services.database.transaction() as session:
        catalogue.seed(session, currency)


@cache
def _file_with_catalogue(currency: str) -> bytes:
    """An SQLite file with all tables and the products: a copy costs a hundredth of what writing them does."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "catalogue.sqlite3"
        file.write_bytes(migrated_sqlite())
        database = Database(create_engine(f"sqlite:///{file}"))
        with database.transaction() as session:
            catalogue.seed(session, currency)
        database.engine.dispose()  # which brings the -wal into the file
        return file.read_bytes()


@pytest.fixture(scope="session")
def open_shops(tmp_path_factory: pytest.TempPathFactory) -> OpenShops:
    return OpenShops(tmp_path_factory.mktemp("shops"))


@pytest.fixture
def usual_shop(database_url: str, open_shops: OpenShops, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A whole shop with the usual settings, on the test's database."""
    with open_shops.lent(database_url, request) as shop:
        yield shop
