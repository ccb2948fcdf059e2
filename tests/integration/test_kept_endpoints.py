"""Endpoints and their notifications as they are kept: whole rows, the log of what was done, and limits of time."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import Endpoint, HistoryEntry, Notification, NotificationMark, Order, StaffLogEntry
from store.domain.endpoints import Fact
from store.domain.errors import NotFound, Subject
from store.gateway.port import EndpointAnswer
from store.services import history_marks, notifications
from store.services.notifications import endpoints, facts, secrets, sending
from store.services.staff_log import Actor
from tests.support.receivers import receiver_of
from tests.support.shop import Shop

BOOKS, OTHER = "https://books.example/till", "https://warehouse.example/till"
ADA = "ada@shop.example"


def ada(shop: Shop) -> Actor:
    return Actor(ADA, shop.clock())


def add(shop: Shop, url: str = BOOKS, *facts: Fact) -> int:
    return endpoints.add(shop.services, url, facts or [Fact.ORDER_PAID], ada(shop))[0].id


def paid(shop: Shop) -> Order:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    return order


def tell(shop: Shop) -> int:
    notifications.write(shop.services, shop.clock())
    return notifications.send_due(shop.services, shop.clock())


def rows(shop: Shop, table: type[Any]) -> list[dict[str, Any]]:
    with shop.services.database.reading() as session:
        found = session.scalars(select(table).order_by(table.id)).all()
        return [{each.key: getattr(row, each.key) for each in table.__table__.columns} for row in found]


def change(shop: Shop, table: type[Any], row_id: int, **values: Any) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(table).where(table.id == row_id).values(values))


def logged(shop: Shop) -> list[tuple[Any, ...]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
        return [(each.at, each.actor, each.action, each.subject, each.data) for each in entries]


def newest(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return history_marks.newest(session)


def test_an_endpoint_is_kept_whole_and_each_change_is_in_the_log(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    now, actor = usual_shop.clock(), ada(usual_shop)
    usual_shop.order()
    began = newest(usual_shop)

    asked = [Fact.REVIEW_OPENED, Fact.ORDER_PAID]
    added, secret = endpoints.add(usual_shop.services, BOOKS, asked, actor)
    add(usual_shop, OTHER)
    (first, beside) = rows(usual_shop, Endpoint)
    wanted = [Fact.ORDER_SHIPPED, Fact.ORDER_PAID]
    endpoints.change(usual_shop.services, added.id, f"{BOOKS}2", wanted, active=False, actor=actor)
    (changed, *_rest) = rows(usual_shop, Endpoint)
    endpoints.rotate(usual_shop.services, added.id, actor)
    (rotated, *_rest) = rows(usual_shop, Endpoint)
    endpoints.remove(usual_shop.services, added.id, actor)

    times = {"failing_since": None, "stopped_at": None, "added_at": now, "added_by": ADA}
    assert first == {
        **times, "id": added.id, "url": BOOKS, "facts": ["order.paid", "review.opened"], "active": True,
        "secret": first["secret"], "earlier_secret": None, "earlier_until": None, "after_id": began,
    }  # fmt: skip
    assert secrets.unseal(usual_shop.services.settings.signing_keys, first["secret"]) == secret
    assert changed == {**first, "url": f"{BOOKS}2", "facts": ["order.paid", "order.shipped"], "active": False}
    earlier = {"earlier_secret": first["secret"], "earlier_until": now + timedelta(days=1)}
    assert rotated == {**changed, **earlier, "secret": rotated["secret"]}
    assert rows(usual_shop, Endpoint) == [beside]
    assert logged(usual_shop) == [
        (now, ADA, action, url, data)
        for action, url, data in (
            ("endpoint.added", BOOKS, {"facts": "order.paid, review.opened"}),
            ("endpoint.added", OTHER, {"facts": "order.paid"}),
            ("endpoint.changed", f"{BOOKS}2", {"facts": "order.paid, order.shipped", "active": False}),
            ("endpoint.secret_changed", f"{BOOKS}2", {}),
            ("endpoint.removed", f"{BOOKS}2", {}),
        )
    ]


def test_an_endpoint_that_is_not_there_is_not_found(usual_shop: Shop) -> None:
    services, actor = usual_shop.services, ada(usual_shop)
    add(usual_shop)
    with services.database.reading() as session, pytest.raises(NotFound) as found:
        endpoints.find(session, 99)
    with pytest.raises(NotFound) as removed:
        endpoints.remove(services, 99, actor)
    with pytest.raises(NotFound) as replayed:
        sending.replay(services, 99, actor)

    subjects = [each.value.subject for each in (found, removed, replayed)]
    assert subjects == [Subject.ENDPOINT, Subject.ENDPOINT, Subject.NOTIFICATION]


def test_what_happened_before_a_change_is_told_unless_the_endpoint_was_off(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    endpoint_id, actor = add(usual_shop), ada(usual_shop)

    def switch(*, active: bool) -> None:
        endpoints.change(usual_shop.services, endpoint_id, BOOKS, [Fact.ORDER_PAID], active=active, actor=actor)

    first = paid(usual_shop)
    switch(active=True)  # it was on before
    tell(usual_shop)
    paid(usual_shop)
    switch(active=False)
    switch(active=True)
    last = paid(usual_shop)
    tell(usual_shop)

    assert [each.told["data"]["order"] for each in receiver.got] == [first.reference, last.reference]


def test_the_store_lists_the_endpoints_that_it_has_stopped(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    gone, off = add(usual_shop), add(usual_shop, OTHER)

    def answer(url: str) -> EndpointAnswer:
        if url == OTHER:  # somebody switches it off while it is told
            change(usual_shop, Endpoint, off, active=False)
        return EndpointAnswer(410, "")

    receiver.answer = answer
    paid(usual_shop)
    tell(usual_shop)

    with usual_shop.services.database.reading() as session:
        stopped = [each.id for each in endpoints.stopped(session)]
    now = usual_shop.clock()
    assert stopped == [gone]
    assert [(each["active"], each["failing_since"], each["stopped_at"]) for each in rows(usual_shop, Endpoint)] == [
        (False, now, now), (False, now, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("after", "active"), [(timedelta(days=3), False), (timedelta(days=3, seconds=-1), True)])
def test_an_endpoint_is_stopped_when_it_has_failed_for_three_days(
    usual_shop: Shop, after: timedelta, active: bool
) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    endpoint_id, began = add(usual_shop), usual_shop.clock()
    receiver.answer = lambda _url: EndpointAnswer(500, "")
    change(usual_shop, Endpoint, endpoint_id, failing_since=began)
    paid(usual_shop)
    usual_shop.clock.offset += after
    tell(usual_shop)

    (endpoint,) = rows(usual_shop, Endpoint)
    stopped_at = None if active else usual_shop.clock()
    assert (endpoint["active"], endpoint["failing_since"], endpoint["stopped_at"]) == (active, began, stopped_at)


def test_a_notification_is_written_whole_and_once(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    endpoint_id = add(usual_shop)
    add(usual_shop, OTHER, Fact.ORDER_SHIPPED)
    order = paid(usual_shop)
    with usual_shop.services.database.reading() as session:
        entry = session.scalars(select(HistoryEntry).where(HistoryEntry.type == "order.payment_received")).one()

    now = usual_shop.clock()
    written = [notifications.write(usual_shop.services, now) for _ in range(2)]

    (row,) = rows(usual_shop, Notification)
    body = row.pop("body")
    message_id = row.pop("message_id")
    assert written == [1, 0]
    assert row == {
        "id": row["id"], "endpoint_id": endpoint_id, "history_id": entry.id, "fact": "order.paid", "written_at": now,
        "due_at": now, "attempts": 0, "delivered_at": None, "failed_at": None, "status": None, "answer": None,
    }  # fmt: skip
    assert (message_id[:4], len(message_id)) == ("msg_", 36)
    assert body == json.dumps(json.loads(body), separators=(",", ":"))
    assert json.loads(body)["data"]["order"] == order.reference
    end = newest(usual_shop)
    assert rows(usual_shop, NotificationMark) == [{"id": 1, "read_id": end, "noted_id": end, "noted_in": 0}]


def test_an_endpoint_that_is_off_has_nothing_written(usual_shop: Shop) -> None:
    endpoint_id = add(usual_shop)
    change(usual_shop, Endpoint, endpoint_id, active=False)
    paid(usual_shop)

    assert notifications.write(usual_shop.services, usual_shop.clock()) == 0
    (mark,) = rows(usual_shop, NotificationMark)
    assert mark["read_id"] == mark["noted_id"] == 0


def test_a_notification_is_claimed_while_it_is_sent_and_kept_with_its_answer(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    add(usual_shop)
    paid(usual_shop)
    began, claimed = usual_shop.clock(), list[dict[str, Any]]()
    notifications.write(usual_shop.services, began)
    usual_shop.clock.forward(seconds=30)  # so long after the round has begun
    later = usual_shop.clock()

    def answer(_url: str) -> EndpointAnswer:
        claimed.extend(rows(usual_shop, Notification))
        return EndpointAnswer(200, "thanks")

    receiver.answer = answer
    taken = notifications.send_due(usual_shop.services, began)

    (during,), (after,) = claimed, rows(usual_shop, Notification)
    assert (taken, during["due_at"], during["attempts"]) == (1, later + timedelta(minutes=2), 1)
    assert after == {**during, "delivered_at": later, "status": 200, "answer": "thanks"}
    (got,) = receiver.got
    assert got.headers == {
        "Content-Type": "application/json",
        "User-Agent": "Till",
        "webhook-id": during["message_id"],
        "webhook-timestamp": str(int(later.timestamp())),
        "webhook-signature": got.headers["webhook-signature"],
    }


@pytest.mark.parametrize(("status", "taken"), [(199, 0), (200, 1), (299, 1), (300, 0)])
def test_a_status_of_the_two_hundreds_takes_a_notification(usual_shop: Shop, status: int, taken: int) -> None:
    receiver = receiver_of(usual_shop)
    endpoint_id = add(usual_shop)
    change(usual_shop, Endpoint, endpoint_id, failing_since=usual_shop.clock())
    paid(usual_shop)
    receiver.answer = lambda _url: EndpointAnswer(status, "")

    assert tell(usual_shop) == taken
    (row,), (endpoint,) = rows(usual_shop, Notification), rows(usual_shop, Endpoint)
    assert (row["status"], row["delivered_at"] is None, endpoint["failing_since"] is None) == (
        status, not taken, bool(taken),
    )  # fmt: skip


@pytest.mark.parametrize(("tries", "gives_up"), [(8, False), (9, True)])
def test_the_store_gives_up_after_the_tenth_try(usual_shop: Shop, tries: int, gives_up: bool) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    add(usual_shop)
    paid(usual_shop)
    notifications.write(usual_shop.services, usual_shop.clock())
    (before,) = rows(usual_shop, Notification)
    change(usual_shop, Notification, before["id"], attempts=tries)
    receiver.answer = lambda _url: EndpointAnswer(500, "no")

    assert notifications.send_due(usual_shop.services, usual_shop.clock()) == 0
    now = usual_shop.clock()
    ends = {"failed_at": now, "due_at": now + sending.CLAIM} if gives_up else {"due_at": now + timedelta(days=1)}
    assert rows(usual_shop, Notification) == [
        {**before, "attempts": tries + 1, "status": 500, "answer": "no", **ends},
    ]  # fmt: skip


@pytest.mark.parametrize("meanwhile", [{"attempts": 2}, {"delivered_at": True}, {"failed_at": True}], ids=str)
def test_an_answer_that_comes_too_late_is_not_written(usual_shop: Shop, meanwhile: dict[str, Any]) -> None:
    receiver = receiver_of(usual_shop)
    add(usual_shop)
    paid(usual_shop)
    at = usual_shop.clock()
    values = {name: at if value is True else value for name, value in meanwhile.items()}

    def answer(_url: str) -> EndpointAnswer:
        change(usual_shop, Notification, rows(usual_shop, Notification)[0]["id"], **values)
        return EndpointAnswer(200, "late")

    receiver.answer = answer
    tell(usual_shop)

    (row,) = rows(usual_shop, Notification)
    assert (row["status"], row["answer"], {name: row[name] for name in values}) == (None, None, values)


def planted(shop: Shop, endpoint_id: int, number: int, **values: Any) -> None:
    """Notifications as if they had been written."""
    now = shop.clock()
    row = {"endpoint_id": endpoint_id, "fact": "order.paid", "body": "{}", "written_at": now, "due_at": now}
    with shop.services.database.transaction() as session:
        for each in range(number):
            named = {"history_id": 1000 + each, "message_id": f"msg_{endpoint_id}_{each}", "attempts": 0}
            session.execute(insert(Notification).values({**row, **named, **values}))


def test_notifications_are_listed_fifty_at_a_time(usual_shop: Shop) -> None:
    books, other = add(usual_shop), add(usual_shop, OTHER)
    planted(usual_shop, books, sending.LISTED + 1)
    planted(usual_shop, other, sending.LISTED)

    with usual_shop.services.database.reading() as session:
        first = sending.listed(session, books)
        second = sending.listed(session, books, before=first.before)
        whole = sending.listed(session, other)

    named = [[each.message_id for each in part.notifications] for part in (first, second, whole)]
    assert named == [
        [f"msg_{books}_{number}" for number in range(sending.LISTED, 0, -1)],
        [f"msg_{books}_0"],
        [f"msg_{other}_{number}" for number in range(sending.LISTED - 1, -1, -1)],
    ]
    assert (first.before, second.before, whole.before) == (first.notifications[-1].id, None, None)


def test_what_is_replayed_is_due_as_if_it_were_new(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    books, now = add(usual_shop), usual_shop.clock()
    planted(usual_shop, books, 2, delivered_at=now, failed_at=now, attempts=7)
    first, second = rows(usual_shop, Notification)
    usual_shop.clock.forward(minutes=1)

    sending.replay(usual_shop.services, first["id"], ada(usual_shop))

    again = {"delivered_at": None, "failed_at": None, "attempts": 0, "due_at": usual_shop.clock()}
    assert rows(usual_shop, Notification) == [{**first, **again}, second]
    assert logged(usual_shop)[-1] == (
        usual_shop.clock(), ADA, "notification.replayed", first["message_id"], {},
    )  # fmt: skip


@pytest.mark.parametrize("ended", ["delivered_at", "failed_at"])
def test_what_has_ended_is_forgotten_after_thirty_days(usual_shop: Shop, ended: str) -> None:
    usual_shop.clock.stop()
    planted(usual_shop, add(usual_shop), 1, **{ended: usual_shop.clock()})
    kept: list[int] = []

    for by in (timedelta(days=30, seconds=-1), timedelta(seconds=1)):
        usual_shop.clock.offset += by
        with usual_shop.services.database.transaction() as session:
            notifications.forget(session, usual_shop.clock())
        kept.append(len(rows(usual_shop, Notification)))

    assert kept == [1, 0]


def test_each_fact_is_told_with_what_it_is_about(usual_shop: Shop) -> None:
    order, now = usual_shop.order(2), usual_shop.clock()
    sent = {"shipment": 2, "carrier": "UPS", "tracking": "T-1", "pieces": "2 × Cedar pencil"}

    def told(happened: str, **data: Any) -> tuple[str | None, dict[str, Any]]:
        entry = HistoryEntry(order_id=order.id, at=now, type=happened, source="staff", data=data)
        body = json.loads(facts.body_of(usual_shop.services, entry, order))
        common = {
            "order": order.reference,
            "total": {"minor": 800, "currency": "usd"},
            "url": f"{usual_shop.services.settings.store_url}/api/v1/orders/{order.reference}",
        }
        more = {name: value for name, value in body["data"].items() if name not in common}
        assert body == {"type": body["type"], "timestamp": now.isoformat(), "data": {**common, **more}}
        assert facts.fact_of(entry) in (None, body["type"])
        return facts.fact_of(entry), more

    shipped = {"shipment": 2, "carrier": "UPS", "tracking": "T-1"}
    assert told("order.payment_received", amount=800) == ("order.paid", {})
    assert told("order.nothing_due") == ("order.paid", {})
    assert told("order.partly_shipped", **sent) == ("order.shipped", {**shipped, "complete": False})
    assert told("order.fulfilled", **sent) == ("order.shipped", {**shipped, "complete": True})
    nothing = {"shipment": None, "carrier": None, "tracking": None, "complete": True}
    assert told("order.fulfilled") == (None, nothing)
    refunded = {"refunded": {"minor": 150, "currency": "usd"}}
    assert told("refund.succeeded", amount=150) == ("order.refunded", refunded)
    assert told("review.opened", reason="wrong_amount") == ("review.opened", {"reason": "wrong_amount"})


def test_a_secret_is_sealed_by_the_newest_key_alone() -> None:
    secret = secrets.new_secret()

    kept = secrets.seal(["older", "newer"], secret)

    opened = [secrets.unseal(keys, kept) for keys in (["newer"], ["newer", "newest"], ["older"], ["older", "newest"])]
    assert opened == [secret, secret, None, None]


def test_the_one_that_has_been_due_longest_is_sent_first(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    planted(usual_shop, add(usual_shop), 3)
    last, first, later = rows(usual_shop, Notification)
    change(usual_shop, Notification, first["id"], due_at=usual_shop.clock() - timedelta(minutes=1))
    change(usual_shop, Notification, later["id"], due_at=usual_shop.clock() + timedelta(seconds=1))

    assert notifications.send_due(usual_shop.services, usual_shop.clock()) == 2
    assert [each.headers["webhook-id"] for each in receiver.got] == [first["message_id"], last["message_id"]]
