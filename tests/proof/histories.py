"""Random histories of a shop: what shoppers, the merchant, banks, Stripe, the post and bad luck may do, in any order.

A rule is one thing that happens. Work of the store may meet a fate: its process dies at some boundary, the line to
Stripe breaks, or Stripe breaks down over a request; then everything goes on.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from store.domain.errors import OutOfStock, StoreError
from store.domain.states import OrderState
from store.services import carts, checkout, orders, payments, reconciliation
from store.services.operations import worker
from store.services.payments import refunds
from tests.proof.scene import STOCK, Scene
from tests.support.crash_points import UNHARMED, FaultPlan
from tests.support.shop import CUSTOMER

T = TypeVar("T")

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
        st.integers(1, 8).map(lambda boundary: FaultPlan(dies_at=boundary)),
        st.integers(1, 3).map(lambda call: FaultPlan(breaks_before=call)),
        st.integers(1, 3).map(lambda call: FaultPlan(breaks_after=call)),
        st.sampled_from([FaultPlan(stripe_breaks_down="before"), FaultPlan(stripe_breaks_down="after")]),
    ),
)
# Where a mistake costs most, bad luck comes more often: work that was done while the answer says that it was not, and
# death between one step of a webhook's work and the next.
fates_of_requests = st.one_of(fates, st.just(FaultPlan(stripe_breaks_down="after")))
fates_of_webhooks = st.one_of(fates, st.integers(1, 4).map(lambda boundary: FaultPlan(dies_at=boundary)))
which = st.integers(0, 5)  # of several things, counted from the newest
slugs = st.sampled_from(sorted(STOCK))
cards = st.sampled_from(sorted(CARDS))
# Mostly moments; now and then the end of a hold, and seldom longer than Stripe remembers an idempotency key.
durations = st.sampled_from([1, 5, 5, 10, 61, 61, 6 * 60, 6 * 60, 31 * 60, 31 * 60, 25 * 60 * 60])
MOST_CARTS = 6


class Histories(Scene):
    """One history."""

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
        with suppress(StoreError), self.shop.services.database.transaction() as session:
            change(session, newest(self.carts, number), slug, quantity, self.shop.clock())

    @precondition(lambda self: self.carts)
    @rule(number=which, fate=fates)
    def a_shopper_places_the_order(self, number: int, fate: FaultPlan) -> None:
        cart = newest(self.carts, number)
        self._do(fate, lambda: checkout.place(self.shop.services, cart, cart, CUSTOMER, self.shop.clock()))

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, slug=slugs, fate=fates)
    def a_shopper_goes_back_and_changes_the_order(self, number: int, slug: str, fate: FaultPlan) -> None:
        cart = newest(self._orders(OrderState.AWAITING_PAYMENT), number).cart_id
        with suppress(StoreError), self.shop.services.database.transaction() as session:
            carts.add(session, cart, slug, 1, self.shop.clock())
        self._do(fate, lambda: checkout.place(self.shop.services, cart, cart, CUSTOMER, self.shop.clock()))

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, fate=fates_of_requests)
    def a_shopper_opens_the_payment_page(self, number: int, fate: FaultPlan) -> None:
        order = newest(self._orders(OrderState.AWAITING_PAYMENT), number)
        created = self._do(fate, lambda: payments.create(self.shop.services, order.reference, self.shop.clock()))
        if created is not None:
            self._see(created[1])

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
    def a_shopper_cancels(self, number: int, fate: FaultPlan) -> None:
        order = newest(self._orders(), number)
        self._do(fate, lambda: checkout.cancel(self.shop.services, order.reference, self.shop.clock()))

    @precondition(lambda self: self._orders())
    @rule(number=which, fate=fates)
    def a_shopper_waits_for_news(self, number: int, fate: FaultPlan) -> None:
        order = newest(self._orders(), number)
        for _ in range(2):
            self._do(fate, lambda: payments.look_up(self.shop.services, order.reference, self.shop.clock()))
            self.shop.clock.forward(seconds=6)

    # --- the merchant -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self._orders(OrderState.PAID, OrderState.FULFILLED))
    @rule(number=which, part=st.one_of(st.none(), st.sampled_from([100, 400])), fate=fates_of_requests)
    def the_merchant_refunds(self, number: int, part: int | None, fate: FaultPlan) -> None:
        order = newest(self._orders(OrderState.PAID, OrderState.FULFILLED), number)
        with self.shop.services.database.reading() as session:
            key = refunds.next_key(session, orders.peek(session, order.reference, orders.STAFF))
        self.refunds_asked.append((order.reference, part, key))
        self._refund(self.refunds_asked[-1], fate)

    @precondition(lambda self: self.refunds_asked)
    @rule(number=which, fate=fates)
    def the_merchant_presses_refund_again(self, number: int, fate: FaultPlan) -> None:
        self._refund(newest(self.refunds_asked, number), fate)

    @precondition(lambda self: self._orders(OrderState.PAID))
    @rule(number=which)
    def the_merchant_sends_the_goods(self, number: int) -> None:
        chosen = newest(self._orders(OrderState.PAID), number)
        if chosen.needs_review:
            return
        self.shop.fulfil(chosen.reference)

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
        self.shop.close_by_hand(chosen.reference)
        self.memory.let_go.add(chosen.payment.provider_payment_id or "")

    @precondition(lambda self: self._unseen())
    @rule(number=which, returned=st.booleans())
    def a_person_takes_money_in_stripes_dashboard(self, number: int, returned: bool) -> None:
        """For a payment whose opening the store has perhaps not heard of. Some of it is returned, and told of first."""
        intent = newest(self._unseen(), number)
        form = {"payment_method": "pm_card_visa", "return_url": "http://store.test/"}
        self.shop.stripe("POST", f"/v1/payment_intents/{intent}/confirm", form)
        if returned:
            self.shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "100"})
            self._collect_the_post()
            self._hand_over(-1, UNHARMED)

    @precondition(lambda self: self._open_disputes())
    @rule(number=which, end=st.sampled_from(["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", ""]))
    def a_dispute_is_answered(self, number: int, end: str) -> None:
        dispute = newest(self._open_disputes(), number)
        if end:
            self.shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": end})
        else:
            self.shop.stripe("POST", f"/v1/disputes/{dispute}/close")

    @precondition(lambda self: self._payable_again())
    @rule(number=which)
    def a_second_payment_of_an_order_succeeds(self, number: int) -> None:
        """Its creation was never answered, so that the store does not know it; somebody has paid it all the same."""
        order = newest(self._payable_again(), number)
        form = {"amount": str(order.total_minor), "currency": order.currency, "payment_method": "pm_card_visa"}
        form |= {"metadata[order_reference]": order.reference, "confirm": "true", "return_url": "http://store.test/"}
        self.shop.stripe("POST", "/v1/payment_intents", form)

    # --- Stripe's webhooks and the post -----------------------------------------------------------------------------

    @precondition(lambda self: self.post)
    @rule(fate=fates_of_webhooks)
    def the_post_arrives(self, fate: FaultPlan) -> None:
        for _ in range(len(self.post)):
            self._hand_over(0, fate)
            fate = UNHARMED

    @precondition(lambda self: self.post)
    @rule(number=which, fate=fates_of_webhooks)
    def one_webhook_overtakes_the_others(self, number: int, fate: FaultPlan) -> None:
        self._hand_over(-1 - number % len(self.post), fate)

    @precondition(lambda self: self.post)
    @rule(number=which)
    def a_webhook_is_lost(self, number: int) -> None:
        self.origin.append(self.post.pop(number % len(self.post)))

    @precondition(lambda self: self.origin)
    @rule(number=st.integers(0, 30), fate=fates)
    def an_old_webhook_comes_again(self, number: int, fate: FaultPlan) -> None:
        self.post.insert(0, newest(self.origin, number))
        self._hand_over(0, fate)

    @rule(away=st.booleans())
    def the_mail_server_comes_or_goes(self, away: bool) -> None:
        self.emails.away = away

    # --- time, and what the store does by itself --------------------------------------------------------------------

    @rule(by=durations)
    def time_goes_by(self, by: int) -> None:
        self.shop.clock.forward(seconds=by)

    @rule(fate=fates)
    def upkeep_comes_by(self, fate: FaultPlan) -> None:
        self._do(fate, lambda: worker.run(self.shop.services, self.shop.clock()))

    @rule(fate=fates)
    def the_store_reconciles(self, fate: FaultPlan) -> None:
        self._do(
            fate,
            lambda: reconciliation.repair(self.shop.services, self.started - timedelta(hours=1), self.shop.clock()),
        )


def newest(things: list[T], number: int) -> T:
    """One of several, counted from the newest."""
    return things[-1 - number % len(things)]
