"""What waits for the staff, one kind at a time: which rows, in which order, from which moment on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from models import Dispute, Heartbeat, HistoryEntry, InboxEvent, Mail, Order, Payment, Product, Reconciliation, Refund
from store.domain.money import Money
from store.domain.states import DisputeState, OrderState, RefundState, ReservationState
from store.services.history import Origin, Source
from store.services.operations import figures, health, work_list
from store.services.operations.figures import DayFigures
from store.services.operations.work_list import Health, WorkList
from store.services.orders import reviews
from tests.support.shop import Shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now(shop: Shop) -> datetime:
    shop.clock.stop()
    return shop.clock()


def waiting(shop: Shop, now: datetime) -> WorkList:
    with shop.services.database.reading() as session:
        return work_list.read(session, now)


def payment_ids(shop: Shop, orders: list[Order]) -> list[int]:
    return [shop.read(order.reference).payment.id for order in orders]


def test_disputes_to_answer_are_listed_the_most_urgent_first(shop: Shop, now: datetime) -> None:
    orders = [shop.order() for _ in range(6)]
    states = [DisputeState.INQUIRY, *[DisputeState.NEEDS_RESPONSE] * 3, DisputeState.UNDER_REVIEW, DisputeState.LOST]
    due = [None, now + 2 * MINUTE, now + MINUTE, None, now, now]
    opened = [now, now, now, now - MINUTE, now, now]
    rows = zip(payment_ids(shop, orders), states, due, opened, strict=True)
    with shop.services.database.transaction() as session:
        session.execute(
            insert(Dispute),
            [
                {"provider_dispute_id": f"du_{n}", "payment_id": row[0], "state": row[1], "amount_minor": 400,
                 "due_by": row[2], "opened_at": row[3]}
                for n, row in enumerate(rows)
            ],
        )  # fmt: skip

    listed = waiting(shop, now).disputes

    assert [(order.id, dispute.provider_dispute_id) for order, dispute in listed] == [
        (orders[n].id, f"du_{n}") for n in (2, 1, 3, 0)
    ]


def test_money_to_return_is_listed_by_order_and_refunds_by_their_age(shop: Shop, now: datetime) -> None:
    orders = [shop.order() for _ in range(4)]
    payments = payment_ids(shop, orders)
    ages = [10 * MINUTE, 11 * MINUTE, 9 * MINUTE, 12 * MINUTE]
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.id.in_([payments[3], payments[1]])).values(refund_due=True))
        session.execute(
            insert(Refund),
            [
                {"payment_id": payment, "state": RefundState.REQUESTED, "amount_minor": 100, "requested_at": now - age}
                for payment, age in zip(payments, ages, strict=True)
            ],
        )
        session.execute(update(Refund).where(Refund.payment_id == payments[3]).values(state=RefundState.PENDING))

    listed = waiting(shop, now)

    assert [(order.id, payment.id) for order, payment in listed.returning] == [
        (orders[n].id, payments[n]) for n in (1, 3)
    ]
    assert [(order.id, refund.payment_id) for order, refund in listed.unanswered] == [
        (orders[n].id, payments[n]) for n in (1, 0)
    ]


def test_mails_that_were_refused_are_listed_before_those_that_wait(shop: Shop, now: datetime) -> None:
    order = shop.order()
    refused: list[dict[str, Any]] = [{"failed_at": now - MINUTE}, {"failed_at": now - 2 * MINUTE}]
    stuck: list[dict[str, Any]] = [{"due_at": now + MINUTE}, {}, {"attempts": 2}]
    ended: list[dict[str, Any]] = [{"sent_at": now}, {"dropped_because": "told_otherwise"}]
    with shop.services.database.transaction() as session:
        for number, values in enumerate([*refused, *stuck, *ended]):
            common = {"order_id": order.id, "kind": "order_paid", "data": {}, "written_at": now, "due_at": now}
            named = {"dedupe_key": f"{number}", "message_id": f"<{number}@shop>", "attempts": 3}
            session.execute(insert(Mail).values({**common, **named, **values}))

    listed = waiting(shop, now).mails

    assert [(of.id, mail.dedupe_key) for of, mail in listed] == [(order.id, key) for key in ("1", "0", "3", "2")]


def test_events_that_failed_ten_minutes_ago_are_listed_the_oldest_first(shop: Shop, now: datetime) -> None:
    ages = {
        "evt_1": 10 * MINUTE,
        "evt_2": 9 * MINUTE,
        "evt_3": 30 * MINUTE,
        "evt_4": 20 * MINUTE,
        "evt_5": -MINUTE,
        "evt_6": 0 * MINUTE,
    }
    with shop.services.database.transaction() as session:
        for name, age in ages.items():
            handled_at = now if name == "evt_4" else None
            values = {"id": name, "type": "charge.succeeded", "received_at": now - age, "handled_at": handled_at}
            session.execute(insert(InboxEvent).values(values))
        session.execute(insert(Reconciliation).values(id=1, compared_until=now - 7 * MINUTE))

    listed = waiting(shop, now)

    assert [event.id for event in listed.events] == ["evt_3", "evt_1"]
    assert listed.health == Health(now, None, now - 7 * MINUTE, worker_missing=True)


@pytest.mark.parametrize(("age", "missing"), [(10 * MINUTE, False), (10 * MINUTE + timedelta(seconds=1), True)])
def test_the_worker_is_missing_after_ten_minutes(shop: Shop, now: datetime, age: timedelta, missing: bool) -> None:
    with shop.services.database.transaction() as session:
        health.beat(session, "mailer", now)
        health.beat(session, "worker", now - timedelta(days=1))
        health.beat(session, "worker", now - age)

    listed = waiting(shop, now).health

    assert listed == Health(None, now - age, None, missing)
    with shop.services.database.reading() as session:
        assert {each.name: each.at for each in session.scalars(select(Heartbeat))} == {
            "mailer": now, "worker": now - age,
        }  # fmt: skip


def test_scarce_products_are_listed_with_the_fewest_pieces_first(shop: Shop, now: datetime) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(stock=50, reserved=0))
        ids = list(session.scalars(select(Product.id).order_by(Product.id).limit(5)))
        for product_id, stock, reserved in zip(ids, (5, 9, 6, 3, 0), (0, 5, 0, 0, 0), strict=True):
            session.execute(update(Product).where(Product.id == product_id).values(stock=stock, reserved=reserved))
        session.execute(update(Product).where(Product.id == ids[4]).values(hidden=True))

    assert [product.id for product in waiting(shop, now).scarce] == [ids[3], ids[1], ids[0]]


def test_open_reviews_are_listed_the_oldest_first(shop: Shop, now: datetime) -> None:
    first, second = shop.order(), shop.order()
    with shop.services.database.transaction() as session:
        for order, reason, ago in ((second, "amount", 1), (first, "amount", 3), (second, "currency", 2)):
            reviews.open_review(
                session, session.get_one(Order, order.id), reason, Origin(Source.WORKER, now - ago * MINUTE)
            )

    listed = waiting(shop, now).reviews

    assert [(each.reference, each.review.reason) for each in listed] == [
        (first.reference, "amount"), (second.reference, "currency"), (second.reference, "amount"),
    ]  # fmt: skip


def test_the_figures_are_those_of_the_last_24_hours_in_one_currency(shop: Shop, now: datetime) -> None:
    hour = timedelta(hours=1)
    orders = [shop.order() for _ in range(7)]
    placed = [24 * hour, 24 * hour + MINUTE, hour, 90 * MINUTE, timedelta(), timedelta(), 23 * hour]
    totals = [100, 200, 300, 500, 700, 1100, 50]
    with shop.services.database.transaction() as session:
        for order, age, total in zip(orders, placed, totals, strict=True):
            values = {"placed_at": now - age, "paid_at": now, "total_minor": total}
            session.execute(update(Order).where(Order.id == order.id).values(values))
            session.execute(update(Payment).where(Payment.order_id == order.id).values(received_minor=total))
        replaced = update(Payment).where(Payment.order_id == orders[0].id)
        session.execute(replaced.values(received_minor=9, live=False))
        session.execute(insert(Payment).values(order_id=orders[0].id, amount_minor=100, received_minor=100))
        session.execute(update(Order).where(Order.id == orders[4].id).values(currency="eur"))
        session.execute(update(Order).where(Order.id == orders[5].id).values(paid_at=None))
        payments = dict(session.execute(select(Payment.order_id, Payment.id).where(Payment.live)).all())
        refunds = [
            (0, 10, RefundState.SUCCEEDED, 24 * hour), (1, 20, RefundState.PENDING, hour),
            (2, 40, RefundState.FAILED, hour), (3, 80, RefundState.REQUESTED, 24 * hour + MINUTE),
            (4, 160, RefundState.SUCCEEDED, hour), (5, 320, RefundState.SUCCEEDED, 24 * hour + MINUTE),
        ]  # fmt: skip
        for n, amount, state, age in refunds:
            row = {"payment_id": payments[orders[n].id], "amount_minor": amount, "state": state}
            session.execute(insert(Refund).values(requested_at=now - age, **row))
        session.execute(delete(HistoryEntry))
        for code, age, kind in (
            ("expired_card", 24 * hour, "payment.declined"),
            ("generic_decline", hour, "payment.declined"),
            ("generic_decline", hour, "payment.declined"),
            ("", hour, "payment.declined"),
            ("lost_card", 25 * hour, "payment.declined"),
            ("stolen_card", hour, "payment.failed"),
        ):
            data = {"decline_code": code} if code else {}
            entry = {"order_id": orders[0].id, "at": now - age, "type": kind, "source": "webhook", "data": data}
            session.execute(insert(HistoryEntry).values(entry))

    with shop.services.database.reading() as session:
        day = figures.of_day(session, now, "usd")

    by_hour = [100, 50, *[0] * 20, 500, 300]
    assert day == DayFigures(
        placed=6,
        paid=4,
        received=Money(950, "usd"),
        refunded=Money(30, "usd"),
        declined=[("generic_decline", 2), ("expired_card", 1), ("unknown", 1)],
        paid_by_hour=[Money(minor, "usd") for minor in by_hour],
    )
    assert day.paid_percent == 67


def test_so_much_is_listed_of_each_kind(shop: Shop, now: datetime) -> None:
    orders = [shop.order() for _ in range(2 * work_list.SHIPPED_FROM_HERE + 2)]
    most, late = work_list.MOST, now - work_list.LATE
    half = len(orders) // 2
    with shop.services.database.transaction() as session:
        paid = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
        session.execute(update(Order).where(Order.id.in_([order.id for order in orders[:half]])).values(paid))
        authorised = update(Order).where(Order.id.in_([order.id for order in orders[half:]]))
        session.execute(authorised.values(authorised_at=now))
        payment = shop.read(orders[0].reference).payment.id
        for number in range(most + 1):
            at = {"payment_id": payment, "amount_minor": 1}
            session.execute(
                insert(Dispute).values(
                    provider_dispute_id=f"{number}", state=DisputeState.INQUIRY, opened_at=late, **at
                )
            )
            session.execute(insert(Refund).values(state=RefundState.REQUESTED, requested_at=late, **at))
            event = {"id": f"{number}", "type": "charge.succeeded", "received_at": late}
            session.execute(insert(InboxEvent).values(event))
            mail = {"order_id": orders[0].id, "kind": "order_paid", "data": {}, "written_at": now, "due_at": now}
            failed = {"dedupe_key": f"{number}", "message_id": f"{number}", "failed_at": now, "attempts": 3}
            session.execute(insert(Mail).values({**mail, **failed}))
            reviews.open_review(
                session, session.get_one(Order, orders[0].id), "amount", Origin(Source.WORKER, now), subject=f"{number}"
            )
            row = {"order_id": orders[number % len(orders)].id, "live": False, "refund_due": True, "amount_minor": 400}
            session.execute(insert(Payment).values(row))

    listed = waiting(shop, now)

    kinds = (listed.reviews, listed.disputes, listed.returning, listed.unanswered, listed.mails, listed.events)
    assert [len(kind) for kind in kinds] == [most] * 6
    assert [len(part.orders) for part in (listed.to_ship, listed.authorised)] == [work_list.SHIPPED_FROM_HERE] * 2
    assert [order.id for order in listed.authorised.orders] == [
        order.id for order in orders[half : half + work_list.SHIPPED_FROM_HERE]
    ]
    assert {len(order.shipments) for part in (listed.to_ship, listed.authorised) for order in part.orders} == {0}
