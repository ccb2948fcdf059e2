"""What reconciliation does about what Stripe lists: what it ends there, what it records here, and what it leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert, update

from models import HistoryEntry, Order, Payment
from store.domain.money import Money
from store.domain.states import (
    DisputeEvent,
    OrderState,
    PaymentEvent,
    PaymentKind,
    PaymentState,
    RefundEvent,
    ReservationState,
)
from store.gateway.port import (
    CancelReason,
    DisputeSnapshot,
    HostedPageSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
)
from store.services.findings import Finding
from store.services.reconciliation import Report, compare, repair
from tests.support.shop import Shop

HOUR = timedelta(hours=1)
GONE = {OrderState.EXPIRED: "expired", OrderState.CANCELLED: "by_shopper"}


@dataclass
class Stripe:
    """A Stripe that has these things, and notes what it is asked to end."""

    account: str
    payments: list[PaymentSnapshot] = field(default_factory=list)
    pages: list[HostedPageSnapshot] = field(default_factory=list)
    refunds: list[RefundSnapshot] = field(default_factory=list)
    disputes: list[DisputeSnapshot] = field(default_factory=list)
    since: set[datetime] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    ended: list[tuple[str, CancelReason | None]] = field(default_factory=list)

    def account_id(self) -> str:
        return self.account

    known_account_id = account_id

    def list_payments(self, since: datetime) -> Iterator[PaymentSnapshot]:
        self.since.add(since)
        return iter(self.payments)

    def list_open_pages(self, since: datetime) -> Iterator[HostedPageSnapshot]:
        self.since.add(since)
        return iter(self.pages)

    def list_refunds(self, since: datetime) -> Iterator[RefundSnapshot]:
        self.since.add(since)
        return iter(self.refunds)

    def list_disputes(self, since: datetime) -> Iterator[DisputeSnapshot]:
        self.since.add(since)
        return iter(self.disputes)

    def find_payment(self, name: str) -> PaymentSnapshot | None:
        self.asked.append(name)
        return next((each for each in self.payments if each.provider_payment_id == name), None)

    def find_hosted_page(self, name: str) -> HostedPageSnapshot | None:
        self.asked.append(name)
        return next((each for each in self.pages if each.provider_page_id == name), None)

    def find_refund(self, name: str) -> RefundSnapshot | None:
        self.asked.append(name)
        return next((each for each in self.refunds if each.provider_refund_id == name), None)

    def find_dispute(self, name: str) -> DisputeSnapshot | None:
        self.asked.append(name)
        return next((each for each in self.disputes if each.provider_dispute_id == name), None)

    def cancel_payment(self, name: str, reason: CancelReason) -> PaymentSnapshot:
        self.ended.append((name, reason))
        (before,) = [each for each in self.payments if each.provider_payment_id == name]
        after = replace(before, event=PaymentEvent.CANCELLED, cancelled_because=reason)
        self.payments = [after if each is before else each for each in self.payments]
        return after

    def expire_hosted_page(self, name: str) -> HostedPageSnapshot:
        self.ended.append((name, None))
        (before,) = [each for each in self.pages if each.provider_page_id == name]
        after = replace(before, open=False)
        self.pages = [after if each is before else each for each in self.pages]
        return after


class Case:
    """An order of $4.00 whose payment is `pi_1`, another order beside it, and what Stripe has of them."""

    def __init__(self, shop: Shop) -> None:
        shop.clock.stop()
        self.shop, self.now = shop, shop.clock()
        self.order, self.other = shop.order(), shop.order()
        self.stripe = Stripe(shop.services.gateway.account_id())
        self.services = replace(shop.services, gateway=cast("Any", self.stripe))
        self.change({}, {"provider_payment_id": "pi_1", "state": PaymentState.OPEN})
        self.subject = f"order {self.order.reference}"

    def change(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        with self.shop.services.database.transaction() as session:
            if order:
                session.execute(update(Order).where(Order.id == self.order.id).values(order))
            if payment:
                of_order = update(Payment).where(Payment.order_id == self.order.id, Payment.live)
                session.execute(of_order.values(payment))

    def replace_payment(self) -> None:
        self.change({}, {"live": False})
        with self.shop.services.database.transaction() as session:
            session.execute(insert(Payment).values(order_id=self.order.id, amount_minor=400))

    def snapshot(self, event: PaymentEvent | None, **more: Any) -> PaymentSnapshot:
        received = Money(400 if event is PaymentEvent.PAID else 0, "usd")
        values = {"provider_payment_id": "pi_1", "order_reference": self.order.reference, "live": False, **more}
        return PaymentSnapshot(event=event, observed_at=self.now, amount=Money(400, "usd"), received=received, **values)

    def page(self, *, is_open: bool = True) -> HostedPageSnapshot:
        number = self.shop.read(self.order.reference).payment.id
        total, reference = Money(400, "usd"), self.order.reference
        return HostedPageSnapshot("cs_1", is_open, self.now, total, False, reference, number, None)

    def repair(self) -> Report:
        report = repair(self.services, self.now - HOUR, self.now)
        assert self.stripe.since == {self.now - HOUR}
        return report

    def states(self) -> list[OrderState]:
        return [self.shop.read(each.reference).state for each in (self.order, self.other)]


@pytest.fixture
def case(shop: Shop) -> Case:
    return Case(shop)


@pytest.mark.parametrize(
    ("state", "reason"), [(OrderState.EXPIRED, CancelReason.EXPIRED), (OrderState.CANCELLED, CancelReason.REPLACED)]
)
def test_an_open_payment_of_a_closed_order_is_ended(case: Case, state: OrderState, reason: CancelReason) -> None:
    case.change({"state": state, "reservation": ReservationState.RELEASED}, {})
    case.stripe.payments = [case.snapshot(PaymentEvent.DECLINED)]
    with_shop = compare(case.services, case.now - HOUR)

    report = case.repair()

    assert with_shop == [Finding(case.subject, "still_payable", {"state": state.value})]
    assert case.stripe.ended == [("pi_1", reason)]
    assert (report.compared, report.repaired) == (1, [f"{case.subject}: payment.cancelled"])
    assert case.shop.read(case.order.reference).payment.state is PaymentState.CANCELLED


def test_an_open_payment_that_was_replaced_is_ended(case: Case) -> None:
    case.replace_payment()
    case.stripe.payments = [case.snapshot(PaymentEvent.STILL_OPEN)]

    report = case.repair()

    assert case.stripe.ended == [("pi_1", CancelReason.REPLACED)]
    assert report.repaired == [f"{case.subject}: payment.cancelled"]
    assert case.states() == [OrderState.AWAITING_PAYMENT] * 2


def test_a_replaced_payment_of_an_order_that_expired_is_ended_as_replaced(case: Case) -> None:
    case.replace_payment()
    case.change({"state": OrderState.EXPIRED, "reservation": ReservationState.RELEASED}, {})
    case.stripe.payments = [case.snapshot(PaymentEvent.STILL_OPEN)]

    case.repair()

    assert case.stripe.ended == [("pi_1", CancelReason.REPLACED)]


@pytest.mark.parametrize(
    ("event", "on_page"),
    [(PaymentEvent.CANCELLED, False), (PaymentEvent.DECLINED, True), (PaymentEvent.PAID, False)],
)
def test_what_is_paid_cancelled_or_on_a_page_is_not_ended(case: Case, event: PaymentEvent, on_page: bool) -> None:
    number = case.shop.read(case.order.reference).payment.id
    case.replace_payment()
    elsewhere = case.snapshot(PaymentEvent.DECLINED, provider_payment_id="pi_elsewhere", order_reference="LOST")
    case.stripe.payments = [case.snapshot(event, payment_number=number if on_page else None), elsewhere]

    report = case.repair()

    assert (case.stripe.ended, report.compared) == ([], 2)


def test_an_open_payment_of_an_order_that_waits_is_left_open(case: Case) -> None:
    case.stripe.payments = [case.snapshot(PaymentEvent.DECLINED)]

    report = case.repair()

    assert (case.stripe.ended, report.unresolved) == ([], [])
    assert case.states() == [OrderState.AWAITING_PAYMENT] * 2


@pytest.mark.parametrize("state", [*GONE, None])
def test_a_page_that_nobody_may_pay_on_is_ended(case: Case, state: OrderState | None) -> None:
    case.change({}, {"kind": PaymentKind.HOSTED, "provider_page_id": "cs_1", "provider_payment_id": None})
    case.stripe.pages = [case.page()]
    if state is None:
        case.replace_payment()
    else:
        case.change({"state": state, "reservation": ReservationState.RELEASED}, {})

    report = case.repair()

    assert case.stripe.ended == [("cs_1", None)]
    assert (report.compared, report.repaired) == (1, [f"{case.subject}: payment.cancelled"])


def test_a_page_that_an_order_waits_for_is_left_open(case: Case) -> None:
    case.change({}, {"kind": PaymentKind.HOSTED, "provider_page_id": "cs_1", "provider_payment_id": None})
    case.stripe.pages = [case.page(), replace(case.page(), provider_page_id="cs_other", order_reference="LOST")]

    report = case.repair()

    assert (case.stripe.ended, report.compared, report.repaired) == ([], 2, [])
    assert compare(case.services, case.now - HOUR) == []
    assert case.stripe.asked == []
    assert case.states() == [OrderState.AWAITING_PAYMENT] * 2


def test_what_was_missed_is_recorded_and_told_by_order(case: Case) -> None:
    case.stripe.payments = [case.snapshot(PaymentEvent.PAID)]
    case.stripe.refunds = [RefundSnapshot("re_1", "pi_1", Money(100, "usd"), RefundEvent.SUCCEEDED, key=None)]
    case.stripe.disputes = [DisputeSnapshot("du_1", "pi_1", Money(400, "usd"), DisputeEvent.INQUIRY)]
    before = compare(case.services, case.now - HOUR)

    asked = list(case.stripe.asked)
    report, again = case.repair(), case.repair()

    assert [finding.code for finding in before] == ["paid_only_there", "refund_not_here", "dispute_not_here"]
    lines = ("payment.paid", "order.payment_received", "refund.succeeded", "dispute.inquiry")
    assert report.repaired == [f"{case.subject}: {line}" for line in lines]
    assert (report.compared, report.unresolved) == (1, [])
    assert (again.repaired, again.compared, again.unresolved) == ([], 1, [])
    assert compare(case.services, case.now - HOUR) == []
    assert asked == case.stripe.asked == ["pi_1", "re_1", "du_1"]  # once more where something differs, and only there
    sources = {entry.type: entry.source for entry in case.shop.read(case.order.reference).history}
    assert {sources[line] for line in lines} == {"reconciliation"}
    assert case.states() == [OrderState.PAID, OrderState.AWAITING_PAYMENT]


def test_what_differs_all_the_same_is_left_for_a_person(case: Case) -> None:
    case.stripe.payments = [
        case.snapshot(PaymentEvent.PAID),
        case.snapshot(PaymentEvent.PAID, provider_payment_id="pi_lost", order_reference="LOST"),
    ]
    case.stripe.refunds = [RefundSnapshot("re_1", "pi_1", Money(100, "usd"), RefundEvent.SUCCEEDED, key=None)]
    case.repair()
    case.stripe.refunds = [replace(case.stripe.refunds[0], amount=Money(200, "usd"))]

    report = case.repair()

    there = {"there": "$4.00", "reference": "LOST"}
    refund = {"id": "re_1", "there": "$2.00", "event": "succeeded", "here": "$1.00", "state": "succeeded"}
    assert report.unresolved == [
        Finding("payment pi_lost", "order_not_here", there, unrepaired=True),
        Finding(case.subject, "refund_amount_differs", refund, unrepaired=True),
    ]
    assert (report.compared, report.repaired) == (2, [])


def test_what_stripe_does_not_have_any_more_is_found(case: Case) -> None:
    found = compare(case.services, case.now - HOUR)
    report = case.repair()

    missing = Finding(case.subject, "payment_not_there", {"payment": "pi_1"})
    assert found == [missing]
    assert (report.compared, report.unresolved) == (1, [replace(missing, unrepaired=True)])
    assert case.stripe.ended == []


def test_only_orders_whose_history_went_on_are_audited(case: Case) -> None:
    case.stripe.payments = [case.snapshot(PaymentEvent.DECLINED)]
    with case.shop.services.database.transaction() as session:
        session.execute(update(Order).values(disputed=True))
        of_other = HistoryEntry.order_id == case.other.id
        session.execute(update(HistoryEntry).where(of_other).values(at=case.now - HOUR - timedelta(seconds=1)))

    report = case.repair()

    assert report.unresolved == [Finding(case.subject, "dispute_flag_wrong")]
