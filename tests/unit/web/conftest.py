"""A shop on SQLite, to ask its pages without a browser."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.databases import Databases
from tests.support.open_shops import OpenShops
from tests.support.shop import Browser, Shop


@pytest.fixture
def shop(databases: Databases, open_shops: OpenShops, request: pytest.FixtureRequest) -> Iterator[Shop]:
    address = databases.take("sqlite")
    with open_shops.lent(address, request) as shop:
        yield shop
    databases.give_back(address)


@pytest.fixture
def app(shop: Shop) -> Flask:
    """What pytest-flask makes its `client` of, for tests that only ask a page."""
    return shop.app


@pytest.fixture
def browser(shop: Shop) -> Browser:
    return shop.browser()
