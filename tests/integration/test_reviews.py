"""What no program should decide opens a review, once, with the facts that a person needs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, text

from models import Order, Refund
from store.domain.errors import RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.states import (
    OrderState,
    PaymentEvent,
    PaymentState,
    RefundEvent,
    RefundState,
    ReservationState,
)
from store.gateway.port import CancelReason, PaymentSnapshot, RefundReason, RefundSnapshot
from store.services import checkout, payments
from store.services.history import Origin, Source
from store.services.payments import refunds
from tests.support.shop import Shop


def report(shop: Shop, snapshot: PaymentSnapshot) -> Order | None:
    with shop.services.database.transaction() as session:
        return payments.record(session, shop.services, snapshot, Origin(Source.WEBHOOK, shop.clock()))


def report_refund(shop: Shop, order: Order, amount: int, name: str = "re_1") -> None:
    provider_payment_id = shop.read(order.reference).payment.provider_payment_id
    assert provider_payment_id
    snapshot = RefundSnapshot(name, provider_payment_id, Money(amount, "usd"), RefundEvent.SUCCEEDED, None)
    with shop.services.database.transaction() as session:
        assert refunds.record(session, snapshot, Origin(Source.WEBHOOK, shop.clock()))


def refund(shop: Shop, order: Order, amount: Money | None, key: str = "all") -> RefundState:
    return refunds.submit(shop.services, order.reference, amount, key, Origin(Source.STAFF, shop.clock()))


def paid(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return order


def reasons(shop: Shop, order: Order) -> list[dict[str, Any]]:
    return [entry.data for entry in shop.read(order.reference).history if entry.type == "review.opened"]


def refund_rows(shop: Shop) -> list[Refund]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Refund).order_by(Refund.id)))


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"received": Money(1, "usd")}, {"reason": "wrong_amount_received", "received": 1, "currency": "usd"}),
        ({"amount": Money(801, "usd")}, {"reason": "wrong_amount", "received": 800, "currency": "usd"}),
        (
            {"amount": Money(800, "eur"), "received": Money(800, "eur")},
            {"reason": "wrong_currency", "received": 800, "currency": "eur"},
        ),
        ({"live": True}, {"reason": "wrong_mode", "received": 800, "currency": "usd"}),
    ],
)
def test_a_payment_with_a_mismatch_opens_one_review(shop: Shop, change: dict[str, Any], facts: dict[str, Any]) -> None:
    order, other = shop.order(2), shop.order(2)
    opened = shop.open(order).snapshot
    shop.open(other)
    reported = replace(opened, event=PaymentEvent.PAID, received=Money(800, "usd"))

    assert report(shop, replace(reported, **change))
    assert report(shop, replace(reported, **change))

    assert reasons(shop, order) == [{"subject": opened.provider_payment_id, **facts}]
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    assert not shop.read(other.reference).needs_review


def test_an_unpaid_payment_with_a_mismatch_opens_no_review(shop: Shop) -> None:
    order = shop.order(2)
    opened = shop.open(order).snapshot

    assert report(shop, replace(opened, amount=Money(1, "usd"), event=PaymentEvent.PROCESSING))

    assert (reasons(shop, order), shop.read(order.reference).payment.state) == ([], PaymentState.OPEN)


def test_a_payment_of_no_order_is_not_of_this_store(shop: Shop) -> None:
    opened = shop.open(shop.order(2)).snapshot

    assert not report(shop, replace(opened, provider_payment_id="pi_other", order_reference=None))
    assert not report(shop, replace(opened, provider_payment_id="pi_other", order_reference="NO-SUCH-ORDER"))


def test_a_cancelled_payment_that_succeeds_opens_a_review(shop: Shop) -> None:
    order = shop.order(2)
    opened = shop.open(order).snapshot
    checkout.cancel(shop.services, order.reference, shop.clock())

    report(shop, replace(opened, event=PaymentEvent.PAID, received=Money(800, "usd")))

    assert reasons(shop, order) == [{"reason": "paid_after_cancel", "subject": opened.provider_payment_id}]
    assert shop.read(order.reference).state is OrderState.CANCELLED


def test_a_paid_payment_reported_cancelled_opens_a_review(shop: Shop) -> None:
    order = paid(shop)
    intent = shop.read(order.reference).payment.provider_payment_id
    assert intent
    snapshot = shop.services.gateway.retrieve_payment(intent).snapshot

    report(shop, replace(snapshot, event=PaymentEvent.CANCELLED, cancelled_because=CancelReason.EXPIRED))

    assert reasons(shop, order) == [{"reason": "cancelled_after_paid", "subject": intent}]
    after = shop.read(order.reference)
    assert (after.state, after.payment.state, after.reservation) == (
        OrderState.PAID,
        PaymentState.PAID,
        ReservationState.COMMITTED,
    )


def test_a_refused_refund_opens_a_review(shop: Shop) -> None:
    order = paid(shop)
    intent = str(shop.read(order.reference).payment.provider_payment_id)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent})
    shop.lose()  # the store does not know it
    other = paid(shop)
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE payments SET refund_due = true"))

    with pytest.raises(RefundRefused):
        refund(shop, order, None)

    assert reasons(shop, order) == [{"reason": "refund_refused"}]
    assert not shop.read(order.reference).payment.refund_due, "asking again would be refused again"
    assert shop.read(other.reference).payment.refund_due
    assert [(row.state, row.key) for row in refund_rows(shop)] == [(RefundState.FAILED, "all")]
    assert shop.read(order.reference).payment.refunded_minor == 0
    failed = [entry for entry in shop.read(order.reference).history if entry.type == "refund.failed"]
    entries = [(entry.from_state, entry.to_state, entry.source, entry.data) for entry in failed]
    assert entries == [("requested", "failed", "staff", {"amount": 800})]


def test_a_refund_reported_while_stripe_refuses_it_stays(shop: Shop) -> None:
    order = paid(shop)

    class Refuses:
        def refund_payment(
            self, provider_payment_id: str, amount: Money, key: str, _attempt: int, _reason: RefundReason | None
        ) -> RefundSnapshot:
            snapshot = RefundSnapshot("re_1", provider_payment_id, amount, RefundEvent.SUCCEEDED, key)
            with shop.services.database.transaction() as session:
                refunds.record(session, snapshot, Origin(Source.WEBHOOK, shop.clock()))
            raise RefundRefused

    origin = Origin(Source.STAFF, shop.clock())
    with pytest.raises(RefundRefused):
        refunds.submit(replace(shop.services, gateway=cast("Any", Refuses())), order.reference, None, "all", origin)

    after = shop.read(order.reference)
    assert [row.state for row in refund_rows(shop)] == [RefundState.SUCCEEDED]
    assert (after.state, after.payment.refunded_minor, after.needs_review) == (OrderState.REFUNDED, 800, False)


def test_more_refunded_than_received_is_found(shop: Shop) -> None:
    order = paid(shop)

    report_refund(shop, order, 900)

    assert reasons(shop, order) == [{"reason": "returned_more_than_received", "returned": 900}]
    after = shop.read(order.reference)
    assert (after.payment.refunded_minor, after.state) == (800, OrderState.REFUNDED)


def test_a_refund_made_elsewhere_is_recorded_with_amount_and_time(shop: Shop) -> None:
    order, now = paid(shop), shop.clock()

    report_refund(shop, order, 100, "re_1")
    report_refund(shop, order, 200, "re_2")
    report_refund(shop, order, 200, "re_2")

    assert [(row.provider_refund_id, row.key, row.amount_minor, row.state) for row in refund_rows(shop)] == [
        ("re_1", None, 100, RefundState.SUCCEEDED),
        ("re_2", None, 200, RefundState.SUCCEEDED),
    ]
    assert all(timedelta() <= row.requested_at - now < timedelta(minutes=1) for row in refund_rows(shop))
    assert shop.read(order.reference).payment.refunded_minor == 300


def test_a_refund_of_another_order_changes_nothing_here(shop: Shop) -> None:
    mine, other = paid(shop), paid(shop)

    report_refund(shop, other, 100)
    refund(shop, other, Money(50, "usd"), "of the other")

    assert shop.read(mine.reference).payment.refunded_minor == 0
    assert refund(shop, mine, None, "all of mine") is RefundState.SUCCEEDED
    assert shop.read(mine.reference).payment.refunded_minor == 800
    assert shop.read(other.reference).payment.refunded_minor == 150


def test_a_refund_does_not_restock_a_fulfilled_order(shop: Shop) -> None:
    sent, unsent = paid(shop), paid(shop)
    shop.fulfil(sent.reference)
    before = shop.product().stock

    refund(shop, sent, None, "sent")
    after_sent = shop.product().stock
    refund(shop, unsent, None, "unsent")

    assert (after_sent, shop.product().stock) == (before, before + 2)
    assert shop.read(sent.reference).reservation is ReservationState.COMMITTED
    assert {shop.read(order.reference).state for order in (sent, unsent)} == {OrderState.REFUNDED}


@pytest.mark.parametrize("amount", [None, Money(1, "usd")])
def test_an_unpaid_order_cannot_be_refunded(shop: Shop, amount: Money | None) -> None:
    order = shop.order(2)

    with pytest.raises(RefundRefused) as refusal:
        refund(shop, order, amount)

    assert (refusal.value.reason, refusal.value.amount) == (RefundRefusal.TOO_MUCH, Money(0, "usd"))
    assert refund_rows(shop) == []


def test_a_cent_can_be_refunded(shop: Shop) -> None:
    order = paid(shop)

    assert refund(shop, order, Money(1, "usd")) is RefundState.SUCCEEDED
    assert shop.read(order.reference).payment.refunded_minor == 1


@pytest.mark.parametrize("amount", [0, -1, 801])
def test_only_what_was_received_can_be_refunded(shop: Shop, amount: int) -> None:
    order = paid(shop)

    with pytest.raises(RefundRefused) as refusal:
        refund(shop, order, Money(amount, "usd"))

    assert (refusal.value.reason, refusal.value.amount) == (RefundRefusal.TOO_MUCH, Money(800, "usd"))
    assert refund(shop, order, Money(800, "usd")) is RefundState.SUCCEEDED


def test_a_refund_must_be_in_the_currency_of_the_payment(shop: Shop) -> None:
    order = paid(shop)

    with pytest.raises(RefundRefused) as refusal:
        refund(shop, order, Money(100, "eur"))

    assert (refusal.value.reason, refusal.value.amount) == (RefundRefusal.OTHER_CURRENCY, Money(800, "usd"))


def test_a_refund_of_a_late_payment_ends_its_refund_due(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE payments SET refund_due = true"))

    refund(shop, order, None)

    assert not shop.read(order.reference).payment.refund_due
    assert shop.read(other.reference).payment.refund_due
