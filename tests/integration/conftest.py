"""Every test of this folder runs against a whole shop in one process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.shop import Shop, open_shop


@pytest.fixture
def shop_with(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Opens the shop with other settings than the usual ones."""
    opened: list[Shop] = []

    def make(**settings: Any) -> Shop:
        opened.append(open_shop(database_url, tmp_path, **settings))
        return opened[-1]

    yield make
    for shop in opened:
        shop.close()


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    return usual_shop
