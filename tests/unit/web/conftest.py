"""A shop on SQLite, to ask its pages without a browser."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.databases import Databases
from tests.support.open_shops import OpenShops
from tests.support.shop import Browser, Shop


@pytest.fixture
def shop(databases: Databases, open_shops: OpenShops) -> Iterator[Shop]:
    address = databases.take("sqlite")
    shop = open_shops.borrow(address)
    yield shop
    open_shops.give_back(address, shop)
    databases.give_back(address)


@pytest.fixture
def app(shop: Shop) -> Flask:
    """What pytest-flask makes its `client` of, for tests that only ask a page."""
    return shop.app


@pytest.fixture
def browser(shop: Shop) -> Browser:
    return shop.browser()
