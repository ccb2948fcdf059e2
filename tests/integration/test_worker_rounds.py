"""One round of the worker: whose turn it is, how much was done, and what is left to others or to another day."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from models import Heartbeat, Mail, Order, Payment, Refund, UnmatchedEvent
from store.domain.errors import PaymentMisconfigured, PaymentServiceFailed, PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, PaymentEvent, PaymentState, RefundState, ReservationState
from store.gateway.port import CancelReason, PaymentSession, PaymentSnapshot
from store.services.operations import worker
from store.services.payments import unmatched_events
from tests.support.rows import change
from tests.support.shop import NoAnswer, Shop

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.clock.stop()
    return usual_shop


def states(shop: Shop, orders: list[Order]) -> list[OrderState]:
    return [shop.read(order.reference).state for order in orders]


def claims(shop: Shop, orders: list[Order]) -> list[Any]:
    return [shop.read(order.reference).claimed_until for order in orders]


def test_an_order_expires_at_its_time_and_not_before(shop: Shop) -> None:
    orders = [shop.order() for _ in range(3)]
    now = shop.clock() + timedelta(minutes=30)
    change(shop, orders[2], expires_at=now + SECOND)
    shop.clock.forward(minutes=30)

    done = worker.run(shop.services, shop.clock())

    assert (done, states(shop, orders)) == (
        2, [OrderState.EXPIRED, OrderState.EXPIRED, OrderState.AWAITING_PAYMENT],
    )  # fmt: skip
    assert claims(shop, orders) == [now + MINUTE, now + MINUTE, None]
    with shop.services.database.reading() as session:
        assert [(each.name, each.at) for each in session.scalars(select(Heartbeat))] == [("worker", now)]


def test_an_order_that_another_worker_has_claimed_is_left_to_it(shop: Shop) -> None:
    orders = [shop.order() for _ in range(3)]
    shop.clock.forward(minutes=31)
    now = shop.clock()
    for order, until in zip(orders, (now, now + SECOND, now - SECOND), strict=True):
        change(shop, order, claimed_until=until)

    done = worker.run(shop.services, now)

    assert (done, states(shop, orders)) == (
        2, [OrderState.EXPIRED, OrderState.AWAITING_PAYMENT, OrderState.EXPIRED],
    )  # fmt: skip


def test_after_three_questions_without_an_answer_the_rest_is_given_back(shop: Shop) -> None:
    orders = [shop.order() for _ in range(5)]
    for order in orders:
        shop.open(order)
    shop.clock.forward(minutes=31)
    now, requests = shop.clock(), len(shop.transport.requests)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    with capture_logs() as log:
        done = worker.run(shop.services, now)

    assert (done, len(shop.transport.requests) - requests) == (0, worker.MOST_UNANSWERED)
    assert sorted(claims(shop, orders), key=str) == sorted([now + MINUTE] * 3 + [None] * 2, key=str)
    put_off = [
        (entry["work"], entry["failure"], entry["log_level"]) for entry in log if entry["event"] == "worker put off"
    ]
    assert put_off == [("_expire", "PaymentUnavailable", "warning")] * 3
    assert {entry["order"] for entry in log if entry["event"] == "worker put off"} <= {
        each.reference for each in orders
    }


def test_nothing_is_done_about_payments_of_another_account(shop: Shop) -> None:
    """Each of these would be work if its payment were the store's own."""
    orders = {
        name: shop.order() for name in ("capture", "left over", "release", "due", "requested", "declined", "ours")
    }
    foreign = {"account": "live:acct_1", "provider_payment_id": None}
    paid = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
    received = {**foreign, "state": PaymentState.PAID, "received_minor": 400}
    authorised = {**foreign, "state": PaymentState.AUTHORISED}
    now, later = shop.clock(), shop.clock() + timedelta(hours=1)
    change(
        shop, orders["capture"], {**authorised, "capture_minor": 400, "capture_requested_at": now}, authorised_at=now
    )
    change(shop, orders["left over"], {**foreign, "state": PaymentState.OPEN, "live": False})
    change(shop, orders["release"], authorised, state=OrderState.CANCELLED, reservation=ReservationState.RELEASED)
    change(shop, orders["due"], {**received, "refund_due": True}, **paid)
    change(shop, orders["requested"], received, **paid)
    change(shop, orders["declined"], {**foreign, "state": PaymentState.DECLINED, "declines": 1})
    with shop.services.database.transaction() as session:
        live = {"order_id": orders["left over"].id, "amount_minor": 400}
        session.execute(insert(Payment).values(live))
        for number, name in enumerate(orders):
            named = update(Payment).where(Payment.order_id == orders[name].id, Payment.account == "live:acct_1")
            session.execute(named.values(provider_payment_id=f"pi_{number}"))
        refund = {"payment_id": shop.read(orders["requested"].reference).payment.id, "state": RefundState.REQUESTED}
        session.execute(insert(Refund).values(key="key", amount_minor=100, requested_at=now, **refund))
        session.execute(update(Order).values(expires_at=later))
    shop.clock.forward(minutes=15)
    before = len(shop.transport.requests)

    done = [worker.run(shop.services, shop.clock())]
    shop.clock.forward(minutes=2)
    done.append(worker.run(shop.services, shop.clock()))

    assert done[1] == 0
    assert len(shop.transport.requests) == before
    told = [name for name, order in orders.items() if "payment.unreachable" in shop.history(order.reference)]
    assert told == ["due", "requested"]


def test_what_was_said_of_payments_of_others_is_forgotten_after_a_week(shop: Shop) -> None:
    now = shop.clock()
    with shop.services.database.transaction() as session:
        for number, age in enumerate((unmatched_events.KEPT, unmatched_events.KEPT + SECOND)):
            row = {"provider_payment_id": f"pi_{number}", "kind": "card", "data": {}}
            session.execute(insert(UnmatchedEvent).values(received_at=now - age, **row))

    worker.run(shop.services, now)

    with shop.services.database.reading() as session:
        assert session.scalars(select(UnmatchedEvent.provider_payment_id)).all() == ["pi_0"]


def test_the_worker_goes_on_where_its_account_cannot_be_found_out(shop: Shop) -> None:
    order = shop.order()
    shop.clock.forward(minutes=31)

    class Broken:
        def account_id(self) -> str:
            raise ZeroDivisionError

        def __getattr__(self, name: str) -> Any:
            return getattr(shop.services.gateway, name)

    with capture_logs() as log:
        done = worker.run(replace(shop.services, gateway=cast("Any", Broken())), shop.clock())

    assert (done, states(shop, [order])) == (1, [OrderState.EXPIRED])
    assert [(entry["event"], entry["work"]) for entry in log if entry["log_level"] == "error"] == [
        ("worker failed", "foreign")
    ]


def test_only_questions_in_a_row_without_any_answer_end_a_round(shop: Shop) -> None:
    orders = [shop.order() for _ in range(8)]
    for number, order in enumerate(orders):
        change(shop, order, {"provider_payment_id": f"pi_{number}", "state": PaymentState.OPEN})
    shop.clock.forward(minutes=31)
    asked, failures = list[str](), [PaymentUnavailable, PaymentUnavailable, PaymentServiceFailed, PaymentMisconfigured]

    class Broken:
        def retrieve_payment(self, name: str) -> PaymentSession:
            asked.append(name)
            raise (failures.pop(0) if failures else PaymentUnavailable)

        def __getattr__(self, name: str) -> Any:
            return getattr(shop.services.gateway, name)

    done = worker.run(replace(shop.services, gateway=cast("Any", Broken())), shop.clock())

    assert (done, len(asked)) == (0, 7)  # two, two that were answered, and three more


@pytest.mark.parametrize(
    ("event", "extensions", "state", "extended"),
    [
        (PaymentEvent.PROCESSING, 9, OrderState.AWAITING_PAYMENT, True),
        (PaymentEvent.ACTION_REQUIRED, 2, OrderState.AWAITING_PAYMENT, True),
        (PaymentEvent.ACTION_REQUIRED, 3, OrderState.EXPIRED, False),
        (PaymentEvent.AUTHORISED, 0, OrderState.AWAITING_PAYMENT, False),
        (PaymentEvent.DECLINED, 0, OrderState.EXPIRED, False),
        (None, 0, OrderState.EXPIRED, False),
    ],
)
def test_an_overdue_order_is_kept_while_money_may_be_on_its_way(
    shop: Shop, event: PaymentEvent | None, extensions: int, state: OrderState, extended: bool
) -> None:
    order, other = shop.order(), shop.order()
    change(shop, order, {"provider_payment_id": "pi_1", "state": PaymentState.OPEN}, extensions=extensions)
    shop.clock.forward(minutes=31)
    now, total, nothing = shop.clock(), order.total, Money(0, order.currency)
    change(shop, other, expires_at=now + MINUTE)

    class Stripe:
        def retrieve_payment(self, name: str) -> PaymentSession:
            snapshot = PaymentSnapshot(name, event, now, total, nothing, live=False, order_reference=None)
            return PaymentSession(snapshot, "secret")

        def cancel_payment(self, name: str, reason: CancelReason) -> PaymentSnapshot:
            snapshot = self.retrieve_payment(name).snapshot
            return replace(snapshot, event=PaymentEvent.CANCELLED, cancelled_because=reason)

        def __getattr__(self, name: str) -> Any:
            return getattr(shop.services.gateway, name)

    worker.run(replace(shop.services, gateway=cast("Any", Stripe())), now)

    after, authorised = shop.read(order.reference), event is PaymentEvent.AUTHORISED
    assert (after.state, after.extensions, after.is_authorised) == (state, extensions + extended, authorised)
    assert [(each.source, each.data) for each in after.history if each.type == "order.extended"] == [
        ("worker", {"because": after.payment.state.value})
    ] * extended
    if extended:
        assert after.expires_at == now + 5 * MINUTE
    assert shop.read(other.reference).expires_at == now + MINUTE


def test_all_that_is_done_in_a_round_is_counted(shop: Shop) -> None:
    names = ("never opened", "opened", "tested", "left over", "due", "requested", "out of reach")
    orders = {name: shop.order() for name in names}
    for name in ("opened", "due", "requested"):
        payment = shop.open(orders[name])
        if name != "opened":
            shop.confirm(payment)
    shop.deliver()
    shop.clock.forward(minutes=31)
    now, later = shop.clock(), shop.clock() + timedelta(hours=1)
    for name in names[2:]:
        change(shop, orders[name], expires_at=later)
    change(shop, orders["tested"], {"declines": shop.services.settings.max_declines})
    change(shop, orders["left over"], {"live": False})
    change(shop, orders["due"], {"refund_due": True})
    foreign = {"account": "live:acct_1", "provider_payment_id": "pi_9", "refund_due": True, "received_minor": 400}
    paid = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
    change(shop, orders["out of reach"], {**foreign, "state": PaymentState.PAID}, **paid)
    with shop.services.database.transaction() as session:
        session.execute(insert(Payment).values(order_id=orders["left over"].id, amount_minor=400))
        refund = {"payment_id": shop.read(orders["requested"].reference).payment.id, "state": RefundState.REQUESTED}
        session.execute(insert(Refund).values(key="key", amount_minor=100, requested_at=now, **refund))

    done = worker.run(shop.services, now)

    with shop.services.database.reading() as session:
        sent = session.scalars(select(Mail).where(Mail.sent_at.is_not(None))).all()
    assert done == len(names) + len(sent)
    shop.clock.forward(minutes=2)
    assert worker.run(shop.services, shop.clock()) == 0
