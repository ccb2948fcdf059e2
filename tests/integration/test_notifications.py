"""Endpoints of other programs are told of what happens: nothing is left out or told as two things, and it is signed."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Endpoint, HistoryEntry, Notification, Order
from store.domain.endpoints import Fact
from store.domain.errors import EndpointFault, EndpointRefusal, EndpointRefused, EndpointUnreachable, NotFound
from store.domain.money import Money
from store.domain.states import OrderEvent, OrderState
from store.gateway.port import EndpointAnswer
from store.services import history, history_marks, notifications, orders, transitions
from store.services.history import Origin, Source
from store.services.notifications import endpoints, secrets, sending
from store.services.operations import work_list, worker
from store.services.orders import reviews
from store.services.payments import refunds
from store.services.staff_log import Actor
from tests.support.concurrency import slow_transaction
from tests.support.crash_points import Crashed, FaultPlan, Process
from tests.support.receivers import Receiver, receiver_of
from tests.support.shop import Shop

URL, OTHER = "https://books.example/till", "https://warehouse.example/till?x=1"
OWNER = "owner@shop.example"


def actor(shop: Shop) -> Actor:
    return Actor(OWNER, shop.clock())


def add(shop: Shop, *facts: Fact, url: str = URL) -> tuple[Endpoint, str]:
    return endpoints.add(shop.services, url, facts or tuple(Fact), actor(shop))


def paid(shop: Shop, quantity: int = 1) -> Order:
    order = shop.order(quantity)
    shop.pay(order)
    shop.deliver()
    return order


def tell(shop: Shop) -> int:
    """One round of what the worker does for endpoints: how much was taken."""
    notifications.write(shop.services, shop.clock())
    return notifications.send_due(shop.services, shop.clock())


def told(shop: Shop) -> list[Notification]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def failing(receiver: Receiver, fault: EndpointFault = EndpointFault.TIME_OUT) -> None:
    def refuse(_url: str) -> EndpointAnswer:
        raise EndpointUnreachable(fault)

    receiver.answer = refuse


def test_an_endpoint_is_told_of_each_fact_once_and_signed(usual_shop: Shop) -> None:
    receiver, origin = receiver_of(usual_shop), Origin(Source.STAFF, usual_shop.clock())
    _endpoint, secret = add(usual_shop)
    order = paid(usual_shop, 3)
    orders.fulfil(usual_shop.services, order.reference, "T-1", origin)
    key = refunds.request(usual_shop.services, order.reference, Money(150, "usd"), origin)
    refunds.submit(usual_shop.services, order.reference, Money(150, "usd"), key, origin)
    with usual_shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        reviews.open_review(session, locked, "refund_refused", origin)
        at = session.scalars(select(HistoryEntry.at).where(HistoryEntry.type == "order.payment_received")).one()

    done = worker.run(usual_shop.services, usual_shop.clock())
    worker.run(usual_shop.services, usual_shop.clock())

    assert done >= 4
    total = {"minor": order.total_minor, "currency": "usd"}
    common = {"order": order.reference, "total": total}
    shipment = {"shipment": 1, "carrier": None, "tracking": "T-1", "complete": True}
    url = {"url": f"http://127.0.0.1:8000/api/v1/orders/{order.reference}"}
    assert [(each.told["type"], each.told["data"]) for each in receiver.got] == [
        ("order.paid", {**common, **url}),
        ("order.shipped", {**common, **shipment, **url}),
        ("order.refunded", {**common, "refunded": {"minor": 150, "currency": "usd"}, **url}),
        ("review.opened", {**common, "reason": "refund_refused", **url}),
    ]
    assert receiver.got[0].told["timestamp"] == at.isoformat()
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 4
    for each in receiver.got:
        assert (each.url, each.headers["Content-Type"]) == (URL, "application/json")
        assert each.is_signed_with(secret)
        assert not each.is_signed_with(secrets.new_secret())
        assert abs(int(each.headers["webhook-timestamp"]) - usual_shop.clock.now()) < 10


def test_without_an_endpoint_nothing_is_written_or_looked_at(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    paid(usual_shop)
    assert tell(usual_shop) == 0

    add(usual_shop, Fact.ORDER_PAID)
    add(usual_shop, Fact.ORDER_SHIPPED, url=OTHER)
    tell(usual_shop)
    before = told(usual_shop)
    later = paid(usual_shop)
    tell(usual_shop)

    assert before == []  # what came before it was added is not told
    assert [(each.url, each.told["type"], each.told["data"]["order"]) for each in receiver.got] == [
        (URL, "order.paid", later.reference)
    ]


def test_a_second_endpoint_is_told_from_its_own_beginning_on(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    first = paid(usual_shop)
    add(usual_shop, Fact.ORDER_PAID, url=OTHER)
    second = paid(usual_shop)

    tell(usual_shop)

    assert sorted((each.url, each.told["data"]["order"]) for each in receiver.got) == sorted(
        [(URL, first.reference), (URL, second.reference), (OTHER, second.reference)]
    )


def test_the_history_is_gone_through_in_parts(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    references = [paid(usual_shop).reference for _ in range(3)]
    with usual_shop.services.database.reading() as session:
        entries = history_marks.newest(session)

    written = notifications.write(usual_shop.services, usual_shop.clock(), batch=2)
    again = notifications.write(usual_shop.services, usual_shop.clock(), batch=2)
    tell(usual_shop)

    assert entries > 6
    assert (written, again) == (3, 0)
    assert [each.told["data"]["order"] for each in receiver.got] == references


@pytest.mark.on_both_databases
def test_nothing_is_passed_over_that_another_transaction_still_writes(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    slow, quick = usual_shop.order(), usual_shop.order()

    def pay_slowly(session: Session) -> None:
        order = transitions.lock_by_reference(session, slow.reference)
        event = f"order.{OrderEvent.PAYMENT_RECEIVED}"
        history.add(session, order, event, Origin(Source.WEBHOOK, usual_shop.clock()), None, OrderState.PAID)

    with slow_transaction(usual_shop.services.database, pay_slowly):
        usual_shop.pay(quick)
        usual_shop.deliver()
        meanwhile = tell(usual_shop), tell(usual_shop)
    afterwards = tell(usual_shop), tell(usual_shop)

    assert sum(meanwhile) + sum(afterwards) == 2
    assert [each.told["data"]["order"] for each in receiver.got] == [slow.reference, quick.reference]


def test_after_a_crash_every_fact_is_told_under_one_id(usual_shop: Shop) -> None:
    receiver, crashed = receiver_of(usual_shop), True
    add(usual_shop, Fact.ORDER_PAID)
    process, references = Process(usual_shop), list[str]()

    while crashed:
        references.append(paid(usual_shop).reference)
        crashes = process.crashes
        with suppress(Crashed), process.under(FaultPlan(crashes_at=len(references))):
            tell(usual_shop)
        crashed = process.crashes > crashes
        usual_shop.clock.forward(minutes=3)  # what was claimed is free again
        tell(usual_shop)

    assert len(references) > 6
    assert all(each.delivered_at for each in told(usual_shop))
    ids = {(each.told["data"]["order"], each.headers["webhook-id"]) for each in receiver.got}
    assert sorted(order for order, _id in ids) == sorted(references)


def test_a_notification_that_is_not_taken_is_tried_again_for_days(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    paid(usual_shop)
    receiver.answer = lambda _url: EndpointAnswer(500, "out of order\0" + "x" * 600)
    notifications.write(usual_shop.services, usual_shop.clock())

    waits = []
    for _ in range(8):
        notifications.send_due(usual_shop.services, usual_shop.clock())
        wait = told(usual_shop)[0].due_at - usual_shop.clock()
        waits.append(wait)
        usual_shop.clock.forward(seconds=wait.total_seconds() - 1)
        assert notifications.send_due(usual_shop.services, usual_shop.clock()) == 0
        usual_shop.clock.forward(seconds=1)
    half_way = told(usual_shop)[0]
    receiver.answer = lambda _url: EndpointAnswer(299, "thanks")
    taken = notifications.send_due(usual_shop.services, usual_shop.clock())

    assert waits == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200)]
    assert (half_way.attempts, half_way.status, half_way.answer) == (8, 500, "out of order" + "x" * 488)
    assert (taken, len(receiver.got), len({each.headers["webhook-id"] for each in receiver.got})) == (1, 9, 1)
    assert len({each.headers["webhook-timestamp"] for each in receiver.got}) == 9
    after = told(usual_shop)[0]
    assert (after.delivered_at, after.status, after.answer) == (usual_shop.clock(), 299, "thanks")


def test_an_endpoint_that_takes_nothing_for_days_is_told_nothing_more(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    endpoint, _secret = add(usual_shop, Fact.ORDER_PAID)
    failing(receiver)
    paid(usual_shop)
    tell(usual_shop)
    usual_shop.clock.forward(days=3, seconds=-1)
    tell(usual_shop)
    with usual_shop.services.database.reading() as session:
        before = [each.id for each in work_list.read(session, usual_shop.clock()).stopped]
    usual_shop.clock.forward(days=2)
    tell(usual_shop)

    with usual_shop.services.database.reading() as session:
        stopped = work_list.read(session, usual_shop.clock()).stopped
        state = [(each.id, each.active, each.stopped_at) for each in stopped]
    assert (before, state) == ([], [(endpoint.id, False, usual_shop.clock())])
    assert told(usual_shop)[0].answer == "time_out"
    paid(usual_shop)
    assert tell(usual_shop) == 0
    receiver.answer = lambda _url: EndpointAnswer(200, "")
    endpoints.change(usual_shop.services, endpoint.id, URL, [Fact.ORDER_PAID], active=True, actor=actor(usual_shop))
    last = paid(usual_shop)
    usual_shop.clock.forward(days=2)
    assert tell(usual_shop) == 2  # the one that was tried, and the last; not what came while it was off
    assert receiver.got[-1].told["data"]["order"] == last.reference
    with usual_shop.services.database.reading() as session:
        again = endpoints.find(session, endpoint.id)
        assert (again.active, again.stopped_at, again.failing_since) == (True, None, None)


def test_an_endpoint_that_is_gone_for_good_is_told_nothing_more(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    endpoint, _secret = add(usual_shop, Fact.ORDER_PAID)
    receiver.answer = lambda _url: EndpointAnswer(410, "")
    paid(usual_shop)

    tell(usual_shop)

    with usual_shop.services.database.reading() as session:
        assert [each.id for each in endpoints.stopped(session)] == [endpoint.id]


def test_one_endpoint_that_is_away_keeps_nothing_from_another(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    add(usual_shop, Fact.ORDER_PAID, url=OTHER)
    for _ in range(3):
        paid(usual_shop)

    def answer(url: str) -> EndpointAnswer:
        if url == URL:
            raise EndpointUnreachable(EndpointFault.NO_ANSWER)
        return EndpointAnswer(200, "")

    receiver.answer = answer
    taken = tell(usual_shop)

    assert taken == 3
    assert (len(receiver.told(URL)), len(receiver.told(OTHER))) == (1, 3)


def test_a_round_ends_when_its_time_is_over(usual_shop: Shop) -> None:
    receiver_of(usual_shop)
    add(usual_shop, Fact.ORDER_PAID)
    for _ in range(3):
        paid(usual_shop)
    notifications.write(usual_shop.services, usual_shop.clock())
    ticks = iter([0.0, 0.0, 19.0, 20.0])

    taken = notifications.send_due(usual_shop.services, usual_shop.clock(), stopwatch=lambda: next(ticks))

    assert taken == 2


def test_two_secrets_sign_for_a_day_after_another_was_made(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    endpoint, first = add(usual_shop, Fact.ORDER_PAID)
    second = endpoints.rotate(usual_shop.services, endpoint.id, actor(usual_shop))
    usual_shop.clock.forward(hours=23, minutes=59)
    paid(usual_shop)
    tell(usual_shop)
    usual_shop.clock.forward(minutes=1)
    paid(usual_shop)
    tell(usual_shop)

    assert [[each.is_signed_with(key) for key in (first, second)] for each in receiver.got] == [
        [True, True],
        [False, True],
    ]
    with usual_shop.services.database.reading() as session:
        row = endpoints.find(session, endpoint.id)
    assert first not in f"{row.secret}{row.earlier_secret}"
    assert second not in row.secret
    keys = usual_shop.services.settings.signing_keys
    assert [secrets.unseal(keys, row.secret), secrets.unseal(keys, str(row.earlier_secret))] == [second, first]
    assert secrets.unseal(["another key of the shop", keys[0]][:1], row.secret) is None
    assert secrets.unseal([keys[0], "a newer key of the shop"], row.secret) == second


def test_a_secret_that_cannot_be_read_is_said_and_nothing_is_sent(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    endpoint, _secret = add(usual_shop, Fact.ORDER_PAID)
    with usual_shop.services.database.transaction() as session:
        endpoints.find(session, endpoint.id).secret = secrets.seal(["a key that is gone"], secrets.new_secret())
    paid(usual_shop)

    assert tell(usual_shop) == 0
    assert (receiver.got, told(usual_shop)[0].answer) == ([], "no_secret")


def test_a_notification_is_sent_again_under_the_same_id(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)
    endpoint, _secret = add(usual_shop, Fact.ORDER_PAID)
    paid(usual_shop)
    paid(usual_shop)
    tell(usual_shop)
    first = told(usual_shop)[0]

    of_endpoint = sending.replay(usual_shop.services, first.id, actor(usual_shop))
    tell(usual_shop)

    assert of_endpoint == endpoint.id
    assert [each.headers["webhook-id"] for each in receiver.got][2:] == [first.message_id]
    assert receiver.got[2].body == receiver.got[0].body
    with pytest.raises(NotFound):
        sending.replay(usual_shop.services, 99, actor(usual_shop))


def test_what_was_told_is_listed_and_forgotten_after_a_month(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    receiver = receiver_of(usual_shop)
    endpoint, _secret = add(usual_shop, Fact.ORDER_PAID)
    paid(usual_shop)
    tell(usual_shop)
    failing(receiver)
    paid(usual_shop)
    tell(usual_shop)
    rows = told(usual_shop)

    with usual_shop.services.database.reading() as session:
        part = sending.listed(session, endpoint.id)
        older = sending.listed(session, endpoint.id, before=rows[1].id)
        other = sending.listed(session, endpoint.id + 1)
    usual_shop.clock.forward(days=30, seconds=-1)
    with usual_shop.services.database.transaction() as session:
        notifications.forget(session, usual_shop.clock())
    kept = told(usual_shop)
    usual_shop.clock.forward(seconds=1)
    with usual_shop.services.database.transaction() as session:
        notifications.forget(session, usual_shop.clock())

    assert ([each.id for each in part.notifications], part.before) == ([rows[1].id, rows[0].id], None)
    assert [each.id for each in older.notifications] == [rows[0].id]
    assert other.notifications == []
    assert [each.id for each in kept] == [row.id for row in rows]
    assert [each.id for each in told(usual_shop)] == [rows[1].id]  # it has not arrived yet


@pytest.mark.parametrize(
    ("url", "facts", "reason"),
    [
        ("http://books.example/till", [Fact.ORDER_PAID], EndpointRefusal.URL_UNFIT),
        (URL, [Fact.ORDER_PAID], EndpointRefusal.URL_TAKEN),
        (OTHER, [], EndpointRefusal.NO_FACT),
    ],
)
def test_an_endpoint_needs_an_address_of_its_own_and_a_fact(
    usual_shop: Shop, url: str, facts: list[Fact], reason: EndpointRefusal
) -> None:
    add(usual_shop)
    second, _secret = add(usual_shop, url="https://third.example")

    for ask in (
        lambda: endpoints.add(usual_shop.services, url, facts, actor(usual_shop)),
        lambda: endpoints.change(usual_shop.services, second.id, url, facts, active=True, actor=actor(usual_shop)),
    ):
        with pytest.raises(EndpointRefused) as refused:
            ask()
        assert refused.value.reason is reason
