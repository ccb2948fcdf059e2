"""What decides whether an order can still be paid, and when Stripe is asked about it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import ColumnElement, select, update

from models import Order, Payment
from store.domain.errors import OrderClosed
from store.domain.money import Money
from store.domain.states import (
    OrderState,
    PaymentKind,
    PaymentState,
    ReservationState,
)
from store.gateway.port import (
    CancelReason,
    PaymentRequest,
    PaymentSession,
)
from store.services import Services, orders, payments
from store.services.history import Origin, Source
from store.services.orders import lookup, reviews
from store.services.payments import closing, creation
from tests.support.rows import add_payment, change
from tests.support.shop import Shop

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.clock.stop()
    return usual_shop


def holds(shop: Shop, placed: dict[str, Order], condition: ColumnElement[bool]) -> list[str]:
    with shop.services.database.reading() as session:
        ids = set(session.scalars(select(Order.id).where(condition)))
    return [name for name, order in placed.items() if order.id in ids]


def test_an_order_with_too_many_declines_is_found_while_it_is_open(shop: Shop) -> None:
    most = shop.services.settings.max_declines
    placed = {name: shop.order() for name in ("few", "many", "together", "authorised", "paid", "cancelled")}
    for name, order in placed.items():
        change(shop, order, {"declines": most - 1 if name in ("few", "together") else most})
    add_payment(shop, placed["together"], declines=1)
    change(shop, placed["authorised"], authorised_at=shop.clock())
    change(shop, placed["paid"], state=OrderState.PAID)
    change(shop, placed["cancelled"], state=OrderState.CANCELLED)

    assert holds(shop, placed, closing.tested_with_cards(shop.services)) == ["many", "together"]


@pytest.mark.parametrize(
    ("declines", "replaces", "earlier", "closed"), [(-1, False, 5, False), (0, False, 0, True), (-1, True, 1, True)]
)
def test_an_order_is_closed_once_too_many_cards_were_declined(
    shop: Shop, declines: int, replaces: bool, earlier: int, closed: bool
) -> None:
    order, other = shop.order(), shop.order()
    most = shop.services.settings.max_declines
    before = add_payment(shop, order, declines=earlier, state=PaymentState.CANCELLED)
    change(shop, order, {"declines": most + declines, "replaces_id": before if replaces else None})
    change(shop, other, {"declines": most - 1})

    answers = []
    for each in (order, other):
        try:
            creation.check(shop.services, each.reference, shop.clock())
            answers.append(False)
        except OrderClosed:
            answers.append(True)

    after = shop.read(order.reference)
    assert answers == [closed, False]
    assert (after.state, after.closed_because) == (
        (OrderState.CANCELLED, "card_testing") if closed else (OrderState.AWAITING_PAYMENT, None)
    )


@pytest.mark.parametrize(("left", "open_"), [(SECOND, True), (timedelta(), False)])
def test_an_order_can_be_paid_until_its_time_is_over(shop: Shop, left: timedelta, open_: bool) -> None:
    order = shop.order()
    change(shop, order, expires_at=shop.clock() + left)

    if open_:
        setup = creation.check(shop.services, order.reference, shop.clock())
        assert (setup.kind, setup.provider_payment_id, setup.attempt, setup.age, setup.replaces, setup.abandoned) == (
            PaymentKind.CARD, None, 1, timedelta(), False, False,
        )  # fmt: skip
        return
    with pytest.raises(OrderClosed):
        creation.check(shop.services, order.reference, shop.clock())
    assert shop.read(order.reference).state is OrderState.EXPIRED


def test_what_is_asked_of_stripe_is_derived_from_the_order(shop: Shop) -> None:
    order = shop.order(2)
    shop.clock.forward(minutes=3)
    payment = shop.read(order.reference).payment.id
    first = creation.check(shop.services, order.reference, shop.clock())
    change(shop, order, {"create_attempt": 2, "replaces_id": payment})
    shop.charge_when_shipped()
    later = creation.check(shop.services, order.reference, shop.clock())

    request = first.request
    assert (request.order_reference, request.amount, request.email) == (order.reference, Money(800, "usd"), order.email)
    assert (request.description, request.shipping) == (f"Till order {order.reference}", order.shipping)
    assert (request.idempotency_key, request.manual_capture) == (f"order-{order.reference}-payment-{payment}-1", False)
    assert first.age == timedelta(minutes=3)
    assert later.request.idempotency_key == f"order-{order.reference}-payment-{payment}-2-manual"
    assert (later.request.manual_capture, later.attempt, later.replaces) == (True, 2, True)


def test_those_who_failed_together_to_create_a_payment_count_once(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    for attempt in (1, 1, 2, 4):
        with shop.services.database.transaction() as session:
            creation.count_attempt(session, order.reference, attempt)

    assert [shop.read(each.reference).payment.create_attempt for each in (order, other)] == [3, 1]


def test_a_page_that_somebody_else_looked_up_meanwhile_is_not_asked_about(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    payments.look_up(shop.services, shop.read(order.reference), shop.clock())
    shop.clock.forward(seconds=5)
    seen = shop.read(order.reference)

    answers = [payments.look_up(shop.services, seen, shop.clock()) for _ in range(2)]

    assert answers == [True, False]


@pytest.mark.parametrize(
    ("state", "earlier", "counts"),
    [
        (OrderState.AWAITING_PAYMENT, PaymentState.PROCESSING, True),
        (OrderState.AWAITING_PAYMENT, PaymentState.OPEN, False),
        (OrderState.CANCELLED, PaymentState.PROCESSING, False),
    ],
)
def test_an_order_counts_on_the_payment_that_the_bank_decides_about(
    shop: Shop, state: OrderState, earlier: PaymentState, counts: bool
) -> None:
    order, other = shop.order(), shop.order()
    ids = [add_payment(shop, each, state=earlier) for each in (order, order, other)]
    live = shop.read(order.reference).payment.id
    change(shop, order, state=state)

    with shop.services.database.transaction() as session:
        closing.count_on_undecided(session, session.get_one(Order, order.id))

    assert shop.read(order.reference).payment.id == (ids[1] if counts else live)
    with shop.services.database.reading() as session:
        rows = session.scalars(select(Payment.id).where(Payment.live, Payment.order_id == order.id)).all()
    assert rows == [ids[1] if counts else live]


def test_the_last_order_of_a_cart_is_found_where_it_cost_nothing(shop: Shop) -> None:
    carts = [shop.cart() for _ in range(4)]
    free, due, open_, _none = (shop.place(cart) if number < 3 else None for number, cart in enumerate(carts))
    paid: dict[str, Any] = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
    for order, total in ((free, 0), (due, 400)):
        assert order is not None
        change(shop, order, total_minor=total, **paid)
    assert open_ is not None
    change(shop, open_, total_minor=0)
    now = shop.clock()

    again = shop.place(carts[0])  # the same things, ordered anew
    change(shop, again, total_minor=0, **paid)

    with shop.services.database.reading() as session:
        found = [orders.ordered_for_nothing(session, cart) for cart in (*carts, None, "")]
        since = [orders.ordered_for_nothing(session, carts[0], at) for at in (now, now + SECOND)]

    assert [order.id if order else None for order in found] == [again.id, None, None, None, None, None]
    assert [order is not None for order in since] == [True, False]


def test_an_order_is_read_again_as_it_is_by_now(shop: Shop) -> None:
    order = shop.order()

    with shop.services.database.transaction() as session:
        known = session.get_one(Order, order.id)
        before = len(known.lines), known.payment.declines
        session.execute(update(Payment).values(declines=2), execution_options={"synchronize_session": False})
        lookup.complete(session, known)

    assert (before, known.payment.declines) == ((1, 0), 2)


def test_stripe_is_asked_once_to_create_a_payment_and_once_to_read_it(shop: Shop) -> None:
    order = shop.order()
    shop.transport.requests.clear()

    name = shop.open(order).snapshot.provider_payment_id
    shop.open(order)

    assert shop.transport.requests == [("POST", "/v1/payment_intents"), ("GET", f"/v1/payment_intents/{name}")]


def test_nothing_is_looked_up_of_what_is_decided_unopened_or_of_others(shop: Shop) -> None:
    orders = [shop.order() for _ in range(3)]
    shop.pay(orders[0])
    shop.deliver()
    shop.open(orders[1])
    change(shop, orders[1], {"account": "live:acct_1"})

    answers = []
    for _ in range(2):
        answers += [payments.look_up(shop.services, shop.read(order.reference), shop.clock()) for order in orders]
        shop.clock.forward(seconds=6)

    assert answers == [False] * 6
    assert [shop.read(order.reference).payment.awaited_since for order in orders] == [None] * 3


@pytest.mark.parametrize("state", [PaymentState.PROCESSING, PaymentState.AUTHORISED, None])
def test_an_order_that_waits_for_a_bank_or_a_person_takes_no_payment(shop: Shop, state: PaymentState | None) -> None:
    order, other = shop.order(), shop.order()
    if state is not None:
        change(shop, order, {"state": state})
    else:
        with shop.services.database.transaction() as session:
            known = session.get_one(Order, order.id)
            reviews.open_review(session, known, "amount", Origin(Source.WORKER, shop.clock()))

    with pytest.raises(OrderClosed) as closed:
        creation.check(shop.services, order.reference, shop.clock())

    assert closed.value.reference == order.reference
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    assert creation.check(shop.services, other.reference, shop.clock()).attempt == 1


class Gateway:
    """The shop's own, but for what is said otherwise."""

    def __init__(self, shop: Shop, **methods: Any) -> None:
        self._shop, self._methods = shop, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._shop.services.gateway, name)


def with_gateway(shop: Shop, **methods: Any) -> Services:
    return replace(shop.services, gateway=cast("Any", Gateway(shop, **methods)))


@pytest.mark.parametrize("other", ["pi_other", None])
def test_a_payment_that_came_second_is_cancelled_and_the_first_is_used(shop: Shop, other: str | None) -> None:
    order = shop.order()
    first = shop.open(shop.order()).snapshot.provider_payment_id if other is not None else None
    cancelled: list[tuple[str, CancelReason]] = []

    def create(request: PaymentRequest) -> PaymentSession:
        made = shop.services.gateway.create_payment(request)
        if first is not None:  # another tab was quicker
            with shop.services.database.transaction() as session:
                theirs = update(Payment).where(Payment.provider_payment_id == first)
                session.execute(theirs.values(provider_payment_id="pi_moved"))
            change(shop, order, {"provider_payment_id": first, "state": PaymentState.OPEN})
        else:
            change(shop, order, state=OrderState.CANCELLED, reservation=ReservationState.RELEASED)
        return made

    def cancel(name: str, reason: CancelReason) -> None:
        cancelled.append((name, reason))

    services = with_gateway(shop, create_payment=create, cancel_payment=cancel)
    if first is not None:
        _order, payment = payments.create(services, order.reference, shop.clock())
        assert payment.snapshot.provider_payment_id == first
    else:
        with pytest.raises(OrderClosed):
            payments.create(services, order.reference, shop.clock())

    ((name, reason),) = cancelled
    assert (name != first, reason) == (True, CancelReason.REPLACED)
