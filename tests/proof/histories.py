"""Random histories of a shop: what shoppers, the merchant, banks, Stripe, the post and bad luck may do, in any order.

A rule is one thing that happens. Work of the store may meet a fate: its process dies at some boundary, or the line to
Stripe breaks; then everything goes on. After each rule every promise is checked; at the end of a history the post
arrives, upkeep and reconciliation run until nothing is left to do, and then nothing may disagree.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models import Order
from sandbox.webhooks.sending import Outgoing
from store.domain.errors import MailUnavailable, OutOfStock, StoreError
from store.domain.money import Money
from store.domain.states import OrderEvent, OrderState, RefundState
from store.gateway.port import Letter, OpenedPayment
from store.services import audit, carts, checkout, ledger, payments, reconcile, refunds, stock, upkeep
from store.services.ledger import Teller, Told
from tests.proof import picture
from tests.proof.promises import GONE_ORDERS, PROMISES, Memory
from tests.support.databases import Databases
from tests.support.mortal import UNHARMED, Died, Fate, Life
from tests.support.shop import RECIPIENT, Clock, Shop, event_of, open_shop

T = TypeVar("T")

# Two things to buy, neither of which there is enough of.
STOCK = {"cedar-pencil": 6, "brass-pen": 4}

CARDS = {
    "pays": "4242424242424242",
    "is declined": "4000000000000002",
    "has too little money": "4000000000009995",
    "asks who is paying": "4000002760003184",
    "asks, then is declined": "4000008400001629",
    "fails to be refunded": "4000000000005126",
    "is refunded slowly": "4000000000007726",
    "is disputed": "4000000000000259",
    "is inquired about": "4000000000001976",
}

# A quarter of the store's work meets a fate.
fates = st.one_of(
    st.just(UNHARMED),
    st.just(UNHARMED),
    st.just(UNHARMED),
    st.one_of(
        st.integers(1, 8).map(lambda boundary: Fate(dies_at=boundary)),
        st.integers(1, 3).map(lambda call: Fate(breaks_before=call)),
        st.integers(1, 3).map(lambda call: Fate(breaks_after=call)),
    ),
)
which = st.integers(0, 5)  # of several things, counted from the newest
slugs = st.sampled_from(sorted(STOCK))
cards = st.sampled_from(sorted(CARDS))
# Mostly moments; now and then the end of a hold, and seldom longer than Stripe remembers an idempotency key.
durations = st.sampled_from([1, 5, 5, 10, 61, 61, 6 * 60, 6 * 60, 31 * 60, 31 * 60, 25 * 60 * 60])
MOST_CARTS = 6
# What the store lives on. Stripe tells of refunds by another event as well, which it need not know.
LISTENED_TO = ("payment_intent.", "refund.", "charge.dispute.")


class StandingClock(Clock):
    """Time that only goes on when a history says so, so that a history can be lived again."""

    def __init__(self) -> None:
        super().__init__()
        self._start = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self._start + self.offset


@dataclass
class Bag:
    """The postman's: what was sent, by Message-ID; `away` while the mail server is not there."""

    sent: Counter[str] = field(default_factory=Counter)
    away: bool = False

    def send(self, letter: Letter) -> None:
        if self.away:
            raise MailUnavailable
        self.sent[letter.message_id] += 1


class Histories(RuleBasedStateMachine):
    """One history. `post` is what Stripe has sent and nobody has received yet, `told` what was received before."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108  # a folder of our own in it; a disk would be most of the time
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.databases, self.database = databases, databases.create("sqlite")
        self.letters = Bag()
        self.shop: Shop = open_shop(self.database, self.folder, postman=self.letters, clock=StandingClock())
        self.started = self.shop.clock()
        for slug, pieces in STOCK.items():
            self.shop.set_stock(slug, pieces)
        self.now = picture.take(self.shop)
        self.memory = Memory({product.slug: product.stock for product in self.now.products})
        self.life = Life(self.shop)
        self.carts: list[str] = []
        self.pages: list[OpenedPayment] = []
        self.challenges: list[Mapping[str, Any]] = []
        self.post: list[Outgoing] = []
        self.told: list[Outgoing] = []
        self.refunds_asked: list[tuple[str, int | None, str]] = []

    @initialize(purchases=st.lists(st.tuples(slugs, st.integers(1, 3), cards), min_size=1, max_size=3))
    def the_shop_opens(self, purchases: list[tuple[str, int, str]]) -> None:
        for slug, quantity, card in purchases:
            self.a_shopper_buys(slug, quantity, card)
        self.every_promise_is_kept()

    # --- shoppers ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.carts) < MOST_CARTS)
    @rule(slug=slugs, quantity=st.integers(1, 3), card=cards)
    def a_shopper_buys(self, slug: str, quantity: int, card: str) -> None:
        """From the cart to a card typed, with nothing in the way but too little stock."""
        with suppress(OutOfStock):
            self.carts.append(self.shop.cart(quantity, slug))
            order = self.shop.place(self.carts[-1], browser_id=self.carts[-1])
            self._see(self.shop.open(order))
            self.a_shopper_types_a_card_which(0, card)

    @precondition(lambda self: len(self.carts) < MOST_CARTS)
    @rule(slug=slugs, quantity=st.integers(1, 3))
    def a_shopper_takes_a_cart(self, slug: str, quantity: int) -> None:
        with suppress(OutOfStock):
            self.carts.append(self.shop.cart(quantity, slug))

    @precondition(lambda self: self.carts)
    @rule(number=which, slug=slugs, quantity=st.integers(1, 3), more=st.booleans())
    def a_shopper_changes_a_cart(self, number: int, slug: str, quantity: int, more: bool) -> None:
        change = carts.add if more else carts.change
        with suppress(StoreError), self.shop.till.database.transaction() as session:
            change(session, newest(self.carts, number), slug, quantity, self.shop.clock())

    @precondition(lambda self: self.carts)
    @rule(number=which, fate=fates)
    def a_shopper_places_the_order(self, number: int, fate: Fate) -> None:
        cart = newest(self.carts, number)
        self._do(fate, lambda: checkout.place(self.shop.till, cart, cart, RECIPIENT, self.shop.clock()))

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, fate=fates)
    def a_shopper_opens_the_payment_page(self, number: int, fate: Fate) -> None:
        order = newest(self._orders(OrderState.AWAITING_PAYMENT), number)
        page = self._do(fate, lambda: payments.open(self.shop.till, order.reference, self.shop.clock()))
        if page is not None:
            self._see(page)

    @precondition(lambda self: self.pages)
    @rule(number=which, card=cards)
    def a_shopper_types_a_card_which(self, number: int, card: str) -> None:
        outcome = self.shop.confirm(newest(self.pages, number), CARDS[card])
        if outcome.get("status") == "requires_action":
            self.challenges.append(outcome)

    @precondition(lambda self: self.challenges)
    @rule(number=which, outcome=st.sampled_from(["complete", "fail"]))
    def a_shopper_answers_the_bank(self, number: int, outcome: str) -> None:
        self.shop.challenge(newest(self.challenges, number), outcome)

    @precondition(lambda self: self._orders())
    @rule(number=which, fate=fates)
    def a_shopper_cancels(self, number: int, fate: Fate) -> None:
        order = newest(self._orders(), number)
        self._do(fate, lambda: checkout.cancel(self.shop.till, order.reference, self.shop.clock()))

    @precondition(lambda self: self._orders())
    @rule(number=which, fate=fates)
    def a_shopper_waits_for_news(self, number: int, fate: Fate) -> None:
        order = newest(self._orders(), number)
        for _ in range(2):
            self._do(fate, lambda: payments.look_up(self.shop.till, order.reference, self.shop.clock()))
            self.shop.clock.forward(seconds=6)

    # --- the merchant -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self._orders(OrderState.PAID, OrderState.FULFILLED))
    @rule(number=which, part=st.one_of(st.none(), st.sampled_from([100, 400])), fate=fates)
    def the_merchant_refunds(self, number: int, part: int | None, fate: Fate) -> None:
        order = newest(self._orders(OrderState.PAID, OrderState.FULFILLED), number)
        with self.shop.till.database.reading() as session:
            key = refunds.next_key(session, order.reference)
        self.refunds_asked.append((order.reference, part, key))
        self._refund(self.refunds_asked[-1], fate)

    @precondition(lambda self: self.refunds_asked)
    @rule(number=which, fate=fates)
    def the_merchant_presses_refund_again(self, number: int, fate: Fate) -> None:
        self._refund(newest(self.refunds_asked, number), fate)

    @precondition(lambda self: self._orders(OrderState.PAID))
    @rule(number=which)
    def the_merchant_sends_the_goods(self, number: int) -> None:
        reference = newest(self._orders(OrderState.PAID), number).reference
        with self.shop.till.database.transaction() as session:
            order = ledger.lock_by_reference(session, reference)
            if not order.needs_review:
                ledger.move_order(session, order, OrderEvent.FULFILLED, self._told(Teller.MERCHANT))

    @precondition(lambda self: self._taken())
    @rule(number=which, part=st.one_of(st.none(), st.sampled_from([100, 400])))
    def the_merchant_refunds_in_stripes_dashboard(self, number: int, part: int | None) -> None:
        amount = {"amount": str(part)} if part else {}
        intent = newest(self._taken(), number)
        self.shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, **amount})

    @precondition(lambda self: any(self._waits_overdue(order) for order in self._orders()))
    @rule(number=which)
    def a_person_lets_an_overdue_order_go_without_asking_stripe(self, number: int) -> None:
        overdue = [order for order in self._orders() if self._waits_overdue(order)]
        chosen = newest(overdue, number)
        with self.shop.till.database.transaction() as session:
            order = ledger.lock_by_reference(session, chosen.reference)
            ledger.move_order(session, order, OrderEvent.EXPIRED, self._told(Teller.MERCHANT))
            stock.free(session, order)
        self.memory.let_go.add(chosen.payment.intent_id or "")

    @precondition(lambda self: self._open_disputes())
    @rule(number=which, end=st.sampled_from(["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", ""]))
    def a_dispute_is_answered(self, number: int, end: str) -> None:
        dispute = newest(self._open_disputes(), number)
        if end:
            self.shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": end})
        else:
            self.shop.stripe("POST", f"/v1/disputes/{dispute}/close")

    # --- Stripe's webhooks and the post -----------------------------------------------------------------------------

    @precondition(lambda self: self.post)
    @rule(fate=fates)
    def the_post_arrives(self, fate: Fate) -> None:
        for _ in range(len(self.post)):
            self._hand_over(0, fate)
            fate = UNHARMED

    @precondition(lambda self: self.post)
    @rule(number=which, fate=fates)
    def one_webhook_overtakes_the_others(self, number: int, fate: Fate) -> None:
        self._hand_over(-1 - number % len(self.post), fate)

    @precondition(lambda self: self.post)
    @rule(number=which)
    def a_webhook_is_lost(self, number: int) -> None:
        self.told.append(self.post.pop(number % len(self.post)))

    @precondition(lambda self: self.told)
    @rule(number=st.integers(0, 30), fate=fates)
    def an_old_webhook_comes_again(self, number: int, fate: Fate) -> None:
        self.post.insert(0, newest(self.told, number))
        self._hand_over(0, fate)

    @rule(away=st.booleans())
    def the_mail_server_comes_or_goes(self, away: bool) -> None:
        self.letters.away = away

    # --- time, and what the store does by itself --------------------------------------------------------------------

    @rule(by=durations)
    def time_goes_by(self, by: int) -> None:
        self.shop.clock.forward(seconds=by)

    @rule(fate=fates)
    def upkeep_comes_by(self, fate: Fate) -> None:
        self._do(fate, lambda: upkeep.run(self.shop.till, self.shop.clock()))

    @rule(fate=fates)
    def the_store_reconciles(self, fate: Fate) -> None:
        self._do(fate, lambda: reconcile.run(self.shop.till, self.started - timedelta(hours=1), self.shop.clock()))

    # --- what holds after each step, and in the end -----------------------------------------------------------------

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.post += self.shop.lose()
        self.now = picture.take(self.shop)
        for promise in PROMISES:
            promise(self.now, self.memory)

    def teardown(self) -> None:
        try:
            self._let_things_settle()
            self.every_promise_is_kept()
            self._nothing_disagrees()
            self._every_letter_was_sent()
        finally:
            self.shop.close()
            self.databases.drop(self.database)
            shutil.rmtree(self.folder)

    def _let_things_settle(self) -> None:
        """Nobody does anything any more; what is on its way arrives, and what is due is done."""
        self.letters.away = False
        for _ in range(6):
            self.post += self.shop.lose()
            while self.post:
                self._hand_over(0, UNHARMED)
            upkeep.run(self.shop.till, self.shop.clock())
            self._reconciled()
            self.shop.clock.forward(minutes=65)
        assert self._reconciled().mended == [], "reconciliation finds something new each time"

    def _nothing_disagrees(self) -> None:
        with self.shop.till.database.reading() as session:
            findings = audit.run(session, self.shop.clock())
        disagreements = [finding for finding in findings if finding.wrong != "is set aside for a person."]
        disagreements += reconcile.compare(self.shop.till, self.started - timedelta(hours=1))
        assert [str(finding) for finding in disagreements] == []
        end = self.now
        assert not any(order.state is OrderState.AWAITING_PAYMENT for order in end.orders)
        rows = {row.refund_id: row for rows in end.refunds.values() for row in rows}
        assert not any(row.state is RefundState.REQUESTED for row in rows.values())
        assert {refund["id"]: refund["status"] for refund in end.refunds_at_stripe} == {
            name: row.state for name, row in rows.items() if name is not None
        }
        assert {dispute["id"] for dispute in end.disputes_at_stripe} == set(end.disputes)
        for order in end.orders:
            if order.state in GONE_ORDERS and order.payment.state == "paid":
                assert order.needs_review, f"the money of order {order.reference} was kept for nothing"

    def _every_letter_was_sent(self) -> None:
        letters = self.now.letters
        assert set(self.letters.sent) == {letter.message_id for letter in letters}
        again = sum(self.letters.sent.values()) - len(letters)
        assert again <= self.life.deaths, "a letter was sent twice, and no crash was the reason"

    # --- how things are done ----------------------------------------------------------------------------------------

    def _do(self, fate: Fate, work: Callable[[], T]) -> T | None:
        """What the store's work gives, or None when the store refuses, Stripe is not there, or the process dies."""
        self.shop.clock.forward(seconds=1)
        try:
            with self.life.under(fate):
                return work()
        except (StoreError, Died):
            return None

    def _see(self, page: OpenedPayment) -> None:
        """A browser has the payment page, and with it the secret to pay."""
        self.pages.append(page)
        self.memory.shown.add(page.snapshot.payment_id)

    def _refund(self, asked: tuple[str, int | None, str], fate: Fate) -> None:
        reference, part, key = asked
        amount = Money(part, "usd") if part is not None else None
        self._do(fate, lambda: refunds.ask(self.shop.till, reference, amount, key, self._told(Teller.MERCHANT)))

    def _hand_over(self, position: int, fate: Fate) -> None:
        """A webhook reaches the store; one that is not acknowledged goes back into the post."""
        delivery = self.post.pop(position)
        try:
            with self.life.under(fate):
                acknowledged = self.shop.receive(delivery) == 200
        except Died:
            acknowledged = False
        if not acknowledged:
            assert fate is not UNHARMED, "a webhook that nothing befell was not acknowledged"
            self.post.append(delivery)
            return
        self.told.append(delivery)
        event = event_of(delivery)
        if event["type"].startswith(LISTENED_TO):
            about = event["data"]["object"]
            self.memory.told.add((about["id"], about["status"]))

    def _reconciled(self) -> reconcile.Report:
        return reconcile.run(self.shop.till, self.started - timedelta(hours=1), self.shop.clock())

    def _told(self, by: Teller) -> Told:
        return Told(by, self.shop.clock())

    def _orders(self, *states: OrderState) -> list[Order]:
        return [order for order in self.now.orders if not states or order.state in states]

    def _waits_overdue(self, order: Order) -> bool:
        waits = order.state is OrderState.AWAITING_PAYMENT and order.payment.intent_id is not None
        return waits and order.expires_at <= self.shop.clock()

    def _taken(self) -> list[str]:
        return [i["id"] for i in self.now.intents.values() if i["status"] == "succeeded"]

    def _open_disputes(self) -> list[str]:
        ended = ("won", "lost", "warning_closed")
        return [d["id"] for d in self.now.disputes_at_stripe if d["status"] not in ended]


def newest(things: list[T], number: int) -> T:
    """One of several, counted from the newest."""
    return things[-1 - number % len(things)]
