"""The simulation of a random history: a shop whose process can crash, the webhooks, the mail, and what was observed.

A history is a Simulation with rules. After each rule every promise is checked; at the end the webhooks arrive, worker
and reconciliation run until there is nothing to do, and then nothing may disagree.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hypothesis.stateful import RuleBasedStateMachine, invariant

from models import CouponRow, Order
from store.cli.findings import problem_of
from store.domain.coupons import PERCENT, CouponKind
from store.domain.errors import MailUnavailable, StoreError
from store.domain.money import Money
from store.domain.states import OrderState, RefundState
from store.gateway.port import Email, PaymentSession
from store.services import reconciliation
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from store.services.payments.refunds import Choice
from store.webhooks import inbox
from tests.proof import snapshot
from tests.proof.promises import CLOSED_ORDERS, PROMISES, RETURNING, Memory
from tests.support.crash_points import NO_FAULTS, Crashed, FaultPlan, Process
from tests.support.databases import Databases
from tests.support.shop import Clock, Shop, event_of, open_shop
from till_sandbox.webhooks.sending import Outgoing

T = TypeVar("T")

# Two products, both with too little stock.
STOCK = {"cedar-pencil": 6, "brass-pen": 4}

# Two coupons with too few uses: one for a half, and one for all, with which an order costs nothing.
COUPONS = (("HALF", 50, 2), ("ALL", 100, 2))

# The events that the store handles. Stripe reports refunds by another event as well, which it need not know.
HANDLED = ("payment_intent.", "checkout.session.", "refund.", "charge.dispute.")


class StandingClock(Clock):
    """Time that only passes when a history says so, so that a history can be repeated."""

    def __init__(self) -> None:
        super().__init__()
        self._start = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self._start + self.offset


@dataclass
class RecordingMailer:
    """What was sent, by Message-ID; `away` while the mail server is down."""

    sent: Counter[str] = field(default_factory=Counter)
    away: bool = False

    def check(self) -> None:
        """It is always reachable."""

    def send(self, email: Email) -> None:
        if self.away:
            raise MailUnavailable
        self.sent[email.message_id] += 1


class Simulation(RuleBasedStateMachine):
    """`pending` are the webhooks that Stripe has sent and the store has not received, `received` those that it has.
    `capture` is when cards are charged, and `longest` how long what is left over can wait in the end.
    """

    capture = "on_payment"
    longest = timedelta()

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108  # a folder of our own in it; a disk would be most of the time
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.databases, self.database = databases, databases.create("sqlite")
        self.emails = RecordingMailer()
        self.shop: Shop = open_shop(
            self.database, self.folder, mailer=self.emails, clock=StandingClock(), capture=self.capture
        )
        self.started = self.shop.clock()
        for slug, pieces in STOCK.items():
            self.shop.set_stock(slug, pieces)
        with self.shop.services.database.transaction() as session:
            for code, percent, uses in COUPONS:
                session.add(
                    CouponRow(
                        code=code, kind=CouponKind.PERCENT, thousandths=percent * PERCENT, currency="usd", max_uses=uses
                    )
                )
        self.now = snapshot.take(self.shop)
        self.memory = Memory({product.slug: product.stock for product in self.now.products})
        self.process = Process(self.shop)
        self.carts: list[str] = []
        self.pages: list[PaymentSession] = []
        self.hosted_pages: list[str] = []
        self.challenges: list[Mapping[str, Any]] = []
        self.pending: list[Outgoing] = []
        self.received: list[Outgoing] = []
        self.requested_refunds: list[tuple[str, int | None, str]] = []

    # --- what holds after each step, and in the end -----------------------------------------------------------------

    @invariant()
    def every_promise_is_kept(self) -> None:
        self._collect_webhooks()
        self.now = snapshot.take(self.shop)
        for promise in PROMISES:
            promise(self.now, self.memory)

    def teardown(self) -> None:
        try:
            self._finish_pending_work()
            self.every_promise_is_kept()
            self._nothing_disagrees()
            self._every_email_was_sent()
        finally:
            self.shop.close()
            self.databases.drop(self.database)
            shutil.rmtree(self.folder)

    def _finish_pending_work(self) -> None:
        """Nobody does anything any more; pending webhooks arrive, and due work is done."""
        self.emails.away = False
        for _ in range(2):  # a slow payment that is authorised only by then is held as long again
            self._collect_webhooks()
            self.shop.clock.forward(seconds=self.longest.total_seconds())
        for _ in range(6):
            self._collect_webhooks()
            while self.pending:
                self._deliver(0, NO_FAULTS)
            self._replay()
            worker.run(self.shop.services, self.shop.clock())
            self._reconcile()
            self.shop.clock.forward(minutes=65)
        assert self._reconcile().repaired == [], "reconciliation finds something new each time"

    def _nothing_disagrees(self) -> None:
        with self.shop.services.database.reading() as session:
            findings = audit.run(session, self.shop.clock())
        disagreements = [finding for finding in findings if finding.code != "in_review"]
        disagreements += reconciliation.compare(self.shop.services, self.started - timedelta(hours=1))
        assert [str(problem_of(finding)) for finding in disagreements] == []
        end = self.now
        assert not any(order.state is OrderState.AWAITING_PAYMENT for order in end.orders)
        assert not any(intent["status"] == "requires_capture" for intent in end.intents.values())
        rows = {row.provider_refund_id: row for rows in end.refunds.values() for row in rows}
        assert not any(row.state is RefundState.REQUESTED for row in rows.values())
        assert {refund["id"]: refund["status"] for refund in end.refunds_at_stripe} == {
            name: row.state for name, row in rows.items() if name is not None
        }
        assert {dispute["id"] for dispute in end.disputes_at_stripe} == set(end.disputes)
        for order in end.orders:
            for payment in order.payments:
                back = sum(row.amount_minor for row in end.refunds.get(payment.id, []) if row.state in RETURNING)
                assert back <= payment.received_minor, "more money went back than came in"
                if not payment.live and payment.state == "paid":
                    assert order.needs_review, f"a second payment of order {order.reference} was kept"
            if order.state in CLOSED_ORDERS and order.payment.state == "paid":
                assert order.needs_review, f"the money of order {order.reference} was kept without an order"

    def _every_email_was_sent(self) -> None:
        emails = [email for email in self.now.emails if email.dropped_because is None]  # others were not true any more
        assert set(self.emails.sent) == {email.message_id for email in emails}
        again = sum(self.emails.sent.values()) - len(emails)
        assert again <= self.process.crashes, "an email was sent twice, and not because of a crash"

    # --- how things are done ----------------------------------------------------------------------------------------

    def _do(self, plan: FaultPlan, work: Callable[[], T]) -> T | None:
        """What the work returns, or None when the store refuses, Stripe is unreachable, or the process crashes."""
        self.shop.clock.forward(seconds=1)
        try:
            with self.process.under(plan):
                return work()
        except (StoreError, Crashed):
            return None

    def _see(self, page: PaymentSession) -> None:
        """A browser has the payment page, and with it the secret to pay."""
        self.pages.append(page)
        self.memory.shown.add(page.snapshot.provider_payment_id)

    def _see_hosted(self, address: str) -> None:
        """A browser is on the hosted page: whoever has its address can pay."""
        self.hosted_pages.append(urlsplit(address).path.rpartition("/")[2])
        self.memory.shown.add(self.hosted_pages[-1])

    def _refund(self, asked: tuple[str, int | None, str], plan: FaultPlan) -> None:
        reference, part, key = asked
        amount = Money(part, "usd") if part is not None else None
        self._do(plan, lambda: refunds.submit(self.shop.services, reference, amount, key, self._origin(Source.STAFF)))

    def _request(self, reference: str, choice: Choice) -> str | None:
        """The key of a refund of some pieces; None where nothing was charged for them."""
        origin = self._origin(Source.STAFF)
        if refunds.withdraw(self.shop.services, reference, choice, origin):
            return None
        return refunds.request(self.shop.services, reference, choice, origin, another=True)

    def _collect_webhooks(self) -> None:
        """Keep what Stripe sends as pending; a declined attempt has an event of its own."""
        sent = self.shop.lose()
        for event in map(event_of, sent):
            if event["type"] == "payment_intent.payment_failed":
                self.memory.declined[event["data"]["object"]["id"]].add(event["id"])
        self.pending += sent

    def _deliver(self, position: int, plan: FaultPlan) -> None:
        """A webhook reaches the store; one that is not acknowledged is pending again."""
        delivery = self.pending.pop(position)
        try:
            with self.process.under(plan):
                acknowledged = self.shop.receive(delivery) == 200
        except Crashed:
            acknowledged = False
        if not acknowledged:
            assert plan is not NO_FAULTS, "a webhook without a fault was not acknowledged"
            self.pending.append(delivery)
            return
        self.received.append(delivery)
        event = event_of(delivery)
        if event["type"].startswith(HANDLED):
            reported = event["data"]["object"]
            self.memory.reported.add((reported["id"], reported["status"]))
            if reported.get("payment_status") == "paid":
                self.memory.reported.add((reported["payment_intent"], "succeeded"))

    def _replay(self) -> None:
        """The merchant has events handled again that failed, and that Stripe has given up."""
        with self.shop.services.database.reading() as session:
            failed = [event.id for event in inbox.unhandled(session)]
        for event_id in failed:
            inbox.replay(self.shop.services, event_id, self.shop.clock())

    def _reconcile(self) -> reconciliation.Report:
        return reconciliation.repair(self.shop.services, self.started - timedelta(hours=1), self.shop.clock())

    def _origin(self, source: Source) -> Origin:
        return Origin(source, self.shop.clock())

    def _orders(self, *states: OrderState) -> list[Order]:
        return [order for order in self.now.orders if not states or order.state in states]

    def _waits_overdue(self, order: Order) -> bool:
        waits = order.state is OrderState.AWAITING_PAYMENT and order.payment.is_opened
        return waits and order.expires_at <= self.shop.clock()

    def _payable_again(self) -> list[Order]:
        """The orders of which Stripe has at most one payment."""
        return [order for order in self.now.orders if len(self.now.intents_of.get(order.reference, [])) < 2]

    def _succeeded(self) -> list[str]:
        return [i["id"] for i in self.now.intents.values() if i["status"] == "succeeded"]

    def _unseen(self) -> list[str]:
        of_pages = {page["payment_intent"] for page in self.now.pages.values()}
        open_ones = [i["id"] for i in self.now.intents.values() if i["status"] == "requires_payment_method"]
        return [name for name in open_ones if name not in self.memory.shown | of_pages]

    def _open_disputes(self) -> list[str]:
        ended = ("won", "lost", "warning_closed")
        return [d["id"] for d in self.now.disputes_at_stripe if d["status"] not in ended]
