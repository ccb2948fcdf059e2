"""The shop that tests use one after the other. Nobody would see it but by the clock if each test opened its own."""

import pytest

from store.domain.errors import PaymentUnavailable
from tests.support.databases import Databases
from tests.support.open_shops import OpenShops
from tests.support.shop import Shop


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


def test_a_shop_whose_breaker_has_counted_a_failure_is_not_lent_again(
    databases: Databases, open_shops: OpenShops, request: pytest.FixtureRequest
) -> None:
    address = databases.take("sqlite")
    with open_shops.lent(address, request) as first:
        refuse_payments(first)
        with pytest.raises(PaymentUnavailable):
            first.open(first.order())  # as a command does, which the breaker does not count
    databases.give_back(address)
    with open_shops.lent(databases.take("sqlite"), request) as second:
        assert second.app is first.app
        browser, reference = second.browser_with_order()
        refuse_payments(second)
        assert browser.get(f"/orders/{reference}/pay").status_code == 503
    databases.give_back(address)

    with open_shops.lent(databases.take("sqlite"), request) as third:
        assert third.app is not first.app
    databases.give_back(address)


def refuse_payments(shop: Shop) -> None:
    shop.sandbox.extensions["sandbox"].faults.add("api", "error", 9, {"match": "POST /v1/payment_intents"})
