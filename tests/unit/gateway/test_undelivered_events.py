"""Events that did not arrive are listed for all types that the store handles, though Stripe takes twenty at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from config import STRIPE_API_VERSION
from store.gateway.stripe import StripeGateway
from till_sandbox.app import create_app
from till_sandbox.testing import START, Endpoint, InProcessStripe, ManualClock, connect

KEY = "sk_test_undelivered"
PAID = ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]
# In alphabetical order the first and the last are more than twenty apart.
HANDLED = [
    *PAID,
    "refund.created",
    *(f"{what}.{how}" for what in ("coupon", "customer", "plan", "price", "product") for how in ("created", "deleted")),
    *(f"payment_intent.{how}" for how in ("canceled", "payment_failed", "processing", "requires_action")),
    *(f"charge.dispute.{how}" for how in ("created", "closed", "updated")),
]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: ManualClock) -> Iterator[Flask]:
    """A sandbox whose webhooks all fail."""
    application = create_app(tmp_path / "sandbox.sqlite3", clock=clock, send=Endpoint(answers=[500] * 100))
    application.extensions["sandbox"].forward(KEY, "http://store.test/webhooks/stripe", ["whsec_of_the_store"])
    yield application
    application.extensions["sandbox"].stop()


def test_more_types_than_stripe_takes_at_once_are_listed_as_one(sandbox: Flask, clock: ManualClock) -> None:
    api, line = connect(sandbox, KEY), InProcessStripe(sandbox)
    gateway = StripeGateway(KEY, "http://127.0.0.1:4242", STRIPE_API_VERSION, ["whsec_of_the_store"], http_client=line)
    for _ in range(2):
        paid = api.v1.payment_intents.create(
            {
                "amount": 700,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "return_url": "http://other.test/",
            }
        )
        clock.advance(10)
        api.v1.refunds.create({"payment_intent": paid.id})
        clock.advance(10)
    sandbox.extensions["sandbox"].deliver_due()

    listed = list(gateway.list_undelivered_events(datetime.fromtimestamp(START, UTC), HANDLED))

    types = [event.type for event in listed]
    assert [types[0], sorted(types[1:4]), types[4], sorted(types[5:])] == ["refund.created", PAID] * 2
    assert len({event.event_id for event in listed}) == len(listed)
    assert len(line.requests) == 2
