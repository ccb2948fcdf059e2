"""The log names each webhook with its outcome, and each postponed work with the type of its failure, not its text."""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from structlog.testing import capture_logs

from store.services.operations import worker
from store.webhooks import inbox
from tests.support.shop import NoAnswer, Shop, event_of

LogLine = MutableMapping[str, Any]


def lines(log: list[LogLine], event: str) -> list[LogLine]:
    return [line for line in log if line["event"] == event]


def broken_stock(shop: Shop) -> None:
    """The reserved stock is gone, so that committing it fails."""
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE products SET reserved = 0"))


def test_every_webhook_is_logged_with_its_outcome(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    deliveries = shop.lose()
    events = [event_of(delivery) for delivery in deliveries]

    with capture_logs() as log:
        for delivery in [*deliveries, deliveries[0]]:
            shop.receive(delivery)

    handled = [event for event in events if event["type"] != "charge.updated"]
    said = [
        {"event_id": line["event_id"], "type": line["type"], "outcome": line["outcome"]}
        for line in lines(log, "webhook received")
    ]
    assert said == [
        *({"event_id": event["id"], "type": event["type"], "outcome": "handled"} for event in handled),
        {"event_id": events[0]["id"], "type": events[0]["type"], "outcome": "duplicate"},
    ]
    assert {(line["log_level"], line["order"]) for line in lines(log, "webhook received")} == {
        ("info", order.reference)
    }


def test_an_event_of_another_program_is_logged_as_ignored(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    shop.stripe("POST", "/v1/payment_intents", {**form, "return_url": "http://other.test/"})

    with capture_logs() as log:
        shop.deliver()

    assert {line["outcome"] for line in lines(log, "webhook received")} == {"ignored"}


def test_a_missed_event_that_fails_is_logged_and_blocks_no_other(shop: Shop) -> None:
    shop.pay(shop.order(2))
    deliveries = shop.send_to(lambda _delivery: 500)
    (paid,) = [event for event in map(event_of, deliveries) if event["type"] == "payment_intent.succeeded"]
    broken_stock(shop)

    with capture_logs() as log:
        taken = inbox.catch_up(shop.services, shop.clock() - timedelta(hours=1), shop.clock())

    assert lines(log, "missed webhook not handled") == [
        {
            "event": "missed webhook not handled",
            "event_id": paid["id"],
            "failure": "IntegrityError",
            "log_level": "warning",
        }
    ]
    assert [line.partition(": ")[2] for line in taken] == ["payment_intent.created", "charge.succeeded"]


def test_what_the_worker_postpones_is_logged_with_its_order(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.clock.forward(minutes=31)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    with capture_logs() as log:
        done = worker.run(shop.services, shop.clock())

    assert done == 0
    assert lines(log, "worker put off") == [
        {
            "event": "worker put off",
            "order": order.reference,
            "work": "_expire",
            "failure": "PaymentUnavailable",
            "log_level": "warning",
        }
    ]


def test_the_log_has_stripes_request_id(shop: Shop) -> None:
    order = shop.order()

    with capture_logs() as log:
        payment = shop.open(order)

    (line,) = lines(log, "stripe answered")
    assert (line["method"], line["path"], line["status"]) == ("post", "/v1/payment_intents", 200)
    assert line["stripe_request"].startswith("req_")
    assert payment.client_secret not in str(log)
