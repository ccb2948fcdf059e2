"""What Stripe answers when it is asked carries the time of the answer, by Stripe's own clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import STRIPE_API_VERSION
from store.gateway.stripe import StripeGateway
from tests.support.in_process import InProcessStripe
from till_sandbox.app import create_app
from till_sandbox.testing import START, Endpoint, ManualClock, connect

KEY = "sk_test_observed"
BEGAN = datetime.fromtimestamp(START, UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport(tmp_path: Path, clock: ManualClock) -> Iterator[InProcessStripe]:
    application = create_app(tmp_path / "sandbox.sqlite3", clock=clock, send=Endpoint())
    yield InProcessStripe(application)
    application.extensions["sandbox"].stop()


def test_a_snapshot_is_as_old_as_its_response(transport: InProcessStripe, clock: ManualClock) -> None:
    gateway = StripeGateway(KEY, "http://127.0.0.1:4242", STRIPE_API_VERSION, [], http_client=transport)
    intent = connect(transport.application, KEY).v1.payment_intents.create({"amount": 700, "currency": "usd"})

    clock.advance(60)
    asked = gateway.retrieve_payment(intent.id).snapshot
    clock.advance(60)
    found = gateway.find_payment(intent.id)
    clock.advance(60)
    (listed,) = gateway.list_payments(BEGAN)

    assert found is not None
    after = [snapshot.observed_at - BEGAN for snapshot in (asked, found, listed)]
    assert after == [timedelta(seconds=seconds) for seconds in (60, 120, 180)]
