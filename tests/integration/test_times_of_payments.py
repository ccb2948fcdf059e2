"""The moments that decide about an open payment: until when a page is open, who is reminded, and what is let go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import HistoryEntry, Mail, Order, Payment
from store.domain.errors import PaymentUnavailable
from store.domain.states import PaymentState
from store.services import payments
from store.services.payments import reminders
from tests.support.shop import NoAnswer, Shop

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def fail_after(shop: Shop, end: str) -> None:
    def lose(_method: str, path: str) -> None:
        if path.endswith(end):
            raise NoAnswer

    shop.transport.after = lose


def entries(shop: Shop, order: Order, kind: str) -> list[tuple[datetime, str, dict[str, Any]]]:
    return [(each.at, each.source, each.data) for each in shop.read(order.reference).history if each.type == kind]


@pytest.mark.parametrize(
    ("minutes", "given_before", "expires_in", "open_for"),
    [(0, 0, 30, 45), (20, 0, 10, 35), (21, 0, 10, 35), (21, 2, 10, 35), (21, 3, 9, 35)],
)
def test_a_page_is_open_longer_than_its_order(
    shop: Shop, minutes: int, given_before: int, expires_in: int, open_for: int
) -> None:
    shop.clock.stopped_at = datetime.now(UTC).replace(microsecond=0)
    order, other = shop.order(), shop.order()
    with shop.services.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(extensions=given_before))
    shop.clock.forward(minutes=minutes)
    now, extended = shop.clock(), int(minutes > 20 and given_before < 3)

    shop.open_page(order)

    after = shop.read(order.reference)
    assert (after.expires_at, after.extensions) == (now + expires_in * MINUTE, given_before + extended)
    assert (after.payment.page_expires_at, after.payment.create_attempt) == (now + open_for * MINUTE, 1)
    assert entries(shop, order, "order.extended") == [(now, "store", {"because": "hosted"})] * extended
    assert shop.read(other.reference).expires_at == other.expires_at


@pytest.mark.parametrize(("late", "attempt"), [(13 * MINUTE, 1), (13 * MINUTE + SECOND, 2)])
def test_a_page_that_may_be_there_keeps_its_time_while_that_is_enough(
    shop: Shop, late: timedelta, attempt: int
) -> None:
    shop.clock.stopped_at = datetime.now(UTC).replace(microsecond=0)
    order, placed = shop.order(), shop.clock()
    fail_after(shop, "/v1/checkout/sessions")
    with pytest.raises(PaymentUnavailable):
        shop.open_page(order)
    shop.transport.after = lambda _method, _path: None
    shop.clock.forward(seconds=late.total_seconds())

    shop.open_page(order)

    payment = shop.read(order.reference).payment
    until = placed + 45 * MINUTE if attempt == 1 else shop.clock() + 35 * MINUTE
    assert (payment.create_attempt, payment.page_expires_at) == (attempt, until)
    assert len(shop.stripe("GET", "/v1/checkout/sessions")["data"]) == 1


def test_only_who_was_declined_ten_minutes_ago_is_due_a_reminder(shop: Shop) -> None:
    shop.clock.stop()
    declined = shop.clock()
    orders = {
        name: shop.order() for name in ("due", "trying", "open", "tested", "told", "short", "just", "replaced", "paid")
    }
    ids = {name: order.id for name, order in orders.items()}
    now, most = declined + 10 * MINUTE, shop.services.settings.max_declines
    of_order: dict[str, dict[str, Any]] = {"tested": {"declines": most}, "open": {"state": PaymentState.OPEN}}
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(state=PaymentState.DECLINED, declines=most - 1))
        for name, values in of_order.items():
            session.execute(update(Payment).where(Payment.order_id == ids[name]).values(values))
        session.execute(update(Payment).where(Payment.order_id == ids["replaced"]).values(live=False))
        session.execute(update(Order).where(Order.id == ids["short"]).values(expires_at=now + 5 * MINUTE - SECOND))
        session.execute(update(Order).where(Order.id == ids["just"]).values(expires_at=now + 5 * MINUTE))
        session.execute(update(Order).where(Order.id == ids["paid"]).values(state="paid"))
        later = {"order_id": ids["trying"], "at": declined + SECOND, "type": "payment.declined", "source": "webhook"}
        session.execute(insert(HistoryEntry).values(**later, data={}))
        for name, kind in (("told", "payment_failed"), ("due", "order_expired")):
            times = {"written_at": declined, "due_at": declined, "attempts": 0}
            row = {"order_id": ids[name], "kind": kind, "dedupe_key": kind, "message_id": name, "data": {}}
            session.execute(insert(Mail).values({**row, **times}))

    with shop.services.database.reading() as session:
        found = select(Order.id).order_by(Order.id)
        due = session.scalars(found.where(reminders.due(shop.services, now))).all()
        ours = session.scalars(found.where(reminders.due(shop.services, now, Payment.order_id == ids["due"]))).all()

    assert due == [ids["due"], ids["just"]]
    assert ours == [ids["just"]]


def test_a_leftover_that_stripe_does_not_have_is_noted_once(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    shop.open(order)
    shop.open(other)

    def away(_method: str, path: str) -> None:
        if path.endswith("/cancel"):
            raise NoAnswer

    shop.transport.before = away
    for each in (order, other):
        with pytest.raises(PaymentUnavailable):
            shop.open_page(each)
    shop.transport.before = lambda _method, _path: None
    with shop.services.database.transaction() as session:
        left = session.scalars(select(Payment).where(Payment.order_id == order.id, ~Payment.live)).one()
        account = left.account
        session.execute(update(Payment).where(Payment.id == left.id).values(provider_payment_id="pi_gone"))
    now = shop.clock()

    payments.cancel_leftovers(shop.services, order.reference, now)
    payments.cancel_leftovers(shop.services, order.reference, now)

    with shop.services.database.reading() as session:
        rows = session.execute(select(Payment.order_id, Payment.live, Payment.account).order_by(Payment.id)).all()
    assert [tuple(row) for row in rows] == [
        (order.id, False, "unknown"), (other.id, False, account), (order.id, True, ""), (other.id, True, ""),
    ]  # fmt: skip
    assert account.startswith("test:acct_")
    assert entries(shop, order, "payment.unreachable") == [(now, "worker", {"payment": "pi_gone", "account": account})]
    assert entries(shop, other, "payment.unreachable") == []
    assert shop.read(order.reference).needs_review is False


def test_an_open_order_on_which_too_many_cards_were_declined_is_closed(shop: Shop) -> None:
    orders = {name: shop.order() for name in ("most", "fewer", "over two", "closed", "authorised")}
    ids, most = {name: order.id for name, order in orders.items()}, shop.services.settings.max_declines
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(declines=most))
        session.execute(update(Payment).where(Payment.order_id == ids["fewer"]).values(declines=most - 1))
        session.execute(update(Payment).where(Payment.order_id == ids["over two"]).values(declines=most - 1))
        earlier = {"amount_minor": 400, "live": False, "declines": 1}
        session.execute(insert(Payment).values(order_id=ids["over two"], **earlier))
        session.execute(update(Order).where(Order.id == ids["closed"]).values(state="cancelled"))
        session.execute(update(Order).where(Order.id == ids["authorised"]).values(authorised_at=shop.clock()))

    with shop.services.database.reading() as session:
        tested = payments.tested_with_cards(shop.services)
        found = session.scalars(select(Order.id).where(tested).order_by(Order.id)).all()

    assert found == [ids["most"], ids["over two"]]
