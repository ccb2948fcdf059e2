"""Webhooks as they are remembered: whole rows, page by page, handled again and taken off the list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from models import InboxEvent, Payment, StaffLogEntry
from store.domain.errors import EventGone, NotFound, StoreBusy, Subject
from store.webhooks import deliveries, inbox
from store.webhooks.inbox import InboxResult
from tests.support.failing_database import FailingDatabase
from tests.support.shop import Shop, event_of, signed

ADA = "ada@shop.example"
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def remembered(shop: Shop) -> dict[str, dict[str, Any]]:
    with shop.services.database.reading() as session:
        columns = [each.key for each in InboxEvent.__table__.columns]
        found = session.scalars(select(InboxEvent).order_by(InboxEvent.received_at, InboxEvent.id)).all()
        return {row.id: {key: getattr(row, key) for key in columns} for row in found}


def logged(shop: Shop) -> list[tuple[Any, ...]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
        return [(each.at, each.actor, each.action, each.subject, each.data) for each in entries]


def plant(shop: Shop, *rows: dict[str, Any]) -> None:
    with shop.services.database.transaction() as session:
        for row in rows:
            session.execute(insert(InboxEvent).values({"type": "refund.updated", "received_at": BEGAN, **row}))


def named(part: deliveries.DeliveryPart) -> list[str]:
    return [event.id for event in part.events]


def paying(shop: Shop) -> tuple[str, dict[str, Any]]:
    """An order that is paid at Stripe, and the event that says so, which the store has not got yet."""
    order = shop.order()
    shop.pay(order)
    events = map(event_of, shop.lose())
    return order.reference, next(each for each in events if each["type"] == "payment_intent.succeeded")


def receive(shop: Shop, event: dict[str, Any], *failures: Exception | None) -> InboxResult:
    """The store receives an event, while its first transactions fail."""
    services = replace(shop.services, database=FailingDatabase(shop.services.database, *failures))
    delivery = signed(event)
    return inbox.receive(services, delivery.body, delivery.headers["Stripe-Signature"], shop.clock())


def test_webhooks_are_listed_fifty_at_a_time_the_newest_first(shop: Shop) -> None:
    plant(shop, *({"id": f"evt_{number:02}"} for number in range(50)))
    later = {"received_at": BEGAN + timedelta(seconds=1)}
    with shop.services.database.reading() as session:
        whole = deliveries.find(session)
    plant(shop, {"id": "evt_00a", **later, "handled_at": BEGAN}, {"id": "evt_Z", "handled_at": BEGAN})

    with shop.services.database.reading() as session:
        first = deliveries.find(session)
        second = deliveries.find(session, after=first.after)
        failed = deliveries.find(session, failed=True)
        tilde = deliveries.find(session, after=f"{BEGAN.isoformat()}~evt_02~")
        odd = [deliveries.find(session, after=after) for after in ("", "x", "2026-11-01~evt_02", f"{first.after}\0")]

    oldest_last = [f"evt_{number:02}" for number in range(49, -1, -1)]
    assert (named(whole), whole.after) == (oldest_last, None)
    assert (named(first), first.after) == (["evt_00a", "evt_Z", *oldest_last[:48]], f"{BEGAN.isoformat()}~evt_02")
    assert (named(second), second.after) == (["evt_01", "evt_00"], None)
    assert named(tilde) == ["evt_02", "evt_01", "evt_00"]
    assert (named(failed), failed.after) == (oldest_last, None)
    assert [named(part) for part in odd] == [named(first)] * 4


def test_the_webhooks_about_an_order_are_those_of_its_payments_and_pages(shop: Shop) -> None:
    times = [{"received_at": BEGAN + timedelta(seconds=seconds)} for seconds in range(3)]
    plant(
        shop,
        {"id": "evt_3", "about": "pi_1", **times[2]},
        {"id": "evt_2", "about": "cs_2", **times[0]},
        {"id": "evt_1", "about": "pi_2", **times[0]},
        {"id": "evt_4", "about": "pi_of_another", **times[1]},
        {"id": "evt_5", "about": None, **times[1]},
    )
    of_order = [Payment(provider_payment_id="pi_1"), Payment(provider_payment_id="pi_2", provider_page_id="cs_2")]

    with shop.services.database.reading() as session:
        found = [event.id for event in deliveries.about_payments(session, of_order)]
        none = deliveries.about_payments(session, [Payment()])

    assert (found, none) == (["evt_1", "evt_2", "evt_3"], [])


def test_one_webhook_is_found_by_its_whole_id(shop: Shop) -> None:
    long = "e" * 255
    plant(shop, {"id": "evt_1"}, {"id": long}, {"id": f"{long}e"}, {"id": "evt é"}, {"id": "é"})

    with shop.services.database.reading() as session:
        assert [deliveries.one(session, each).id for each in ("evt_1", long)] == ["evt_1", long]
        for unfit in ("", "evt_", f"{long}e", "evt é", "é", "evt_1\0"):
            with pytest.raises(NotFound) as missing:
                deliveries.one(session, unfit)
            assert missing.value.subject is Subject.EVENT


def test_a_webhook_is_remembered_whole_and_counted(shop: Shop) -> None:
    shop.clock.stop()
    began = shop.clock()
    reference, event = paying(shop)

    first = receive(shop, event)
    row = remembered(shop)
    shop.clock.forward(minutes=1)
    second = receive(shop, event)

    payment = event["data"]["object"]["id"]
    kept = {"id": event["id"], "type": event["type"], "received_at": began, "about": payment}
    handled = {"handled_at": began, "outcome": "handled", "last_error": None}
    assert (first, second) == (InboxResult.HANDLED, InboxResult.DUPLICATE)
    assert row == {event["id"]: {**kept, **handled, "deliveries": 1}}
    assert remembered(shop) == {event["id"]: {**kept, **handled, "deliveries": 2}}
    assert shop.read(reference).payment.provider_payment_id == payment


def test_a_webhook_that_fails_is_remembered_with_why_until_it_is_handled(shop: Shop) -> None:
    shop.clock.stop()
    began = shop.clock()
    _reference, event = paying(shop)

    with pytest.raises(LookupError):
        receive(shop, event, LookupError("what it says is not kept"))
    failed = remembered(shop)
    shop.clock.forward(minutes=1)
    with pytest.raises(ArithmeticError):
        receive(shop, event, ArithmeticError())
    again = remembered(shop)
    shop.clock.forward(minutes=1)
    handled = receive(shop, event)
    after = remembered(shop)
    shop.clock.forward(minutes=1)
    with pytest.raises(LookupError):
        receive(shop, event, LookupError())

    row = {"id": event["id"], "type": event["type"], "received_at": began, "about": event["data"]["object"]["id"]}
    open_still = {**row, "handled_at": None, "outcome": None}
    assert failed == {event["id"]: {**open_still, "deliveries": 1, "last_error": "LookupError"}}
    assert again == {event["id"]: {**open_still, "deliveries": 2, "last_error": "ArithmeticError"}}
    at = began + timedelta(minutes=2)
    done = {**row, "handled_at": at, "outcome": "handled", "last_error": None}
    assert handled is InboxResult.HANDLED
    assert after == {event["id"]: {**done, "deliveries": 3}}
    assert remembered(shop) == {event["id"]: {**done, "deliveries": 4}}


def test_a_failure_that_cannot_be_remembered_is_logged(shop: Shop) -> None:
    _reference, event = paying(shop)

    with capture_logs() as log, pytest.raises(LookupError):
        receive(shop, event, LookupError(), StoreBusy())

    assert log == [{"event": "webhook error not recorded", "event_id": event["id"], "log_level": "warning"}]
    assert remembered(shop) == {}


def test_a_decline_is_handled_whatever_comes_of_stopping_card_testing(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order, "4000000000000002")
    events = map(event_of, shop.lose())
    declined = next(each for each in events if each["type"] == "payment_intent.payment_failed")
    shop.services = replace(shop.services, settings=shop.services.settings.model_copy(update={"max_declines": 1}))

    with capture_logs() as log:
        handled = receive(shop, declined, None, LookupError("an address"))

    assert handled is InboxResult.HANDLED
    assert [(line["event"], line["log_level"], line["order"]) for line in log] == [
        ("webhook received", "info", order.reference), ("card testing not stopped yet", "error", order.reference),
    ]  # fmt: skip
    assert shop.read(order.reference).payment.declines == 1


def test_those_that_failed_are_listed_the_oldest_first(shop: Shop) -> None:
    plant(
        shop,
        {"id": "evt_1", "received_at": BEGAN + timedelta(seconds=1)},
        {"id": "evt_2"},
        {"id": "evt_3", "handled_at": BEGAN},
    )

    with shop.services.database.reading() as session:
        assert [event.id for event in inbox.unhandled(session)] == ["evt_2", "evt_1"]


def test_only_what_was_not_handled_is_taken_off_the_list(shop: Shop) -> None:
    now = BEGAN + timedelta(hours=1)
    plant(shop, {"id": "evt_1"}, {"id": "evt_2"}, {"id": "evt_3"}, {"id": "evt_4", "handled_at": BEGAN})
    before = remembered(shop)

    done = [inbox.set_aside(shop.services, each, now, ADA) for each in ("evt_1", "evt_4", "evt_of_nobody")]
    by_nobody = inbox.set_aside(shop.services, "evt_2", now)

    aside = {"handled_at": now, "outcome": "set_aside"}
    assert (done, by_nobody) == ([True, False, False], True)
    assert remembered(shop) == {
        **before, "evt_1": {**before["evt_1"], **aside}, "evt_2": {**before["evt_2"], **aside},
    }  # fmt: skip
    assert logged(shop) == [(now, ADA, "webhook.set_aside", "evt_1", {})]


def test_a_webhook_is_handled_again_in_the_name_of_who_asks(shop: Shop) -> None:
    shop.clock.stop()
    reference, event = paying(shop)
    shop.clock.forward(hours=1)
    now = shop.clock()

    results = [inbox.replay(shop.services, event["id"], now, ADA), inbox.replay(shop.services, event["id"], now)]
    with pytest.raises(EventGone) as gone:
        inbox.replay(shop.services, "evt_of_nobody", now, ADA)

    paid = next(entry for entry in shop.read(reference).history if entry.type == "payment.paid")
    assert results == [InboxResult.HANDLED, InboxResult.DUPLICATE]
    assert (paid.source, paid.actor, paid.at) == ("reconciliation", ADA, now)
    assert (gone.value.event_id, logged(shop)[0]) == ("evt_of_nobody", (now, ADA, "webhook.replayed", event["id"], {}))
    assert [entry[2] for entry in logged(shop)].count("webhook.replayed") == 1
    assert remembered(shop)[event["id"]]["deliveries"] == 2


def test_an_event_that_no_handler_wants_is_not_handled_again(shop: Shop) -> None:
    shop.stripe("POST", "/v1/customers", {"email": "bob@example.com"})
    events = shop.stripe("GET", "/v1/events", {"limit": "100"})["data"]
    ignored = next(event for event in events if event["type"] == "customer.created")

    assert inbox.replay(shop.services, ignored["id"], shop.clock(), ADA) is InboxResult.IGNORED
    assert (remembered(shop), logged(shop)) == ({}, [])


def test_missed_webhooks_are_caught_up_with_the_oldest_first(shop: Shop) -> None:
    began = shop.clock()
    order = shop.order()
    shop.pay(order)
    sent = [event_of(each) for each in shop.send_to(lambda _delivery: 500)]
    shop.clock.forward(minutes=1)

    taken = inbox.catch_up(shop.services, began - timedelta(minutes=1), shop.clock())
    again = inbox.catch_up(shop.services, began - timedelta(minutes=1), shop.clock())

    handled = [event for event in sent if event["id"] in remembered(shop)]
    assert taken == [f"event {event['id']}: {event['type']}" for event in handled]
    assert (len(taken) > 2, again) == (True, [])
    paid = next(entry for entry in shop.read(order.reference).history if entry.type == "payment.paid")
    assert (paid.source, paid.actor) == ("reconciliation", None)


def test_a_database_that_is_busy_ends_the_catching_up(shop: Shop) -> None:
    shop.pay(shop.order())
    shop.send_to(lambda _delivery: 500)
    busy = FailingDatabase(shop.services.database, StoreBusy(), StoreBusy())

    with pytest.raises(StoreBusy):
        inbox.catch_up(replace(shop.services, database=busy), shop.clock() - timedelta(hours=1), shop.clock())

    assert remembered(shop) == {}
