"""The store's process crashes at every boundary of its work; when the work is repeated, all is as without the crash.

Each work is first done without faults. Then it is done on a new order again and again, with a crash at the first
boundary, at the second, and so on until it completes; after each crash a new process is asked for the same, or the
worker runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import Mail, Order, OrderLine, Product
from store.cli.findings import problem_of
from store.domain.errors import StoreError
from store.domain.money import Money
from store.services import carts, checkout, orders, reconciliation
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from tests.support.crash_points import NO_FAULTS, Crashed, FaultPlan, Process
from tests.support.shop import Shop
from till_sandbox.webhooks.sending import Outgoing

MOST_BOUNDARIES = 40


@dataclass
class Scenario:
    """One shopper and one order, before the work that is interrupted."""

    shop: Shop
    cart_id: str
    began: datetime
    stock_before: int
    reference: str = ""

    @property
    def order(self) -> Order:
        return self.shop.read(self.reference)

    def place(self, quantity: int = 2) -> None:
        self.reference = self.shop.place(self.cart_id, browser_id=self.cart_id).reference

    def pay(self, number: str = "4242424242424242") -> None:
        self.place()
        self.shop.pay(self.order, number)

    def paid(self, number: str = "4242424242424242") -> None:
        self.pay(number)
        self.shop.deliver()

    def refund(self, amount: int | None) -> None:
        money = None if amount is None else Money(amount, "usd")
        origin = Origin(Source.STAFF, self.shop.clock())
        refunds.submit(self.shop.services, self.reference, money, f"{self.reference}-once", origin)


def begin(shop: Shop) -> Scenario:
    shop.clock.forward(minutes=1)
    with shop.services.database.reading() as session:
        stock = session.scalar(select(func.sum(Product.stock))) or 0
    return Scenario(shop, shop.cart(2), shop.clock() - timedelta(seconds=30), stock)


# --- the work, each: what comes before it, the work itself, and how it is asked for again --------------------------


@dataclass(frozen=True)
class Work:
    """`calls`: whether Stripe is asked for anything on the way."""

    name: str
    prepare: Callable[[Scenario], None]
    do: Callable[[Scenario], object]
    again: Callable[[Scenario], object]
    calls: bool = True


def nothing(_scene: Scenario) -> None:
    """The work begins with a cart."""


def place(scenario: Scenario) -> None:
    scenario.place()


def go_to_hosted_page(scenario: Scenario) -> None:
    scenario.shop.open_page(scenario.order)


def on_hosted_page(scenario: Scenario) -> None:
    opened(scenario)
    go_to_hosted_page(scenario)


def overdue_on_hosted_page(scenario: Scenario) -> None:
    on_hosted_page(scenario)
    scenario.shop.deliver()
    scenario.shop.clock.forward(minutes=31)


def place_changed(scenario: Scenario) -> None:
    scenario.place()


def opened_then_changed(scenario: Scenario) -> None:
    scenario.place()
    scenario.shop.open(scenario.order)
    with scenario.shop.services.database.transaction() as session:
        carts.change(session, scenario.cart_id, "cedar-pencil", 1, scenario.shop.clock())


def opened(scenario: Scenario) -> None:
    scenario.place()
    scenario.shop.open(scenario.order)


def overdue(scenario: Scenario) -> None:
    opened(scenario)
    scenario.shop.deliver()
    scenario.shop.clock.forward(minutes=31)


def overdue_but_paid(scenario: Scenario) -> None:
    scenario.pay()
    scenario.shop.lose()
    scenario.shop.clock.forward(minutes=31)


def declined_too_often(scenario: Scenario) -> None:
    scenario.place()
    page = scenario.shop.open(scenario.order)
    for _ in range(scenario.shop.services.settings.max_declines):
        scenario.shop.confirm(page, "4000000000000002")
        scenario.shop.deliver()


def paid_late(scenario: Scenario) -> None:
    """The order was expired by hand, its stock was sold to others, and then the payment succeeded."""
    shop = scenario.shop
    scenario.pay()
    shop.close_by_hand(scenario.reference)
    with shop.services.database.transaction() as session:
        stock = session.scalar(select(Product.stock).where(Product.slug == "cedar-pencil")) or 0
        session.query(Product).where(Product.slug == "cedar-pencil").update({"stock": 0})
    shop.deliver()
    shop.set_stock("cedar-pencil", stock)


def open_page(scenario: Scenario) -> None:
    scenario.shop.open(scenario.order)


def pay_after_opening(scenario: Scenario) -> None:
    scenario.shop.pay(scenario.order)


def run_worker(scenario: Scenario) -> None:
    worker.run(scenario.shop.services, scenario.shop.clock())


def run_worker_later(scenario: Scenario) -> None:
    scenario.shop.clock.forward(minutes=2)
    run_worker(scenario)


def deliver_webhooks(scenario: Scenario) -> None:
    """A store that crashes during a webhook acknowledges nothing, so Stripe sends it again."""

    def receive(delivery: Outgoing) -> int:
        try:
            return scenario.shop.receive(delivery)
        except Crashed:
            return 503

    scenario.shop.send_to(receive)


def redeliver_webhooks(scenario: Scenario) -> None:
    scenario.shop.clock.forward(minutes=2)
    deliver_webhooks(scenario)


def look_up(scenario: Scenario) -> None:
    scenario.shop.look_up(scenario.reference)
    scenario.shop.clock.forward(seconds=6)
    scenario.shop.look_up(scenario.reference)


def cancel(scenario: Scenario) -> None:
    checkout.cancel(scenario.shop.services, scenario.reference, scenario.shop.clock())


def refund_all(scenario: Scenario) -> None:
    scenario.refund(None)


def refund_a_part(scenario: Scenario) -> None:
    scenario.refund(100)


def refund_a_part_again(scenario: Scenario) -> None:
    run_worker_later(scenario)
    scenario.refund(100)


def dispute_changed(scenario: Scenario) -> None:
    scenario.shop.clock.forward(seconds=5)
    deliver_webhooks(scenario)


def refunded_in_the_dashboard(scenario: Scenario) -> None:
    scenario.paid()
    scenario.shop.stripe("POST", "/v1/refunds", {"payment_intent": scenario.order.payment.provider_payment_id or ""})


def refund_fails_later(scenario: Scenario) -> None:
    scenario.paid("4000000000005126")
    scenario.refund(None)
    scenario.shop.deliver()
    scenario.shop.clock.forward(minutes=5)


def paid_without_webhook(scenario: Scenario) -> None:
    scenario.pay()
    scenario.shop.lose()


def authorised(scenario: Scenario) -> None:
    """With the setting by which a card is charged when its order is shipped."""
    scenario.shop.charge_when_shipped()
    scenario.paid()


def ship(scenario: Scenario) -> None:
    origin = Origin(Source.STAFF, scenario.shop.clock())
    orders.fulfil(scenario.shop.services, scenario.reference, None, origin, capture=Money(300, "usd"))


def reconcile_all(scenario: Scenario) -> None:
    reconciliation.repair(scenario.shop.services, scenario.began, scenario.shop.clock())


WORK = (
    Work("placing an order", nothing, place, place, calls=False),
    Work("placing a changed order", opened_then_changed, place_changed, place_changed),
    Work("opening a payment", place, open_page, open_page),
    Work("opening a payment once more", opened, open_page, open_page),
    Work("going to the hosted page", opened, go_to_hosted_page, go_to_hosted_page),
    Work("coming back from the hosted page", on_hosted_page, open_page, open_page),
    Work("expiring an order on its hosted page", overdue_on_hosted_page, run_worker, run_worker_later),
    Work("recording a payment that a webhook reports", Scenario.pay, deliver_webhooks, redeliver_webhooks, calls=False),
    Work("looking a payment up", paid_without_webhook, look_up, look_up),
    Work("reconciling a payment that no webhook reported", paid_without_webhook, reconcile_all, reconcile_all),
    Work("cancelling for the shopper", opened, cancel, cancel),
    Work("expiring", overdue, run_worker, run_worker_later),
    Work("expiring an order that turns out to be paid", overdue_but_paid, run_worker, run_worker_later),
    Work("opening a payment of an overdue order", overdue, open_page, open_page),
    Work("closing after too many declines", declined_too_often, run_worker, run_worker_later),
    Work("refunding everything", Scenario.paid, refund_all, refund_all),
    Work("refunding a part", Scenario.paid, refund_a_part, refund_a_part_again),
    Work("refunding a late payment", paid_late, run_worker, run_worker_later),
    Work(
        "recording a refund refunds_made in the dashboard",
        refunded_in_the_dashboard,
        deliver_webhooks,
        redeliver_webhooks,
        calls=False,
    ),
    Work("recording a refund that failed", refund_fails_later, deliver_webhooks, redeliver_webhooks, calls=False),
    Work(
        "recording a dispute",
        lambda scenario: scenario.paid("4000000000000259"),
        dispute_changed,
        redeliver_webhooks,
        calls=False,
    ),
    Work("capturing the money and shipping", authorised, ship, ship),
    Work("releasing an authorisation", authorised, cancel, cancel, calls=False),
    Work("sending mail", Scenario.paid, run_worker, run_worker_later, calls=False),
)


BROKEN_CALLS = (
    FaultPlan(breaks_before=1),
    FaultPlan(breaks_after=1),
    FaultPlan(breaks_after=2),
    FaultPlan(stripe_fails="after"),
)


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_a_crash_at_any_boundary_changes_nothing_in_the_end(shop: Shop, work: Work) -> None:
    crash_at_every_boundary(shop, work)


@pytest.mark.on_postgresql  # where it has statements of its own
def test_a_crash_beside_an_ordinary_payment_changes_nothing_in_the_end(shop: Shop) -> None:
    (work,) = [work for work in WORK if work.do is deliver_webhooks and work.prepare is Scenario.pay]

    crash_at_every_boundary(shop, work)


def crash_at_every_boundary(shop: Shop, work: Work) -> None:
    process = Process(shop)
    expected = result_of(shop, process, work, NO_FAULTS)

    for boundary in range(1, MOST_BOUNDARIES):
        crashes = process.crashes
        outcome = result_of(shop, process, work, FaultPlan(crashes_at=boundary))
        if process.crashes == crashes:
            break
        assert outcome == expected, f"after a crash at boundary {boundary}"
    else:
        pytest.fail("it never completed")
    assert boundary > 1, "there was nothing to interrupt"


@pytest.mark.parametrize("work", [work for work in WORK if work.calls], ids=lambda work: work.name)
def test_a_connection_that_breaks_at_any_call_changes_nothing_in_the_end(shop: Shop, work: Work) -> None:
    process = Process(shop)
    expected = result_of(shop, process, work, NO_FAULTS)

    for plan in BROKEN_CALLS:
        assert result_of(shop, process, work, plan) == expected, plan


def result_of(shop: Shop, process: Process, work: Work, plan: FaultPlan) -> dict[str, object]:
    """The result of an order whose work had these faults and was repeated."""
    scenario = begin(shop)
    work.prepare(scenario)
    for attempt, step in ((plan, work.do), (NO_FAULTS, work.again)):
        try:
            with process.under(attempt):
                step(scenario)
        except (Crashed, StoreError):
            continue
    finish_pending_work(scenario)
    return result(scenario)


def finish_pending_work(scenario: Scenario) -> None:
    """What happens in the next minutes anyway: webhooks arrive, the worker runs."""
    for _ in range(2):
        scenario.shop.deliver()
        run_worker_later(scenario)
    scenario.shop.deliver()


def result(scenario: Scenario) -> dict[str, object]:
    """Everything that must not depend on a crash: of the cart's orders, their money and their emails."""
    shop = scenario.shop
    with shop.services.database.reading() as session:
        orders = session.scalars(select(Order).where(Order.cart_id == scenario.cart_id).order_by(Order.id)).all()
        emails = session.execute(
            select(Mail.kind, Mail.sent_at.is_not(None))
            .join(Order, Order.id == Mail.order_id)
            .where(Order.cart_id == scenario.cart_id)
            .order_by(Mail.kind)
        ).all()
        lines = session.scalars(
            select(OrderLine.quantity)
            .join(Order, Order.id == OrderLine.order_id)
            .where(Order.cart_id == scenario.cart_id)
            .order_by(Order.id)
        ).all()
        stock = session.scalar(select(func.sum(Product.stock))) or 0
        findings = [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]
    references = [order.reference for order in orders]
    histories = [sorted(shop.history(reference)) for reference in references]
    intents = [
        intent
        for intent in shop.stripe("GET", "/v1/payment_intents", {"limit": "100"})["data"]
        if intent["metadata"].get("order_reference") in references
    ]
    refunds_made = [
        (refund["amount"], refund["status"])
        for intent in intents
        for refund in shop.stripe("GET", "/v1/refunds", {"payment_intent": intent["id"]})["data"]
    ]
    return {
        "orders": [(order.state, order.reservation, order.disputed, order.needs_review) for order in orders],
        "payments": [
            (order.payment.state, order.payment.received_minor, order.payment.refunded_minor)
            for order in map(shop.read, references)
        ],
        "pieces": list(lines),
        "stock": stock - scenario.stock_before,
        "history": histories,
        "emails": [tuple(email) for email in emails],
        "at stripe": sorted((intent["status"], intent["amount_received"]) for intent in intents),
        "refunds": sorted(refunds_made),
        "disagreements": [
            finding.replace(reference, "this")
            for reference in references
            for finding in findings
            if finding.startswith((f"order {reference}", "product"))
        ],
    }
