"""An order has several payments over time. One is kept; another that succeeds is refunded once, with an email."""

import copy
import threading
from dataclasses import replace

import pytest

from models import InboxEvent, Mail, Order
from store.domain.states import OrderState, PaymentState
from store.gateway.port import PaymentSnapshot
from store.services import payments, reconciliation, transitions
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from tests.support.concurrency import at_once, wait_until_blocked
from tests.support.shop import NoAnswer, Shop, event_of, signed


def payment_beside(shop: Shop, order: Order) -> PaymentSnapshot:
    """Another payment of the order at Stripe, paid with a card: its creation was never answered."""
    form = {
        "amount": str(order.total_minor),
        "currency": order.currency,
        "metadata[order_reference]": order.reference,
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "return_url": "http://store.test/",
    }
    intent = shop.stripe("POST", "/v1/payment_intents", form)
    found = shop.services.gateway.find_payment(intent["id"])
    assert found is not None
    return found


def paid(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return order


def work(shop: Shop) -> None:
    for _ in range(2):
        worker.run(shop.services, shop.clock())
        shop.deliver()
        shop.clock.forward(minutes=2)


def states(shop: Shop, order: Order) -> list[tuple[bool, PaymentState, int]]:
    with shop.services.database.reading() as session:
        rows = session.get_one(Order, order.id).payments
        return [(row.live, row.state, row.refunded_minor) for row in rows]


def mails(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [mail.kind for mail in session.query(Mail).order_by(Mail.id)]


def agrees(shop: Shop) -> bool:
    with shop.services.database.reading() as session:
        return audit.run(session, shop.clock()) == []


def test_a_second_payment_is_refunded_once_and_the_shopper_notified(shop: Shop) -> None:
    order = paid(shop)
    payment_beside(shop, order)

    shop.deliver()
    work(shop)

    after = shop.read(order.reference)
    assert states(shop, order) == [(True, PaymentState.PAID, 0), (False, PaymentState.REFUNDED, 800)]
    assert (after.state, after.payment.refunded_minor) == (OrderState.PAID, 0)
    assert [refund["amount"] for refund in shop.stripe("GET", "/v1/refunds")["data"]] == [800]
    assert mails(shop) == ["order_paid", "second_payment_returned"]
    assert "payment.second" in shop.history(order.reference)
    assert agrees(shop)


@pytest.mark.on_both_databases
def test_a_payment_beside_an_open_one_pays_the_order(shop: Shop) -> None:
    order = shop.order(2)
    opened = shop.open(order)
    payment_beside(shop, order)

    shop.deliver()
    work(shop)

    assert shop.read(order.reference).state is OrderState.PAID
    assert states(shop, order) == [(False, PaymentState.CANCELLED, 0), (True, PaymentState.PAID, 0)]
    intent = shop.stripe("GET", f"/v1/payment_intents/{opened.snapshot.provider_payment_id}")
    assert intent["status"] == "canceled"
    assert mails(shop) == ["order_paid"]
    assert agrees(shop)


@pytest.mark.on_both_databases
def test_of_two_payments_reported_at_once_one_is_kept(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    first = shop.services.gateway.find_payment(shop.read(order.reference).payment.provider_payment_id or "")
    second = payment_beside(shop, order)
    both = [snapshot for snapshot in (first, second) if snapshot is not None]

    def record(number: int) -> None:
        with shop.services.database.transaction() as session:
            origin = Origin(Source.LOOKUP, shop.clock())
            payments.record(session, shop.services, both[number], origin)

    assert at_once(2, record) == [None, None]
    work(shop)

    assert sorted(live for live, _state, _refunded in states(shop, order)) == [False, True]
    assert sorted(refunded for _live, _state, refunded in states(shop, order)) == [0, 800]
    assert shop.read(order.reference).state is OrderState.PAID
    assert agrees(shop)


def test_a_second_payment_of_a_refunded_order_is_refunded_too(shop: Shop) -> None:
    order = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": shop.read(order.reference).payment.provider_payment_id or ""})
    shop.deliver()
    payment_beside(shop, order)

    shop.deliver()
    work(shop)

    assert [state for _live, state, _refunded in states(shop, order)] == [PaymentState.REFUNDED] * 2
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert agrees(shop)


def test_a_second_payment_whose_webhook_is_lost_is_found_by_reconciliation(shop: Shop) -> None:
    order = paid(shop)
    payment_beside(shop, order)
    shop.lose()

    reconciliation.repair(shop.services, order.placed_at, shop.clock())
    work(shop)

    assert states(shop, order)[1] == (False, PaymentState.REFUNDED, 800)
    assert agrees(shop)


def test_a_second_payment_of_another_amount_opens_a_review(shop: Shop) -> None:
    order = paid(shop)
    second = payment_beside(shop, order)
    odd = replace(second, amount=replace(second.amount, minor=1), received=replace(second.received, minor=1))

    with shop.services.database.transaction() as session:
        payments.record(session, shop.services, odd, Origin(Source.LOOKUP, shop.clock()))

    assert shop.read(order.reference).needs_review
    assert len(states(shop, order)) == 1


def test_an_event_about_a_payment_that_stripe_does_not_have_pays_nothing(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    [event] = [event_of(sent) for sent in shop.lose() if event_of(sent)["type"] == "payment_intent.succeeded"]
    unknown = copy.deepcopy(event)
    unknown["id"], unknown["data"]["object"]["id"] = "evt_unknown", "pi_unknown"

    answer = shop.receive(signed(unknown))

    assert answer == 200
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    with shop.services.database.reading() as session:
        assert session.get_one(InboxEvent, "evt_unknown").outcome == "ignored"


def test_an_unknown_payment_waits_while_stripe_does_not_answer(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    payment_beside(shop, order)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    answers = {shop.receive(sent) for sent in shop.lose() if event_of(sent)["type"] == "payment_intent.succeeded"}
    shop.transport.before = lambda _method, _path: None

    assert answers == {503}
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT


@pytest.mark.on_both_databases
def test_who_waited_for_an_order_finds_it_though_another_payment_became_live(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    second = payment_beside(shop, order)
    found: list[int] = []

    def wait_and_read() -> None:
        with shop.services.database.transaction() as session:
            found.append(transitions.lock_by_reference(session, order.reference).payment.received_minor)

    other = threading.Thread(target=wait_and_read)
    with shop.services.database.transaction() as session:
        payments.record(session, shop.services, second, Origin(Source.LOOKUP, shop.clock()))
        other.start()
        wait_until_blocked(session, other)
    other.join()

    assert found == [800]
