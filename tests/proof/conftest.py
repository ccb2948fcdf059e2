"""Whole shops in one process, which can crash."""

import pytest

from tests.support.shop import Shop


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    return usual_shop
