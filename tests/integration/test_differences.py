"""What Stripe says of one thing, compared with what is recorded here: what is found, and that nothing else is."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment, Refund
from store.domain.money import Money
from store.domain.states import (
    DisputeEvent,
    DisputeState,
    OrderState,
    PaymentEvent,
    PaymentKind,
    PaymentState,
    RefundEvent,
    RefundState,
    ReservationState,
)
from store.gateway.port import DisputeSnapshot, HostedPageSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.findings import Finding
from store.services.reconciliation import diff
from tests.support.shop import Shop

EXPIRED = {"state": OrderState.EXPIRED, "reservation": ReservationState.RELEASED}
CANCELLED = {"state": OrderState.CANCELLED, "reservation": ReservationState.RELEASED}
PAID = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}


class Compared:
    """Two orders of $4.00: the one that is compared, whose payment is `pi_here`, and another."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.at = shop, shop.clock()
        self.other, self.order = shop.order(), shop.order()
        self.subject = f"order {self.order.reference}"
        self.payment_id = shop.read(self.order.reference).payment.id
        self.change({}, {"provider_payment_id": "pi_here", "state": PaymentState.OPEN})

    def change(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        with self.shop.services.database.transaction() as session:
            if order:
                session.execute(update(Order).where(Order.id == self.order.id).values(order))
            if payment:
                session.execute(update(Payment).where(Payment.id == self.payment_id).values(payment))

    def add(self, row: Any, **values: Any) -> None:
        with self.shop.services.database.transaction() as session:
            session.execute(insert(row).values(values))

    def found(self, check: Callable[[Session, str, Any], Iterator[Finding]], name: str, snapshot: Any) -> list[Finding]:
        with self.shop.services.database.reading() as session:
            return list(check(session, name, snapshot))

    def payment(self, event: PaymentEvent | None, name: str = "pi_here", **more: Any) -> list[Finding]:
        """What is found where Stripe says this of a payment, and what of the page of one."""
        return self.found(diff.payment, name, payment_at_stripe(event, self.at, name, **more))

    def page(self, *, is_open: bool, payment: PaymentSnapshot | None = None, name: str = "cs_here") -> list[Finding]:
        snapshot = HostedPageSnapshot(
            provider_page_id=name,
            open=is_open,
            observed_at=self.at,
            amount=Money(400, "usd"),
            live=False,
            order_reference=self.order.reference,
            payment_number=self.payment_id,
            payment=payment,
        )
        return self.found(diff.hosted_page, name, snapshot)


@pytest.fixture
def compared(shop: Shop) -> Compared:
    return Compared(shop)


def payment_at_stripe(
    event: PaymentEvent | None, at: datetime, name: str = "pi_here", received: int = 0, **more: Any
) -> PaymentSnapshot:
    values = {"order_reference": None, "live": False, **more}
    return PaymentSnapshot(name, event, at, Money(400, "usd"), Money(received, "usd"), **values)


def refund_at_stripe(amount: Money, event: RefundEvent, payment: str = "pi_here") -> RefundSnapshot:
    return RefundSnapshot("re_1", payment, amount, event, key=None)


def dispute_at_stripe(amount: Money, event: DisputeEvent, payment: str = "pi_here") -> DisputeSnapshot:
    return DisputeSnapshot("du_1", payment, amount, event)


THREE, FOUR, IN_EUROS = Money(300, "usd"), Money(400, "usd"), Money(300, "eur")


def test_a_refund_is_here_and_there_with_the_same_amount_and_state(compared: Compared) -> None:
    done = refund_at_stripe(THREE, RefundEvent.SUCCEEDED)
    data = {"id": "re_1", "there": "$3.00", "event": "succeeded"}
    others = compared.found(diff.refund, "re_1", refund_at_stripe(THREE, RefundEvent.SUCCEEDED, "pi_elsewhere"))

    missing = compared.found(diff.refund, "re_1", done)
    row = {"payment_id": compared.payment_id, "amount_minor": 300, "requested_at": compared.at}
    compared.add(Refund, provider_refund_id="re_1", state=RefundState.SUCCEEDED, **row)
    compared.add(Refund, provider_refund_id="re_2", state=RefundState.FAILED, **row)

    here = {"here": "$3.00", "state": "succeeded"}
    assert others == []
    assert missing == [Finding(compared.subject, "refund_not_here", data)]
    assert compared.found(diff.refund, "re_1", done) == []
    assert compared.found(diff.refund, "re_1", None) == [
        Finding(compared.subject, "refund_not_there", {"id": "re_1", **here})
    ]
    for amount, event, code in (
        (FOUR, RefundEvent.PENDING, "refund_amount_differs"),
        (IN_EUROS, RefundEvent.SUCCEEDED, "refund_amount_differs"),
        (THREE, RefundEvent.PENDING, "refund_state_differs"),
    ):
        data = {"id": "re_1", "there": amount.text(), "event": event.value, **here}
        differs = compared.found(diff.refund, "re_1", refund_at_stripe(amount, event))
        assert differs == [Finding(compared.subject, code, data)]


def test_a_dispute_is_here_and_there_with_the_same_amount_and_state(compared: Compared) -> None:
    lost = dispute_at_stripe(FOUR, DisputeEvent.LOST)
    data = {"id": "du_1", "there": "$4.00", "event": "lost"}
    others = compared.found(diff.dispute, "du_1", dispute_at_stripe(FOUR, DisputeEvent.LOST, "pi_elsewhere"))

    missing = compared.found(diff.dispute, "du_1", lost)
    row = {"payment_id": compared.payment_id, "amount_minor": 400, "opened_at": compared.at}
    compared.add(Dispute, provider_dispute_id="du_1", state=DisputeState.LOST, **row)
    compared.add(Dispute, provider_dispute_id="du_2", state=DisputeState.WON, **row)

    here = {"here": "$4.00", "state": "lost"}
    assert others == []
    assert missing == [Finding(compared.subject, "dispute_not_here", data)]
    assert compared.found(diff.dispute, "du_1", lost) == []
    assert compared.found(diff.dispute, "du_1", None) == [
        Finding(compared.subject, "dispute_not_there", {"id": "du_1", **here})
    ]
    for amount, event, code in (
        (THREE, DisputeEvent.WON, "dispute_amount_differs"),
        (FOUR, DisputeEvent.WON, "dispute_state_differs"),
    ):
        data = {"id": "du_1", "there": amount.text(), "event": event.value, **here}
        differs = compared.found(diff.dispute, "du_1", dispute_at_stripe(amount, event))
        assert differs == [Finding(compared.subject, code, data)]


def test_a_payment_that_waits_agrees_with_whatever_is_not_decided(compared: Compared) -> None:
    events = list(PaymentEvent)

    found = {event: compared.payment(event, received=400) for event in events}

    subject = compared.subject
    differs = {
        PaymentEvent.PAID: [Finding(subject, "paid_only_there")],
        PaymentEvent.AUTHORISED: [Finding(subject, "authorised_only_there")],
        PaymentEvent.CANCELLED: [Finding(subject, "cancelled_only_there")],
    }
    assert found == {event: differs.get(event, []) for event in events}
    assert compared.payment(None) == []
    assert compared.found(diff.payment, "pi_here", None) == [
        Finding(subject, "payment_not_there", {"payment": "pi_here"})
    ]


def test_a_payment_of_an_order_that_is_gone_can_be_paid_no_more(compared: Compared) -> None:
    compared.change(EXPIRED, {})
    expired = {event: compared.payment(event) for event in (PaymentEvent.DECLINED, PaymentEvent.AUTHORISED, None)}
    rest = [compared.payment(event) for event in (PaymentEvent.CANCELLED, PaymentEvent.PROCESSING)]
    on_a_page = compared.payment(PaymentEvent.DECLINED, payment_number=compared.payment_id)
    compared.change(CANCELLED, {})
    cancelled = compared.payment(PaymentEvent.STILL_OPEN)

    payable = Finding(compared.subject, "still_payable", {"state": "expired"})
    assert expired == {event: [payable] for event in expired}
    assert (rest, on_a_page) == ([[], []], [])
    assert cancelled == [Finding(compared.subject, "still_payable", {"state": "cancelled"})]


def test_a_payment_that_the_order_does_not_count_on_can_be_paid_no_more(compared: Compared) -> None:
    compared.change({}, {"live": False})
    compared.add(Payment, order_id=compared.order.id, amount_minor=400)

    found = {event: compared.payment(event) for event in (PaymentEvent.DECLINED, PaymentEvent.AUTHORISED)}

    payable = Finding(compared.subject, "still_payable", {"state": "awaiting_payment"})
    assert found == {event: [payable] for event in found}
    assert [compared.payment(event) for event in (PaymentEvent.CANCELLED, PaymentEvent.PROCESSING)] == [[], []]


@pytest.mark.parametrize("state", [PaymentState.PAID, PaymentState.REFUNDED])
def test_a_payment_that_was_received_is_paid_there_too(compared: Compared, state: PaymentState) -> None:
    compared.change(PAID, {"state": state, "received_minor": 400})

    whole = compared.payment(PaymentEvent.PAID, received=400)
    less = compared.payment(PaymentEvent.PAID, received=399)
    unpaid = [compared.payment(event) for event in (PaymentEvent.CANCELLED, PaymentEvent.AUTHORISED, None)]
    compared.change({}, {"capture_minor": 300})

    assert (whole, unpaid) == ([], [[Finding(compared.subject, "paid_only_here")]] * 3)
    assert less == [Finding(compared.subject, "received_differs", {"there": "$3.99"})]
    assert compared.payment(PaymentEvent.PAID, received=300) == []
    assert compared.payment(PaymentEvent.PAID, received=400) == [
        Finding(compared.subject, "received_differs", {"there": "$4.00"})
    ]


def test_an_authorised_payment_is_authorised_on_both_sides(compared: Compared) -> None:
    compared.change({"authorised_at": compared.at}, {"state": PaymentState.AUTHORISED})
    here = compared.payment(PaymentEvent.AUTHORISED)
    compared.change(PAID, {"state": PaymentState.OPEN})

    assert here == []
    assert compared.payment(PaymentEvent.AUTHORISED) == []  # of an order that waits no more


def test_a_payment_is_known_by_the_order_that_it_names(compared: Compared) -> None:
    reference, subject = compared.order.reference, compared.subject
    second = {
        event: compared.payment(event, "pi_new", received=400, order_reference=reference)
        for event in (PaymentEvent.PAID, PaymentEvent.DECLINED, PaymentEvent.CANCELLED)
    }
    compared.change({}, {"provider_payment_id": None})
    first = compared.payment(PaymentEvent.PAID, "pi_new", received=400, order_reference=reference)
    compared.change({}, {"kind": PaymentKind.HOSTED})
    of_a_page = compared.payment(PaymentEvent.PAID, "pi_new", received=400, order_reference=reference)

    assert second == {
        PaymentEvent.PAID: [Finding(subject, "paid_twice", {"payment": "pi_new"})],
        PaymentEvent.DECLINED: [Finding(subject, "second_payment_open", {"payment": "pi_new"})],
        PaymentEvent.CANCELLED: [],
    }
    assert first == [Finding(subject, "paid_only_there")]
    assert of_a_page == [Finding(subject, "paid_twice", {"payment": "pi_new"})]


def test_money_for_an_order_that_is_not_here_is_found(compared: Compared) -> None:
    lost = compared.payment(PaymentEvent.PAID, "pi_new", received=400, order_reference="LOST")
    unpaid = compared.payment(PaymentEvent.DECLINED, "pi_new", order_reference="LOST")
    unnamed = compared.payment(PaymentEvent.PAID, "pi_new", received=400)
    numbers = (compared.payment_id, compared.shop.read(compared.other.reference).payment.id)
    numbered = [
        compared.payment(
            PaymentEvent.PAID, "pi_new", received=400, order_reference=compared.order.reference, payment_number=number
        )
        for number in numbers
    ]

    there = {"there": "$4.00", "reference": "LOST"}
    assert lost == [Finding("payment pi_new", "order_not_here", there)]
    assert (unpaid, unnamed) == ([], [])
    assert numbered == [
        [Finding(compared.subject, "paid_only_there")],
        [Finding("payment pi_new", "order_not_here", {**there, "reference": compared.order.reference})],
    ]


def test_a_page_is_open_while_its_order_waits_for_it(compared: Compared) -> None:
    compared.change({}, {"kind": PaymentKind.HOSTED, "provider_page_id": "cs_here"})
    ended = Finding(compared.subject, "cancelled_only_there")

    assert compared.page(is_open=True) == []
    assert compared.page(is_open=False) == [ended]
    assert compared.page(is_open=False, payment=payment_at_stripe(PaymentEvent.DECLINED, compared.at)) == []
    assert compared.found(diff.hosted_page, "cs_here", None) == [
        Finding(compared.subject, "payment_not_there", {"payment": "cs_here"})
    ]
    compared.change({}, {"state": PaymentState.PROCESSING})
    assert compared.page(is_open=False) == []


def test_a_page_that_nobody_may_pay_on_is_found(compared: Compared) -> None:
    second = [Finding(compared.subject, "second_payment_open", {"payment": "cs_here"})]
    compared.change({}, {"kind": PaymentKind.HOSTED})
    unknown = compared.page(is_open=True), compared.page(is_open=False)
    compared.change({}, {"provider_page_id": "cs_other"})
    beside = compared.page(is_open=True), compared.page(is_open=False)
    compared.change({}, {"provider_page_id": "cs_here", "live": False})
    compared.add(Payment, order_id=compared.order.id, amount_minor=400)
    replaced = compared.page(is_open=True), compared.page(is_open=False)
    compared.change(EXPIRED, {})
    gone = compared.page(is_open=True), compared.page(is_open=False)

    assert unknown == ([], [])
    assert (beside, replaced) == ((second, []), (second, []))
    assert gone == ([Finding(compared.subject, "still_payable", {"state": "expired"})], [])
