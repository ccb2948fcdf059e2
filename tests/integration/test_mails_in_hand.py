"""What the staff does with a mail: sent again, tried now or told otherwise, and nothing else changes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import HistoryEntry, Mail, Order
from store.domain.errors import NotFound
from store.services import Services
from store.services.history import Origin, Source
from store.services.mail import outbox
from tests.support.shop import Shop

Handling = Callable[[Services, int, str, Origin], bool]
ENDS = ("sent", "failed", "dropped", "waiting")


def with_mails(shop: Shop) -> tuple[Order, dict[str, int]]:
    """An order with a mail that ended in each way and one that waits, beside another order's: their ids."""
    order, other = shop.order(), shop.order()
    now = shop.clock()
    ends: dict[str, dict[str, Any]] = {
        "sent": {"sent_at": now}, "failed": {"failed_at": now}, "dropped": {"dropped_because": "paid"},
        "waiting": {"due_at": now + timedelta(hours=1)},
    }  # fmt: skip
    with shop.services.database.transaction() as session:
        for number, (end, values) in enumerate(ends.items()):
            for order_id in (order.id, other.id):
                name = f"{end}-{order_id}"
                row: dict[str, Any] = {"order_id": order_id, "kind": f"kind_{number}", "dedupe_key": name, "data": {}}
                times = {"written_at": now, "due_at": now, "attempts": 4}
                session.execute(insert(Mail).values({**row, **times, "message_id": name, **values}))
        found = session.execute(select(Mail.dedupe_key, Mail.id).where(Mail.order_id == order.id)).all()
    return order, {key.partition("-")[0]: mail_id for key, mail_id in found}


def rows(shop: Shop) -> dict[int, dict[str, Any]]:
    with shop.services.database.reading() as session:
        mails = session.scalars(select(Mail)).all()
        return {mail.id: {each.key: getattr(mail, each.key) for each in Mail.__table__.columns} for mail in mails}


def told(shop: Shop) -> list[tuple[int, str, str, str | None, dict[str, Any]]]:
    with shop.services.database.reading() as session:
        wanted = select(HistoryEntry).where(HistoryEntry.type.startswith("mail.")).order_by(HistoryEntry.id)
        entries = session.scalars(wanted).all()
        return [(each.order_id, each.type, each.source, each.actor, each.data) for each in entries]


def handled(shop: Shop, handle: Handling, order: Order, ids: dict[str, int], origin: Origin) -> dict[str, bool]:
    return {end: handle(shop.services, ids[end], order.reference, origin) for end in ENDS}


def by_staff(shop: Shop) -> Origin:
    return Origin(Source.STAFF, shop.clock() + timedelta(minutes=1), "ada@shop.example")


def test_a_mail_that_ended_is_sent_again_as_a_new_one(shop: Shop) -> None:
    order, ids = with_mails(shop)
    before, origin = rows(shop), by_staff(shop)

    done = handled(shop, outbox.send_again, order, ids, origin)

    after, ended = rows(shop), {ids[end] for end in ENDS[:3]}
    assert done == {"sent": True, "failed": True, "dropped": True, "waiting": False}
    again = {"sent_at": None, "failed_at": None, "dropped_because": None, "attempts": 0, "due_at": origin.at}
    for mail_id, row in before.items():
        new = {**again, "message_id": after[mail_id]["message_id"]} if mail_id in ended else {}
        assert after[mail_id] == {**row, **new}
    names = {after[mail_id]["message_id"] for mail_id in ended}
    assert len(names) == 3
    assert names.isdisjoint(row["message_id"] for row in before.values())
    assert told(shop) == [
        (order.id, "mail.sent_again", "staff", "ada@shop.example", {"kind": f"kind_{n}"}) for n in range(3)
    ]


def test_a_mail_that_waits_is_tried_at_once_and_no_other(shop: Shop) -> None:
    order, ids = with_mails(shop)
    before, origin = rows(shop), by_staff(shop)

    done = handled(shop, outbox.try_now, order, ids, origin)

    assert done == {"sent": False, "failed": False, "dropped": False, "waiting": True}
    waiting = ids["waiting"]
    assert rows(shop) == {**before, waiting: {**before[waiting], "due_at": origin.at}}
    assert told(shop) == []


def test_a_mail_that_was_refused_or_waits_is_told_otherwise(shop: Shop) -> None:
    order, ids = with_mails(shop)
    before, origin = rows(shop), by_staff(shop)

    done = handled(shop, outbox.give_up, order, ids, origin)

    assert done == {"sent": False, "failed": True, "dropped": False, "waiting": True}
    given_up = {
        ids[end]: {**before[ids[end]], "failed_at": None, "dropped_because": "told_otherwise"}
        for end in ("failed", "waiting")
    }
    assert rows(shop) == {**before, **given_up}
    assert told(shop) == [
        (order.id, "mail.given_up", "staff", "ada@shop.example", {"kind": kind}) for kind in ("kind_1", "kind_3")
    ]


@pytest.mark.parametrize("handle", [outbox.send_again, outbox.try_now, outbox.give_up])
def test_a_mail_of_another_order_is_not_found(shop: Shop, handle: Handling) -> None:
    order, ids = with_mails(shop)
    before = rows(shop)
    stranger = next(mail_id for mail_id in before if mail_id not in ids.values())

    with pytest.raises(NotFound):
        handle(shop.services, stranger, order.reference, by_staff(shop))

    assert rows(shop) == before
