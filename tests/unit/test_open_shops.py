"""The shop that tests use one after the other. Nobody would see it but by the clock if each test opened its own."""

import pytest

from tests.support.databases import Databases
from tests.support.open_shops import OpenShops


def test_a_shop_that_was_given_back_is_lent_again(
    databases: Databases, open_shops: OpenShops, request: pytest.FixtureRequest
) -> None:
    address = databases.take("sqlite")
    with open_shops.lent(address, request) as first:
        pass
    databases.give_back(address)

    with open_shops.lent(databases.take("sqlite"), request) as second:
        assert second.app is first.app
        assert second.sandbox is first.sandbox
    databases.give_back(address)
