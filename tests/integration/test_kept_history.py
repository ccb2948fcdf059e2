"""What happens to an order: the row that changes, the entry of the history, and the log of the staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import Category, HistoryEntry, Order, Payment, StaffLogEntry
from store.domain.errors import NotFound
from store.domain.states import OrderEvent, OrderState, Outcome, PaymentEvent, PaymentState
from store.services import history, transitions
from store.services.history import Origin, Source
from store.services.transitions import Transition
from tests.support.shop import Shop

ADA = "ada@shop.example"


def entries(session: Session, order: Order) -> list[tuple[Any, ...]]:
    session.flush()
    of_order = select(HistoryEntry).where(HistoryEntry.order_id == order.id).order_by(HistoryEntry.id)
    return [
        (each.at, each.type, each.source, each.actor, each.from_state, each.to_state, each.data, each.dedupe_key)
        for each in session.scalars(of_order)
    ]


def logged(session: Session) -> list[tuple[Any, ...]]:
    session.flush()
    rows = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
    return [(each.at, each.actor, each.action, each.subject, each.data) for each in rows]


def columns(session: Session, table: type[Any], row_id: int) -> dict[str, Any]:
    row = session.execute(select(*table.__table__.columns).where(table.id == row_id)).one()
    return dict(row._mapping)


def test_an_entry_is_kept_whole_and_logged_where_staff_or_their_program_did_it(shop: Shop) -> None:
    order, later = shop.order(), shop.clock() + timedelta(minutes=1)
    with shop.services.database.transaction() as session:
        before = len(entries(session, order))
        for source, actor in (
            (Source.STAFF, ADA), (Source.PROGRAM, "Warehouse"), (Source.STAFF, None), (Source.WORKER, ADA),
        ):  # fmt: skip
            states = (OrderState.PAID, OrderState.FULFILLED)
            history.add(session, order, f"by.{source}", Origin(source, later, actor), *states, {"shipment": 1})
        history.add(session, order, "plain", Origin(Source.STORE, later))
        added, log = entries(session, order)[before:], logged(session)

    states_and_data = ("paid", "fulfilled", {"shipment": 1}, None)
    assert added == [
        (later, "by.staff", "staff", ADA, *states_and_data),
        (later, "by.program", "program", "Warehouse", *states_and_data),
        (later, "by.staff", "staff", None, *states_and_data),
        (later, "by.worker", "worker", ADA, *states_and_data),
        (later, "plain", "store", None, None, None, {}, None),
    ]
    assert log == [
        (later, ADA, "by.staff", order.reference, {"shipment": 1}),
        (later, "Warehouse", "by.program", order.reference, {"shipment": 1}),
    ]


def test_an_entry_with_a_key_is_added_once_for_each_order(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    origin = Origin(Source.WEBHOOK, shop.clock(), ADA)
    with shop.services.database.transaction() as session:
        before = len(entries(session, order))
        history.add(session, order, "first", origin)
        done = [
            history.add_once(session, each, "second", origin, key, {"n": number})
            for number, (each, key) in enumerate([(order, "a"), (order, "a"), (order, "b"), (other, "a")])
        ]
        history.add_once(session, order, "third", origin, "c")
        added = entries(session, order)[before:]

    assert done == [True, False, True, True]
    kept = (origin.at, "second", "webhook", ADA, None, None)
    assert [entry[1] for entry in added] == ["first", "second", "second", "third"]
    assert added[1:3] == [(*kept, {"n": 0}, "a"), (*kept, {"n": 2}, "b")]
    assert added[3][6:] == ({}, "c")


def test_a_row_is_inserted_unless_it_is_there(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        done = [
            history.insert_once(session, Category, {"slug": slug, "name": slug, "position": position})
            for position, slug in enumerate(["shed", "shed", "attic"], 70)
        ]
        rows = session.execute(select(Category.slug, Category.position).where(Category.position >= 70)).all()

    assert done == [True, False, True]
    assert [tuple(row) for row in rows] == [("shed", 70), ("attic", 72)]


def test_an_event_changes_its_own_row_and_says_from_what_to_what(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    origin = Origin(Source.WORKER, shop.clock(), ADA)
    with shop.services.database.transaction() as session:
        rows = {each.id: columns(session, Order, each.id) for each in (order, other)}
        locked = transitions.lock_by_reference(session, order.reference)
        before = len(entries(session, order))
        values = {"closed_because": "expired"}
        done = transitions.apply(
            session, locked, locked, OrderEvent.EXPIRED, origin, values=values, data={"why": "late"}
        )
        stale = transitions.apply(session, locked, locked, OrderEvent.EXPIRED, origin, values={"closed_because": "no"})
        odd = transitions.apply(session, locked, locked, OrderEvent.FULFILLED, origin, values={"closed_because": "no"})
        added = entries(session, order)[before:]
        after = {each.id: columns(session, Order, each.id) for each in (order, other)}
        in_memory = (locked.state, locked.closed_because)

    waiting, expired = OrderState.AWAITING_PAYMENT, OrderState.EXPIRED
    assert done == Transition(Outcome.APPLIED, waiting, expired)
    assert stale == Transition(Outcome.STALE, expired, expired)
    assert odd == Transition(Outcome.REJECTED, expired, expired)
    assert [(each.applied, each.rejected) for each in (done, stale, odd)] == [
        (True, False), (False, False), (False, True),
    ]  # fmt: skip
    assert in_memory == (expired, "expired")
    assert after == {**rows, order.id: {**rows[order.id], "state": expired, "closed_because": "expired"}}
    assert added == [
        (origin.at, "order.expired", "worker", ADA, "awaiting_payment", "expired", {"why": "late"}, None),
    ]


def test_an_event_that_its_caller_has_recorded_is_not_recorded_again(shop: Shop) -> None:
    order = shop.order()
    origin = Origin(Source.WEBHOOK, shop.clock())
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        before = entries(session, order)
        done = transitions.apply(
            session, locked, locked.payment, PaymentEvent.OPENED, origin, values={"account": "test:x"}, recorded=True
        )
        assert entries(session, order) == before

    read = shop.read(order.reference).payment
    assert done.after is PaymentState.OPEN
    assert (read.state, read.account) == (PaymentState.OPEN, "test:x")


def test_an_order_is_locked_with_the_payment_that_counts_or_is_asked_for(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    shop.open(other)
    with shop.services.database.transaction() as session:
        live = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        session.execute(
            update(Payment).where(Payment.id == live.id).values(provider_payment_id="pi_new", provider_page_id="cs_new")
        )
        earlier = {"order_id": order.id, "live": False, "state": PaymentState.DECLINED, "amount_minor": 400}
        names = {"provider_payment_id": "pi_old", "provider_page_id": "cs_old"}
        session.execute(insert(Payment).values(**earlier, **names))
    with shop.services.database.transaction() as session:
        found = [
            transitions.lock_payment(session, "pi_new"),
            transitions.lock_payment(session, "pi_old"),
            transitions.lock_payment_on_page(session, "cs_new"),
            transitions.lock_payment_on_page(session, "cs_old"),
        ]
        none = transitions.lock_payment(session, "pi_none"), transitions.lock_payment_on_page(session, "pi_old")
        locked = transitions.lock_by_reference(session, order.reference)
        assert [(each[0].id, each[1].provider_payment_id) for each in found if each] == [
            (order.id, "pi_new"), (order.id, "pi_old"), (order.id, "pi_new"), (order.id, "pi_old"),
        ]  # fmt: skip
        assert locked.payment.provider_payment_id == "pi_new"
        assert transitions.lock(session, Order.reference == "NONE") is None
        with pytest.raises(NotFound):
            transitions.lock_by_reference(session, "NONE")

    assert none == (None, None)


def test_what_is_locked_is_read_anew(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    with shop.services.database.transaction() as session:
        read = session.scalars(select(Order).where(Order.id == order.id)).one()
        payment = read.payment
        silent = {"execution_options": {"synchronize_session": False}}
        session.execute(update(Order).where(Order.id == order.id).values(email="new@example.com"), **silent)
        session.execute(update(Payment).where(Payment.id == payment.id).values(account="test:new"), **silent)
        locked = transitions.lock_by_reference(session, order.reference)

        assert (locked.email, locked.payment.account) == ("new@example.com", "test:new")
