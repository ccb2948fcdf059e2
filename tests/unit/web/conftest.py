"""A shop on SQLite, to ask its pages without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.databases import Databases
from tests.support.shop import Browser, Shop, open_shop


@pytest.fixture
def shop(databases: Databases, tmp_path: Path) -> Iterator[Shop]:
    address = databases.create("sqlite")
    shop = open_shop(address, tmp_path)
    yield shop
    shop.close()
    databases.drop(address)


@pytest.fixture
def app(shop: Shop) -> Flask:
    """What pytest-flask makes its `client` of, for tests that only ask a page."""
    return shop.app


@pytest.fixture
def browser(shop: Shop) -> Browser:
    return shop.browser()
