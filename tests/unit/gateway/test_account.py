"""The store can name the account that its key belongs to, and asks for it once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from config import STRIPE_API_VERSION
from store.gateway.stripe import StripeGateway
from till_sandbox.app import create_app
from till_sandbox.testing import Endpoint, InProcessStripe, connect


class NotPermitted(stripe.PermissionError):
    """What the SDK raises for Stripe's 403 to a restricted key."""

    def __init__(self) -> None:
        super().__init__("not permitted", http_status=403)


@pytest.fixture
def transport(tmp_path: Path) -> Iterator[InProcessStripe]:
    application = create_app(tmp_path / "sandbox.sqlite3", send=Endpoint())
    yield InProcessStripe(application)
    application.extensions["sandbox"].stop()


def gateway(transport: InProcessStripe, key: str) -> StripeGateway:
    return StripeGateway(key, "http://127.0.0.1:4242", STRIPE_API_VERSION, [], http_client=transport)


def test_keys_of_two_accounts_are_distinguished(transport: InProcessStripe) -> None:
    keys = ("sk_test_one", "sk_test_other")

    accounts = [gateway(transport, key).account_id() for key in keys]

    assert accounts == [connect(transport.application, key).v1.accounts.retrieve_current().id for key in keys]
    assert len(set(accounts)) == 2


def test_the_account_is_retrieved_once(transport: InProcessStripe) -> None:
    asking = gateway(transport, "sk_test_one")

    asking.account_id()
    asking.account_id()

    assert transport.requests == [("GET", "/v1/account")]


def test_a_key_without_access_to_its_account_still_works(transport: InProcessStripe) -> None:
    def refuse(_method: str, _path: str) -> None:
        raise NotPermitted

    transport.before = refuse

    assert gateway(transport, "sk_test_one").account_id() == ""
