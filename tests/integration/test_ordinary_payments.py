"""The way of ordinary payments: one round trip, whatever else goes on; what is not ordinary it leaves as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg2.extensions
import pytest
from sqlalchemy import create_engine, insert, text, update
from sqlalchemy import event as database_event
from sqlalchemy.pool import NullPool

from models import InboxEvent, Order, Payment, Refund
from store.domain.money import Money
from store.domain.states import OrderState, RefundState
from store.gateway.port import CancelReason, Card, PaymentSnapshot, WebhookEvent
from store.services import payments, transitions
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import ordinary, recording, refunds
from store.webhooks.handlers import HANDLERS
from tests.support import tables
from tests.support.concurrency import at_once, in_one_batch, wait_until_blocked
from tests.support.shop import Shop, event_of, signed
from till_sandbox.webhooks.sending import Outgoing

pytestmark = pytest.mark.on_both_databases

END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Paid:
    """An order that was paid at Stripe, and its webhooks, which the store has not received yet."""

    shop: Shop
    order: Order
    deliveries: list[Outgoing]
    event: WebhookEvent

    @property
    def paying(self) -> Outgoing:
        return next(each for each in self.deliveries if event_of(each)["type"] == "payment_intent.succeeded")

    @property
    def snapshot(self) -> PaymentSnapshot:
        assert isinstance(self.event.object, PaymentSnapshot)
        return self.event.object

    def record(self, source: Source = Source.WEBHOOK, **changes: Any) -> str | None:
        """Record the event, with another snapshot if there are changes."""
        event = replace(self.event, object=replace(self.snapshot, **changes))
        return ordinary.record(self.shop.services, event, Origin(source, self.shop.clock()), "handled")

    def write(self, statement: Any) -> None:
        with self.shop.services.database.transaction() as session:
            session.execute(statement)


def paid_at_stripe(shop: Shop) -> Paid:
    order = shop.order(2)
    shop.pay(order)
    deliveries = shop.lose()
    paid = Paid(shop, order, deliveries, WebhookEvent("", "", False, shop.clock(), None))
    signature = paid.paying.headers["Stripe-Signature"]
    event = shop.services.gateway.parse_webhook(paid.paying.body, signature, HANDLERS)
    assert event is not None
    paid.event = event
    return paid


@pytest.fixture
def paid(shop: Shop) -> Paid:
    return paid_at_stripe(shop)


def test_an_ordinary_payment_is_recorded_whole(paid: Paid) -> None:
    before = paid.shop.product()

    reference = paid.record()

    order, after = paid.shop.read(paid.order.reference), paid.shop.product()
    assert reference == order.reference
    assert (order.state, order.reservation, order.payment.state) == ("paid", "committed", "paid")
    assert (after.stock, after.reserved) == (before.stock - 2, before.reserved - 2)
    assert paid.shop.history(order.reference)[-2:] == ["payment.paid", "order.payment_received"]
    with paid.shop.services.database.reading() as session:
        assert session.get_one(InboxEvent, paid.event.event_id).outcome == "handled"
        assert audit.run(session, paid.shop.clock()) == []


def remembered(paid: Paid) -> None:
    event = paid.event
    paid.write(insert(InboxEvent).values(id=event.event_id, type=event.type, received_at=paid.shop.clock()))


def closed(paid: Paid) -> None:
    paid.shop.close_by_hand(paid.order.reference)


def paid_already(paid: Paid) -> None:
    with paid.shop.services.database.transaction() as session:
        origin = Origin(Source.LOOKUP, paid.shop.clock())
        recorded = transitions.lock_by_reference(session, paid.order.reference)
        assert recorded.state is OrderState.AWAITING_PAYMENT
        payments.record(session, paid.shop.services, paid.snapshot, origin)


def refunded_before(paid: Paid) -> None:
    payment = paid.shop.read(paid.order.reference).payment
    paid.write(
        insert(Refund).values(
            payment_id=payment.id, state=RefundState.PENDING, amount_minor=1, requested_at=paid.shop.clock()
        )
    )


def nothing_reserved(paid: Paid) -> None:
    """Committing it breaks a rule of the table."""
    paid.write(text("UPDATE products SET reserved = 0"))


@pytest.mark.parametrize(
    "spoil",
    [
        remembered,
        closed,
        paid_already,
        refunded_before,
        nothing_reserved,
        pytest.param(lambda paid: paid.write(update(Payment).values(live=False)), id="another payment is live"),
        pytest.param(lambda paid: paid.write(text("UPDATE payments SET state = 'cancelled'")), id="cancelled"),
        pytest.param(lambda paid: paid.write(update(Order).values(total_minor=1)), id="another total"),
        pytest.param(lambda paid: paid.write(update(Order).values(currency="eur")), id="another currency"),
        pytest.param(lambda paid: paid.write(text("UPDATE orders SET reservation = 'released'")), id="released"),
    ],
)
def test_what_is_not_ordinary_in_the_shop_is_left_as_it_is(paid: Paid, spoil: Callable[[Paid], None]) -> None:
    spoil(paid)
    before = tables.contents(paid.shop.services.database.engine)

    reference = paid.record()

    assert reference is None
    assert tables.contents(paid.shop.services.database.engine) == before


@pytest.mark.parametrize(
    "change",
    [
        {"source": Source.RECONCILIATION},
        {"source": Source.LOOKUP},
        {"provider_payment_id": "pi_unknown"},
        {"event": None},
        {"received": Money(1, "usd")},
        {"amount": Money(1, "usd"), "received": Money(1, "usd")},
        {"amount": Money(2**70, "usd"), "received": Money(2**70, "usd")},
        {"live": True},
        {"card": Card("visa", "4242")},
    ],
    ids=str,
)
def test_what_is_not_ordinary_in_an_event_is_left_as_it_is(paid: Paid, change: dict[str, Any]) -> None:
    before = tables.contents(paid.shop.services.database.engine)

    reference = paid.record(**change)

    assert reference is None
    assert tables.contents(paid.shop.services.database.engine) == before


def test_a_shop_without_the_shortcut_pays_orders_all_the_same(paid: Paid) -> None:
    paid.shop.services = paid.shop.app.extensions["services"] = replace(paid.shop.services, shortcut=False)

    assert paid.record() is None
    assert paid.shop.receive(paid.paying) == 200
    assert paid.shop.read(paid.order.reference).state is OrderState.PAID


def test_payments_that_come_together_are_recorded_together(shop: Shop) -> None:
    """Among them one that comes twice, one that is not ordinary, and one that is not known."""
    due = [paid_at_stripe(shop) for _ in range(4)]
    stock, refunded = shop.product().stock, due[-1]
    refunded_before(refunded)
    calls: list[Callable[[], str | None]] = [paid.record for paid in [*due, due[0]]]
    calls.append(partial(due[1].record, provider_payment_id="pi_unknown"))

    recorded = in_one_batch(shop.services.ordinary_payments, *calls)

    paid = [each.order.reference for each in due[:-1]]
    assert sorted(filter(None, recorded)) == sorted(paid)
    assert [shop.read(reference).state for reference in paid] == [OrderState.PAID] * 3
    assert [shop.history(reference).count("order.payment_received") for reference in paid] == [1] * 3
    assert shop.read(refunded.order.reference).state is OrderState.AWAITING_PAYMENT
    assert shop.product().stock == stock - 6
    with shop.services.database.reading() as session:
        assert session.get(InboxEvent, refunded.event.event_id) is None


def test_a_payment_that_the_database_refuses_stops_none_beside_it(shop: Shop) -> None:
    due, huge = [paid_at_stripe(shop) for _ in range(2)], Money(2**70, "usd")
    calls: list[Callable[[], str | None]] = [due[0].record, partial(due[1].record, amount=huge, received=huge)]

    recorded = in_one_batch(shop.services.ordinary_payments, *calls)
    answers = [shop.receive(each.paying) for each in due]

    assert recorded == [None, None]
    assert answers == [200, 200]
    assert {shop.read(each.order.reference).state for each in due} == {OrderState.PAID}


# --- on PostgreSQL: round trips, connections, and others at the same time -------------------------------------------


@contextmanager
def sent_to(shop: Shop) -> Iterator[list[str]]:
    """What is sent to the database on new connections, each in a round trip of its own."""
    texts: list[str] = []

    class Noting(psycopg2.extensions.cursor):
        def execute(self, query: Any, values: Any = None) -> None:
            texts.append(query.decode() if isinstance(query, bytes) else str(query))
            super().execute(query, values)

    def connected(connection: Any, _record: Any) -> None:
        connection.cursor_factory = Noting

    engine = shop.services.database.engine
    database_event.listen(engine, "connect", connected)
    engine.dispose()
    shop.product()
    texts.clear()
    try:
        yield texts
    finally:
        database_event.remove(engine, "connect", connected)
        engine.dispose()


@pytest.mark.on_postgresql
def test_an_ordinary_payment_is_three_statements_in_one_round_trip(shop: Shop) -> None:
    first, second = paid_at_stripe(shop), paid_at_stripe(shop)

    with sent_to(shop) as texts:
        answers = [shop.receive(first.paying), shop.receive(second.paying)]

    assert answers == [200, 200]
    preparing, plain = texts
    assert preparing.count("PREPARE") == 3
    assert (plain.count("EXECUTE"), plain.count("PREPARE")) == (3, 0)


@pytest.mark.on_postgresql
def test_the_other_webhooks_of_an_order_take_two_statements_each(paid: Paid) -> None:
    others = [each for each in paid.deliveries if each is not paid.paying and event_of(each)["type"] in HANDLERS]

    with sent_to(paid.shop) as texts:
        answers = [paid.shop.receive(each) for each in others]

    assert answers == [200] * len(others)
    assert len(others) == 2
    assert len(texts) == 4


@pytest.mark.on_postgresql
def test_a_dead_connection_is_replaced_and_the_payment_recorded(paid: Paid, database_url: str) -> None:
    with sent_to(paid.shop) as texts:
        end_connections(database_url)
        answer = paid.shop.receive(paid.paying)

    assert answer == 200
    assert paid.shop.read(paid.order.reference).state is OrderState.PAID
    assert sum("EXECUTE" in each for each in texts) == 2


@pytest.mark.on_postgresql
def test_prepared_statements_that_are_gone_are_prepared_again(shop: Shop) -> None:
    """As behind a pooler that gives each transaction another of its connections."""
    due = [paid_at_stripe(shop) for _ in range(4)]

    with sent_to(shop) as texts:
        answers = [shop.receive(due[0].paying)]
        with shop.services.database.engine.connect() as connection:
            connection.exec_driver_sql("DEALLOCATE ALL")
        texts.clear()
        answers += [shop.receive(due.paying) for due in due[1:]]

    assert answers == [200] * 4
    assert {shop.read(due.order.reference).state for due in due} == {OrderState.PAID}
    counts = [(text.count("PREPARE"), text.count("EXECUTE")) for text in texts]
    assert counts == [(0, 3), (0, 0), (3, 3), (0, 3)]


@pytest.mark.on_postgresql
def test_statements_that_somebody_else_prepared_are_used(shop: Shop) -> None:
    first, second, third = (paid_at_stripe(shop) for _ in range(3))

    with sent_to(shop) as texts:
        answers = [shop.receive(first.paying)]
        with shop.services.database.engine.connect() as connection:
            connection.info.clear()  # as if another program had prepared them
        texts.clear()
        answers += [shop.receive(second.paying), shop.receive(third.paying)]

    assert answers == [200] * 3
    assert {shop.read(due.order.reference).state for due in (first, second, third)} == {OrderState.PAID}
    assert ["PREPARE" in each for each in (texts[0], texts[-1])] == [True, False]


@pytest.mark.on_postgresql
def test_a_refund_that_is_reported_while_its_payment_waits_counts(paid: Paid) -> None:
    """The statements were sent before the refund was committed; what they read is newer."""
    shop, intent = paid.shop, paid.snapshot.provider_payment_id
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "100"})
    (refund,) = shop.services.gateway.list_refunds(paid.order.placed_at)
    other = threading.Thread(target=shop.receive, args=[paid.paying])

    with shop.services.database.transaction() as session:
        refunds.record(session, refund, Origin(Source.WEBHOOK, shop.clock()))
        other.start()
        wait_until_blocked(session, other)
    other.join()

    order = shop.read(paid.order.reference)
    assert (order.state, order.payment.state, order.payment.refunded_minor) == ("paid", "paid", 100)


@pytest.mark.on_postgresql
def test_a_payment_that_waits_for_an_order_that_is_closed_comes_late(paid: Paid) -> None:
    other = threading.Thread(target=paid.shop.receive, args=[paid.paying])

    with paid.shop.services.database.transaction() as session:
        order = transitions.lock_by_reference(session, paid.order.reference)
        recording.close_order(session, order, CancelReason.EXPIRED, Origin(Source.WORKER, paid.shop.clock()))
        other.start()
        wait_until_blocked(session, other)
    other.join()

    order = paid.shop.read(paid.order.reference)
    (received,) = [entry for entry in order.history if entry.type == "order.payment_received"]
    assert (order.state, received.from_state, received.data) == ("paid", "expired", {"late": True})


@pytest.mark.on_postgresql
def test_of_payments_that_wait_in_vain_each_is_left_to_the_readable_path(shop: Shop) -> None:
    """One order is locked for longer than anybody waits; the other payment shall not fail with it."""
    due = [paid_at_stripe(shop) for _ in range(2)]
    engine = shop.services.database.engine

    def connected(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 100")
        connection.commit()

    database_event.listen(engine, "connect", connected)
    engine.dispose()
    try:
        with shop.services.database.transaction() as session:
            transitions.lock_by_reference(session, due[0].order.reference)
            recorded = in_one_batch(shop.services.ordinary_payments, *[each.record for each in due])
            alone = due[1].record()
    finally:
        database_event.remove(engine, "connect", connected)
        engine.dispose()

    assert (recorded, alone) == ([None, None], due[1].order.reference)


@pytest.mark.on_postgresql
def test_payment_charge_and_expiry_at_once_pay_each_order_once(shop: Shop) -> None:
    """Each of several orders on one product, each event twice, while the worker expires them: none waits for ever."""
    due = [paid_at_stripe(shop) for _ in range(6)]
    stock = shop.product().stock
    shop.clock.forward(minutes=31)
    works: list[Callable[[], object]] = [
        lambda: worker.run(shop.services, shop.clock()),
        *[partial(shop.receive, signed(event_of(each))) for paid in due for each in paid.deliveries] * 2,
    ]

    done = at_once(len(works), lambda number: works[number]())

    assert not [each for each in done[1:] if each != 200]
    assert not isinstance(done[0], Exception)
    orders = [shop.read(paid.order.reference) for paid in due]
    assert {order.state for order in orders} == {OrderState.PAID}
    assert {order.payment.card_last4 for order in orders} == {"4242"}
    assert [shop.history(order.reference).count("order.payment_received") for order in orders] == [1] * len(due)
    assert shop.product().stock == stock - 2 * len(due)
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def end_connections(database_url: str) -> None:
    """As a restart of the server does."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg2://"), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(END_OTHERS))
