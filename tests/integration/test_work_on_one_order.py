"""Work on one order leaves another alone that waits for the same: what is asked of Stripe, and what is written."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from models import Mail, Order, Payment, Refund, Review
from store.domain.errors import OrderClosed, RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.states import OrderState, PaymentKind, PaymentState, RefundState, ReservationState
from store.gateway.port import CancelReason, RefundReason
from store.services import payments
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import accounts, changing, closing, refunds
from store.services.payments.refunds import requests
from tests.support.rows import add_payment, change
from tests.support.shop import NoAnswer, Shop


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.clock.stop()
    return usual_shop


def paid(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def request(shop: Shop, order: Order, amount: int, **more: Any) -> str:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    return refunds.request(shop.services, order.reference, Money(amount, "usd"), origin, **more)


def kept(shop: Shop, order: Order) -> list[tuple[str | None, RefundState, int, int, str | None]]:
    return [
        (each.key, each.state, each.amount_minor, each.attempt, each.reason) for each in shop.refunds(order.reference)
    ]


def at_stripe(shop: Shop, order: Order) -> list[tuple[int, str | None]]:
    intent = str(shop.read(order.reference).payment.provider_payment_id)
    return [
        (each["amount"], each["reason"])
        for each in shop.stripe("GET", "/v1/refunds", {"payment_intent": intent})["data"]
    ]


def of_order(shop: Shop, order: Order) -> list[Payment]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id)))


def kept_reviews(shop: Shop) -> list[Review]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Review)))


def status(shop: Shop, provider_payment_id: str) -> str:
    return str(shop.stripe("GET", f"/v1/payment_intents/{provider_payment_id}")["status"])


def test_what_is_not_owed_is_returned_once_and_whole(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    for order in (first, second):
        change(shop, order, {"refund_due": True})

    for _ in range(2):
        requests.return_unowed(shop.services, first.reference, shop.clock())

    key = f"{first.payment.provider_payment_id}-refund-unowed"
    assert kept(shop, first) == [(key, RefundState.SUCCEEDED, 800, 1, None)]
    assert (at_stripe(shop, first), kept(shop, second), at_stripe(shop, second)) == ([(800, None)], [], [])
    assert [each.payment.refund_due for each in map(shop.read, (first.reference, second.reference))] == [False, True]
    sources = {entry.source for entry in shop.read(first.reference).history if entry.type.startswith("refund.")}
    assert sources == {"worker"}


def test_refunds_that_were_requested_are_asked_for_again(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    keys = [request(shop, first, 100, reason=RefundReason.FRAUDULENT), request(shop, first, 200, another=True)]
    request(shop, second, 300)
    with shop.services.database.transaction() as session:
        row = {"payment_id": first.payment.id, "amount_minor": 50, "requested_at": shop.clock(), "key": "failed"}
        session.execute(insert(Refund).values(state=RefundState.FAILED, **row))

    for _ in range(2):
        requests.resubmit(shop.services, first.reference, shop.clock())

    assert keys == [f"order-{first.reference}-refund-{number}" for number in (1, 2)]
    assert kept(shop, first) == [
        (keys[0], RefundState.SUCCEEDED, 100, 1, "fraudulent"), (keys[1], RefundState.SUCCEEDED, 200, 1, None),
        ("failed", RefundState.FAILED, 50, 1, None),
    ]  # fmt: skip
    assert sorted(at_stripe(shop, first), key=str) == [(100, "fraudulent"), (200, None)]
    assert at_stripe(shop, second) == []


def test_the_same_key_is_the_same_refund_and_no_other(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    also: list[str] = []

    def note(_session: object, order: Order) -> None:
        also.append(order.reference)

    answers = [request(shop, first, 100, key="mine", also=note) for _ in range(2)]
    refused = []
    for order, amount in ((first, 101), (second, 100)):
        with pytest.raises(RefundRefused) as refusal:
            request(shop, order, amount, key="mine")
        refused.append(refusal.value.reason)

    assert (answers, also) == (["mine", "mine"], [first.reference])
    assert refused == [RefundRefusal.KEY_OF_ANOTHER_AMOUNT, RefundRefusal.KEY_OF_ANOTHER_ORDER]
    assert kept(shop, first) == [("mine", RefundState.REQUESTED, 100, 1, None)]
    assert [entry.type for entry in shop.read(first.reference).history].count("refund.requested") == 1


def test_what_is_requested_besides_is_no_more_than_is_left(shop: Shop) -> None:
    order = paid(shop)
    row = {"payment_id": order.payment.id, "requested_at": shop.clock()}
    with shop.services.database.transaction() as session:
        for state, amount in ((RefundState.REQUESTED, 100), (RefundState.PENDING, 200), (RefundState.FAILED, 400)):
            session.execute(insert(Refund).values(state=state, amount_minor=amount, **row))

    with pytest.raises(RefundRefused) as refused:
        request(shop, order, 501, another=True)
    request(shop, order, 500, another=True)
    with pytest.raises(RefundRefused) as none_left:
        request(shop, order, 1, another=True)

    assert (refused.value.reason, refused.value.amount) == (RefundRefusal.TOO_MUCH, Money(500, "usd"))
    assert (none_left.value.reason, none_left.value.amount) == (RefundRefusal.TOO_MUCH, Money(0, "usd"))


def test_a_refund_of_a_payment_that_stripe_does_not_have_is_looked_into(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)
    key = request(shop, order, 100)
    change(shop, order, {"provider_payment_id": "pi_gone"})

    with pytest.raises(RefundRefused) as refused:
        refunds.submit(shop.services, order.reference, None, key, Origin(Source.WORKER, shop.clock()))

    after = shop.read(order.reference)
    assert refused.value.reason is RefundRefusal.OTHER_ACCOUNT
    assert (after.payment.account, after.needs_review) == (accounts.UNKNOWN, True)
    assert shop.read(other.reference).payment.account != accounts.UNKNOWN
    assert kept(shop, order) == [(key, RefundState.REQUESTED, 100, 1, None)]
    with pytest.raises(RefundRefused) as foreign:
        request(shop, order, 100, another=True)
    assert foreign.value.reason is RefundRefusal.OTHER_ACCOUNT


def test_refunds_of_another_account_are_told_once_of_the_payments_that_are(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)
    for each in (order, other):
        change(shop, each, {"account": "live:acct_1"})
    add_payment(shop, order, account=accounts.known(shop.services), provider_payment_id="pi_ours")

    for _ in range(2):
        refunds.note_unreachable(shop.services, order.reference, shop.clock())

    told = [entry for entry in shop.read(order.reference).history if entry.type == "payment.unreachable"]
    name = order.payment.provider_payment_id
    assert [(entry.source, entry.data, entry.dedupe_key) for entry in told] == [
        ("worker", {"payment": name, "account": "live:acct_1"}, f"unreachable:{name}")
    ]
    assert "payment.unreachable" not in shop.history(other.reference)
    (review,) = kept_reviews(shop)
    assert (review.order_id, review.reason, review.subject, review.data) == (
        order.id, "payment_of_another_account", name, {"account": "live:acct_1"},
    )  # fmt: skip
    reviews.resolve(shop.services, order.reference, "We know.", Origin(Source.STAFF, shop.clock()))
    refunds.note_unreachable(shop.services, order.reference, shop.clock())
    assert len(kept_reviews(shop)) == 1
    assert [each.account for each in of_order(shop, order)][-1] == accounts.known(shop.services)


def test_payments_that_an_order_let_go_are_cancelled_at_stripe(shop: Shop) -> None:
    orders = [shop.order(), shop.order()]
    names = []
    for order in orders:
        names.append(shop.open(order).snapshot.provider_payment_id)
        change(shop, order, {"live": False})
        add_payment(shop, order, live=True)
    never = add_payment(shop, orders[0])
    foreign = add_payment(
        shop, orders[0], account="live:acct_1", provider_payment_id="pi_foreign", state=PaymentState.OPEN
    )

    payments.cancel_leftovers(shop.services, orders[0].reference, shop.clock())

    states = {each.id: each.state for each in of_order(shop, orders[0])}
    assert (states[never], states[foreign]) == (PaymentState.CANCELLED, PaymentState.OPEN)
    assert [status(shop, name) for name in names] == ["canceled", "requires_payment_method"]
    ended = [entry for entry in shop.read(orders[0].reference).history if entry.type == "payment.cancelled"]
    assert [(entry.source, entry.data) for entry in ended] == [("worker", {"replaced": True})]
    assert shop.read(orders[0].reference).state is OrderState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("earlier", "closed_first"),
    [
        ({"state": PaymentState.OPEN, "provider_page_id": "cs_1"}, True),
        ({"state": PaymentState.OPEN, "provider_payment_id": "pi_1"}, True),
        ({"state": PaymentState.OPEN}, False),
        ({"state": PaymentState.OPEN, "provider_payment_id": "pi_1", "account": "live:acct_1"}, False),
        ({"state": PaymentState.PROCESSING, "provider_payment_id": "pi_1"}, False),
        ({"state": PaymentState.CANCELLED, "provider_payment_id": "pi_1"}, False),
    ],
)
def test_an_order_counted_on_another_payment_that_may_still_be_paid(
    shop: Shop, earlier: dict[str, Any], closed_first: bool
) -> None:
    order, other = shop.order(), shop.order()
    before = add_payment(shop, order, **earlier)

    def replaces(each: Order) -> bool:
        with shop.services.database.reading() as session:
            return closing._replaces_open(session, shop.services, session.get_one(Order, each.id).payment)

    alone = replaces(order)
    for each in (order, other):
        change(shop, each, {"replaces_id": before})

    assert (alone, replaces(order), replaces(other)) == (False, closed_first, False)


def test_an_order_that_is_paid_otherwise_has_a_payment_of_that_kind(shop: Shop) -> None:
    order, other = shop.order(2), shop.order(2)
    shop.open(order)

    changing.change_kind(shop.services, order.reference, PaymentKind.HOSTED, shop.clock())
    changing.change_kind(shop.services, order.reference, PaymentKind.HOSTED, shop.clock())

    first, second = of_order(shop, order)
    assert (first.live, first.state) == (False, PaymentState.CANCELLED)
    assert (second.live, second.kind, second.amount_minor, second.replaces_id) == (
        True,
        PaymentKind.HOSTED,
        800,
        first.id,
    )
    lines = [(entry.type, entry.source, entry.data) for entry in shop.read(order.reference).history][-2:]
    assert lines == [
        ("payment.replaced", "shopper", {"kind": "hosted"}), ("payment.cancelled", "store", {"replaced": True}),
    ]  # fmt: skip
    assert [each.kind for each in of_order(shop, other)] == [PaymentKind.CARD]


@pytest.mark.parametrize("state", [PaymentState.PROCESSING, PaymentState.AUTHORISED, PaymentState.PAID])
def test_an_order_whose_payment_is_under_way_is_not_paid_otherwise(shop: Shop, state: PaymentState) -> None:
    order = shop.order()
    received = order.total_minor if state is PaymentState.PAID else 0
    change(shop, order, {"state": state, "received_minor": received})

    with pytest.raises(OrderClosed):
        changing.change_kind(shop.services, order.reference, PaymentKind.HOSTED, shop.clock())

    assert [each.kind for each in of_order(shop, order)] == [PaymentKind.CARD]


def test_an_authorisation_of_a_closed_order_is_released_and_another_is_kept(shop: Shop) -> None:
    shop.charge_when_shipped()
    orders = [paid(shop), paid(shop)]
    gone: dict[str, Any] = {"state": OrderState.CANCELLED, "reservation": ReservationState.RELEASED}
    for order in orders:
        change(shop, order, **gone)

    payments.release(shop.services, orders[0].reference, shop.clock())

    names = [str(order.payment.provider_payment_id) for order in orders]
    assert [status(shop, name) for name in names] == ["canceled", "requires_capture"]
    assert shop.read(orders[0].reference).payment.state is PaymentState.CANCELLED


def test_closing_an_order_says_who_has_closed_it(shop: Shop) -> None:
    orders = {reason: shop.order() for reason in CancelReason}

    left = {
        reason: payments.close(shop.services, order.reference, reason, shop.clock()) for reason, order in orders.items()
    }

    expired, cancelled = OrderState.EXPIRED, OrderState.CANCELLED
    assert left == {reason: expired if reason is CancelReason.EXPIRED else cancelled for reason in CancelReason}
    assert {reason: shop.read(order.reference).history[-1].source for reason, order in orders.items()} == {
        CancelReason.EXPIRED: "worker", CancelReason.BY_SHOPPER: "shopper", CancelReason.REPLACED: "shopper",
        CancelReason.CARD_TESTING: "store",
    }  # fmt: skip


def test_a_mail_about_each_shipment_is_written_once(shop: Shop) -> None:
    order, pencil = paid(shop), shop.product().id
    for _ in range(2):
        shop.fulfil(order.reference, {pencil: 1})

    with shop.services.database.reading() as session:
        mails = [(each.kind, each.dedupe_key, each.data) for each in session.scalars(select(Mail).order_by(Mail.id))]
        shipments = session.get_one(Order, order.id).shipments
        rows = [(each.number, each.shipped_at, each.carrier, each.tracking, each.actor) for each in shipments]
    assert mails[1:] == [
        ("order_partly_shipped", "shipment:1", {"shipment": 1}), ("order_fulfilled", "shipment:2", {"shipment": 2}),
    ]  # fmt: skip
    assert rows == [(number, shop.clock(), None, None, None) for number in (1, 2)]


def test_a_refund_that_gets_no_answer_keeps_its_key(shop: Shop) -> None:
    order = paid(shop)
    key = request(shop, order, 100)

    def away(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = away
    with pytest.raises(Exception, match="payment_unavailable"):
        requests.resubmit(shop.services, order.reference, shop.clock())

    assert kept(shop, order) == [(key, RefundState.REQUESTED, 100, 1, None)]
