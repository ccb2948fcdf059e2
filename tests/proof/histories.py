"""Random histories of a shop: what shoppers, the merchant, banks, Stripe and faults may do, in any order.

A rule is one event. Work of the store may have a fault: its process crashes at some boundary, the connection to Stripe
breaks, or Stripe answers with a server error; then everything continues.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from store.domain.errors import OutOfStock, StoreError
from store.domain.states import OrderState
from store.services import carts, checkout, orders, payments, reconciliation
from store.services.operations import worker
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces
from tests.proof.promises import ids_of
from tests.proof.simulation import COUPONS, STOCK, Simulation
from tests.support.crash_points import NO_FAULTS, FaultPlan
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

# A quarter of the store's work has a fault.
plans = st.one_of(
    st.just(NO_FAULTS),
    st.just(NO_FAULTS),
    st.just(NO_FAULTS),
    st.one_of(
        st.integers(1, 8).map(lambda boundary: FaultPlan(crashes_at=boundary)),
        st.integers(1, 3).map(lambda call: FaultPlan(breaks_before=call)),
        st.integers(1, 3).map(lambda call: FaultPlan(breaks_after=call)),
        st.sampled_from([FaultPlan(stripe_fails="before"), FaultPlan(stripe_fails="after")]),
    ),
)
# Where a mistake costs most, faults are more frequent: a request that was carried out while its response says that it
# was not, and a crash between two steps of a webhook's work.
plans_for_requests = st.one_of(plans, st.just(FaultPlan(stripe_fails="after")))
plans_for_webhooks = st.one_of(plans, st.integers(1, 4).map(lambda boundary: FaultPlan(crashes_at=boundary)))
which = st.integers(0, 5)  # of several things, counted from the newest
slugs = st.sampled_from(sorted(STOCK))
cards = st.sampled_from(sorted(CARDS))
codes = st.sampled_from([code for code, _percent, _uses in COUPONS])
# Mostly seconds; sometimes until a reservation expires, and seldom longer than Stripe keeps an idempotency key.
durations = st.sampled_from([1, 5, 5, 10, 61, 61, 6 * 60, 6 * 60, 31 * 60, 31 * 60, 25 * 60 * 60])
MOST_CARTS = 6


class Histories(Simulation):
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
        """From the cart to a typed card; only too little stock prevents it."""
        with suppress(OutOfStock):
            self.carts.append(self.shop.cart(quantity, slug))
            order = self.shop.place(self.carts[-1], browser_id=self.carts[-1])
            self._see(self.shop.open(order))
            self.a_shopper_types_a_card_which(0, card)

    @precondition(lambda self: len(self.carts) < MOST_CARTS)
    @rule(slug=slugs, quantity=st.integers(1, 3))
    def a_shopper_fills_a_cart(self, slug: str, quantity: int) -> None:
        with suppress(OutOfStock):
            self.carts.append(self.shop.cart(quantity, slug))

    @precondition(lambda self: self.carts)
    @rule(number=which, slug=slugs, quantity=st.integers(1, 3), more=st.booleans())
    def a_shopper_changes_a_cart(self, number: int, slug: str, quantity: int, more: bool) -> None:
        change = carts.add if more else carts.change
        with suppress(StoreError), self.shop.services.database.transaction() as session:
            change(session, newest(self.carts, number), slug, quantity, self.shop.clock())

    @precondition(lambda self: self.carts)
    @rule(number=which, plan=plans)
    def a_shopper_places_the_order(self, number: int, plan: FaultPlan) -> None:
        cart = newest(self.carts, number)
        self._do(plan, lambda: checkout.place(self.shop.services, cart, cart, CUSTOMER, self.shop.clock()))

    @precondition(lambda self: self.carts)
    @rule(number=which, code=codes, plan=plans)
    def a_shopper_places_the_order_with_a_coupon(self, number: int, code: str, plan: FaultPlan) -> None:
        cart, customer = newest(self.carts, number), replace(CUSTOMER, code=code)
        self._do(plan, lambda: checkout.place(self.shop.services, cart, cart, customer, self.shop.clock()))

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, slug=slugs, plan=plans)
    def a_shopper_goes_back_and_changes_the_order(self, number: int, slug: str, plan: FaultPlan) -> None:
        cart = newest(self._orders(OrderState.AWAITING_PAYMENT), number).cart_id
        with suppress(StoreError), self.shop.services.database.transaction() as session:
            carts.add(session, cart, slug, 1, self.shop.clock())
        self._do(plan, lambda: checkout.place(self.shop.services, cart, cart, CUSTOMER, self.shop.clock()))

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, plan=plans_for_requests)
    def a_shopper_opens_the_payment_page(self, number: int, plan: FaultPlan) -> None:
        order = newest(self._orders(OrderState.AWAITING_PAYMENT), number)
        created = self._do(plan, lambda: payments.create(self.shop.services, order.reference, self.shop.clock()))
        if created is not None:
            self._see(created[1])

    @precondition(lambda self: self._orders(OrderState.AWAITING_PAYMENT))
    @rule(number=which, plan=plans_for_requests)
    def a_shopper_goes_to_the_hosted_page(self, number: int, plan: FaultPlan) -> None:
        order = newest(self._orders(OrderState.AWAITING_PAYMENT), number)
        address = self._do(plan, lambda: payments.open_page(self.shop.services, order.reference, self.shop.clock()))
        if address is not None:
            self._see_hosted(address)

    @precondition(lambda self: self.hosted_pages)
    @rule(number=which, card=cards)
    def a_shopper_types_on_the_hosted_page_a_card_which(self, number: int, card: str) -> None:
        outcome = self.shop.type_on_page(newest(self.hosted_pages, number), CARDS[card])
        if "challenge" in outcome:
            self.challenges.append({"next_action": {"use_stripe_sdk": {"stripe_js": outcome["challenge"]}}})

    @precondition(lambda self: self.hosted_pages)
    @rule(number=which, delayed=st.sampled_from(["succeeds", "fails"]))
    def a_shopper_pays_on_the_hosted_page_by_something_slower(self, number: int, delayed: str) -> None:
        self.shop.pay_on_page(newest(self.hosted_pages, number), delayed=delayed)

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
    @rule(number=which, plan=plans)
    def a_shopper_cancels(self, number: int, plan: FaultPlan) -> None:
        order = newest(self._orders(), number)
        self._do(plan, lambda: checkout.cancel(self.shop.services, order.reference, self.shop.clock()))

    @precondition(lambda self: self._orders())
    @rule(number=which, plan=plans)
    def a_shopper_polls_the_status(self, number: int, plan: FaultPlan) -> None:
        order = newest(self._orders(), number)
        for _ in range(2):
            self._do(plan, lambda: self.shop.look_up(order.reference))
            self.shop.clock.forward(seconds=6)

    # --- the merchant -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self._orders(OrderState.PAID, OrderState.FULFILLED))
    @rule(number=which, part=st.one_of(st.none(), st.sampled_from([100, 400])), plan=plans_for_requests)
    def the_merchant_refunds(self, number: int, part: int | None, plan: FaultPlan) -> None:
        order = newest(self._orders(OrderState.PAID, OrderState.FULFILLED), number)
        with self.shop.services.database.reading() as session:
            key = refunds.next_key(session, orders.peek(session, order.reference, orders.STAFF))
        self.requested_refunds.append((order.reference, part, key))
        self._refund(self.requested_refunds[-1], plan)

    @precondition(lambda self: self.requested_refunds)
    @rule(number=which, plan=plans)
    def the_merchant_repeats_a_refund(self, number: int, plan: FaultPlan) -> None:
        self._refund(newest(self.requested_refunds, number), plan)

    @precondition(lambda self: self._orders(OrderState.PAID, OrderState.FULFILLED))
    @rule(number=which, quantity=st.integers(1, 2), sent=st.booleans(), restock=st.booleans(), plan=plans_for_requests)
    def the_merchant_refunds_pieces_of_a_line(
        self, number: int, quantity: int, sent: bool, restock: bool, plan: FaultPlan
    ) -> None:
        order = newest(self._orders(OrderState.PAID, OrderState.FULFILLED), number)
        line = newest(order.lines, number)
        choice = Choice([ChosenPieces(line.product_id, quantity, sent=sent, restock=restock)])
        key = self._do(plan, lambda: self._request(order.reference, choice))
        if key is not None:
            self.requested_refunds.append((order.reference, None, key))
            self._refund(self.requested_refunds[-1], plan)

    @precondition(lambda self: self._orders(OrderState.PAID))
    @rule(number=which, pieces=st.one_of(st.none(), st.integers(1, 2)), plan=plans)
    def the_merchant_ships_an_order_or_a_part(self, number: int, pieces: int | None, plan: FaultPlan) -> None:
        chosen = newest(self._orders(OrderState.PAID), number)
        only = {newest(chosen.lines, number).product_id: pieces} if pieces is not None else None
        self._do(plan, lambda: self.shop.fulfil(chosen.reference, only))

    @precondition(lambda self: self._succeeded())
    @rule(number=which, part=st.one_of(st.none(), st.sampled_from([100, 400])))
    def the_merchant_refunds_in_stripes_dashboard(self, number: int, part: int | None) -> None:
        amount = {"amount": str(part)} if part else {}
        intent = newest(self._succeeded(), number)
        self.shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, **amount})

    @precondition(lambda self: any(self._waits_overdue(order) for order in self._orders()))
    @rule(number=which)
    def staff_expire_an_overdue_order_without_asking_stripe(self, number: int) -> None:
        overdue = [order for order in self._orders() if self._waits_overdue(order)]
        chosen = newest(overdue, number)
        self.shop.close_by_hand(chosen.reference)
        self.memory.closed_by_hand |= {name for name in ids_of(chosen) if name is not None}

    @precondition(lambda self: self._unseen())
    @rule(number=which, returned=st.booleans())
    def staff_take_a_payment_in_stripes_dashboard(self, number: int, returned: bool) -> None:
        """The store perhaps does not know the payment. A part may be refunded, and the refund is reported first."""
        intent = newest(self._unseen(), number)
        form = {"payment_method": "pm_card_visa", "return_url": "http://store.test/"}
        self.shop.stripe("POST", f"/v1/payment_intents/{intent}/confirm", form)
        if returned:
            self.shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "100"})
            self._collect_webhooks()
            self._deliver(-1, NO_FAULTS)

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
        """The response to its creation was lost, so that the store does not know it; the shopper paid it anyway."""
        order = newest(self._payable_again(), number)
        form = {"amount": str(order.total_minor), "currency": order.currency, "payment_method": "pm_card_visa"}
        form |= {"metadata[order_reference]": order.reference, "confirm": "true", "return_url": "http://store.test/"}
        self.shop.stripe("POST", "/v1/payment_intents", form)

    # --- Stripe's webhooks ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.pending)
    @rule(plan=plans_for_webhooks)
    def the_webhooks_arrive(self, plan: FaultPlan) -> None:
        for _ in range(len(self.pending)):
            self._deliver(0, plan)
            plan = NO_FAULTS

    @precondition(lambda self: self.pending)
    @rule(number=which, plan=plans_for_webhooks)
    def a_webhook_arrives_before_the_others(self, number: int, plan: FaultPlan) -> None:
        self._deliver(-1 - number % len(self.pending), plan)

    @precondition(lambda self: self.pending)
    @rule(number=which)
    def a_webhook_is_lost(self, number: int) -> None:
        self.received.append(self.pending.pop(number % len(self.pending)))

    @precondition(lambda self: self.received)
    @rule(number=st.integers(0, 30), plan=plans)
    def an_old_webhook_arrives_again(self, number: int, plan: FaultPlan) -> None:
        self.pending.insert(0, newest(self.received, number))
        self._deliver(0, plan)

    @rule(away=st.booleans())
    def the_mail_server_starts_or_stops(self, away: bool) -> None:
        self.emails.away = away

    # --- time, and the worker ------------------ --------------------------------------------------------------------

    @rule(by=durations)
    def time_passes(self, by: int) -> None:
        self.shop.clock.forward(seconds=by)

    @rule(plan=plans)
    def the_worker_runs(self, plan: FaultPlan) -> None:
        self._do(plan, lambda: worker.run(self.shop.services, self.shop.clock()))

    @rule(plan=plans)
    def the_store_reconciles(self, plan: FaultPlan) -> None:
        self._do(
            plan,
            lambda: reconciliation.repair(self.shop.services, self.started - timedelta(hours=1), self.shop.clock()),
        )


def newest(things: list[T], number: int) -> T:
    """One of several, counted from the newest."""
    return things[-1 - number % len(things)]
