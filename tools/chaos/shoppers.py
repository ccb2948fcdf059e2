"""The crowd: each shopper fills a cart, places an order, and plays a story to its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import requests

from tools.chaos.browser import Browser, PageTimeout, Tally
from tools.chaos.plan import Shopper, Story
from tools.chaos.stack import COUPON, Stack

GOOD_CARD, CHALLENGED_CARD, DISPUTED_CARD = "4242424242424242", "4000002760003184", "4000000000000259"
TRIES = 8  # of one card, without a response
WEBHOOK_COMES_WITHIN = 3.0  # seconds that a shopper looks at the order's page

ADDRESS = {
    "full_name": "Ada Shopper",
    "address_line1": "12 Market Street",
    "address_line2": "",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62701",
    "country": "US",
    "phone": "",
}


@dataclass(slots=True)
class Visit:
    """What a shopper remembers: the orders placed, and those that the payment service confirmed as paid."""

    shopper: Shopper
    orders: list[str] = field(default_factory=list)
    confirmed_paid: set[str] = field(default_factory=set)
    seen_paid: set[str] = field(default_factory=set)
    timed_out: str = ""


def shop(shopper: Shopper, stack: Stack, tally: Tally) -> Visit:
    """Play the shopper's story to its end."""
    visit = Visit(shopper)
    with closing(Browser(stack.store.url, stack.sandbox.url, tally)) as browser:
        try:
            _Shopping(visit, stack, browser).play()
        except PageTimeout as page:
            visit.timed_out = f"{shopper.email} ({shopper.story}) got no page at {page}"
    return visit


class _Shopping:
    def __init__(self, visit: Visit, stack: Stack, browser: Browser) -> None:
        self.visit, self.shopper, self.stack, self.browser = visit, visit.shopper, stack, browser

    def play(self) -> None:
        tabs_place = self.shopper.story is Story.PAYS_IN_TWO_TABS
        for slug, quantity in self.shopper.basket.items():
            self.browser.post("/cart/lines", {"slug": slug, "quantity": str(quantity)})
        reference = self._place_in_two_tabs() if tabs_place else self._place(self.browser)
        if reference is not None:
            STORIES[self.shopper.story](self, reference)

    # --- stories --------------------------------------------------------------------------------------------------

    def pay(self, reference: str) -> None:
        self._try(self.browser, reference, GOOD_CARD)
        self._look(reference)

    def is_declined_first(self, reference: str) -> None:
        for card in self.shopper.declined:
            self._try(self.browser, reference, card)
        self.pay(reference)

    def pass_the_challenge(self, reference: str) -> None:
        self._challenged(reference, "complete")
        self._look(reference)

    def fail_the_challenge_first(self, reference: str) -> None:
        self._challenged(reference, "fail")
        self.pay(reference)

    def leave_the_challenge(self, reference: str) -> None:
        self._try(self.browser, reference, CHALLENGED_CARD)
        self.leave(reference)

    def leave_the_payment_page(self, reference: str) -> None:
        self.browser.client_secret(reference)
        if self.shopper.hosted:
            self.browser.hosted_page(reference)
        self.leave(reference)

    def leave(self, reference: str) -> None:
        self.stack.expire_reservation(reference)

    def cancel(self, reference: str) -> None:
        self.browser.client_secret(reference)
        if self.shopper.hosted:
            self.browser.hosted_page(reference)
        self.browser.post(f"/orders/{reference}/cancel", {})

    def cancel_while_paying(self, reference: str) -> None:
        other = self.browser.tab()
        secret = self.browser.client_secret(reference)
        address = self.browser.hosted_page(reference) if self.shopper.hosted else None
        if address is not None or (secret is not None and not self.shopper.hosted):
            _at_once(
                lambda: self._press(reference, secret, address),
                lambda: other.post(f"/orders/{reference}/cancel", {}),
            )
        self._look(reference)

    def pay_in_two_tabs(self, reference: str) -> None:
        """The hosted page in one tab, and that or the store's own in the other."""
        other = self.browser.tab()
        in_other = self._try if self.shopper.number % 2 else self._pay
        _at_once(
            lambda: self._try(self.browser, reference, GOOD_CARD),
            lambda: in_other(other, reference, GOOD_CARD),
        )
        self._look(reference)

    def change_the_cart(self, reference: str) -> None:
        other = self.browser.tab()
        old = self.browser.client_secret(reference)
        other.post("/cart/lines", {"slug": "cloth-notebook", "quantity": "1"})
        if old is not None and self.shopper.number % 2:
            _at_once(
                lambda: self._confirm(self.browser, reference, old, GOOD_CARD),
                lambda: self._place(other),
            )
        else:
            self._place(other)
        newest = self.visit.orders[-1]
        if newest != reference and reference not in self.visit.confirmed_paid:
            self._pay(other, newest, GOOD_CARD)
        self._look(newest)

    def pay_too_late(self, reference: str) -> None:
        secret = self.browser.client_secret(reference)
        if secret is not None:
            address = self.browser.hosted_page(reference) if self.shopper.hosted else None
            _at_once(
                lambda: self.stack.expire_reservation(reference),
                lambda: self._press_again_and_again(reference, secret, address),
            )
        self._look(reference)

    def is_refunded(self, reference: str) -> None:
        """The merchant returns the money, or a part of it, in the payment service's dashboard, which lists payments."""
        secret = self._pay(self.browser, reference, GOOD_CARD)
        if secret is None or reference not in self.visit.confirmed_paid:
            return
        body: dict[str, Any] = {"payment_intent": secret.partition("_secret_")[0]}
        if self.shopper.part < 1:
            body["amount"] = 500
        try:
            self.stack.control("POST", "/refunds", body)
        except requests.RequestException:
            return  # a dashboard that does not answer, or money that went back already: nothing more to refund

    def dispute(self, reference: str) -> None:
        self._try(self.browser, reference, DISPUTED_CARD)
        self._look(reference)

    # --- steps of the stories ------------------------------------------------------------------------------------

    def _place(self, tab: Browser) -> str | None:
        """Press “Continue to payment”: the order's reference, or None when it cannot be placed."""
        code = {"code": COUPON} if self.shopper.coupon else {}
        answer = tab.post("/checkout", {**ADDRESS, "email": self.shopper.email, **code})
        for each in (*answer.history, answer):
            found = re.search(r"/orders/([^/?]+)", each.headers.get("Location", "") or each.url)
            if found:
                if found[1] not in self.visit.orders:
                    self.visit.orders.append(found[1])
                return found[1]
        return None

    def _place_in_two_tabs(self) -> str | None:
        other = self.browser.tab()
        _at_once(lambda: self._place(self.browser), lambda: self._place(other))
        return self.visit.orders[-1] if self.visit.orders else None

    def _try(self, tab: Browser, reference: str, card: str) -> None:
        """Pay with a card in the shopper's own way."""
        if self.shopper.hosted:
            self._pay_on_page(tab, reference, card)
        else:
            self._pay(tab, reference, card)

    def _pay_on_page(self, tab: Browser, reference: str, card: str) -> str | None:
        """Go to the hosted page and pay until somebody answers; the challenge, if the bank asks."""
        tab.client_secret(reference)
        for _ in range(TRIES):
            address = tab.hosted_page(reference)
            answer = self._type(tab, reference, address, card) if address is not None else {}
            if answer is not None:
                return answer.get("challenge")
        return None

    def _type(self, tab: Browser, reference: str, address: str, card: str) -> dict[str, Any] | None:
        answer = tab.pay_on_page(address, card)
        if answer is not None and "redirect" in answer:
            self.visit.confirmed_paid.add(reference)
        return answer

    def _press(self, reference: str, secret: str | None, address: str | None) -> dict[str, Any] | None:
        """Press the button of a page that is open already."""
        if address is not None:
            return self._type(self.browser, reference, address, GOOD_CARD)
        return self._confirm(self.browser, reference, secret or "", GOOD_CARD)

    def _pay(self, tab: Browser, reference: str, card: str) -> str | None:
        """Open the payment page and pay with a card until somebody answers; the secret, if the page had one."""
        for _ in range(TRIES):
            secret = tab.client_secret(reference)
            if secret is None or self._confirm(tab, reference, secret, card) is not None:
                return secret
        return None

    def _confirm(self, tab: Browser, reference: str, secret: str, card: str) -> dict[str, Any] | None:
        answer = tab.confirm(secret, card)
        if answer is not None and answer.get("status") == "succeeded":
            self.visit.confirmed_paid.add(reference)
        return answer

    def _press_again_and_again(self, reference: str, secret: str, address: str | None) -> None:
        """The old page stays open while the order's time runs out; its button is pressed until somebody answers."""
        for _ in range(TRIES):
            time.sleep(self.shopper.number % 7 / 5)
            if self._press(reference, secret, address) is not None:
                return

    def _challenged(self, reference: str, outcome: str) -> None:
        if self.shopper.hosted:
            challenge = self._pay_on_page(self.browser, reference, CHALLENGED_CARD)
            for _ in range(TRIES if challenge is not None else 0):
                if self.browser.answer_challenge(str(challenge), outcome):
                    return
            return
        for _ in range(TRIES):
            secret = self.browser.client_secret(reference)
            if secret is None:
                return
            intent = self._confirm(self.browser, reference, secret, CHALLENGED_CARD)
            if intent is not None and intent.get("status") == "requires_action":
                if self.browser.answer_challenge(intent["next_action"]["use_stripe_sdk"]["stripe_js"], outcome):
                    return
            elif intent is not None:
                return

    def _look(self, reference: str) -> None:
        """Look at the order's page until the bank has decided, but not for ever."""
        deadline = time.monotonic() + WEBHOOK_COMES_WITHIN
        while time.monotonic() < deadline:
            answer = self.browser.get(f"/orders/{reference}/status.json?confirming=1")
            if not answer.ok:
                return
            said = answer.json()
            if said["state"] == "paid":
                self.visit.seen_paid.add(reference)
            if said["state"] != "awaiting_payment" or said["payment"] == "authorised":
                return
            time.sleep(0.5)


STORIES: Mapping[Story, Callable[[_Shopping, str], None]] = {
    Story.PAYS: _Shopping.pay,
    Story.IS_DECLINED_FIRST: _Shopping.is_declined_first,
    Story.PASSES_THE_CHALLENGE: _Shopping.pass_the_challenge,
    Story.FAILS_THE_CHALLENGE_FIRST: _Shopping.fail_the_challenge_first,
    Story.LEAVES_THE_CHALLENGE: _Shopping.leave_the_challenge,
    Story.LEAVES_THE_PAYMENT_PAGE: _Shopping.leave_the_payment_page,
    Story.LEAVES_AT_ONCE: _Shopping.leave,
    Story.CANCELS: _Shopping.cancel,
    Story.CANCELS_WHILE_PAYING: _Shopping.cancel_while_paying,
    Story.PAYS_IN_TWO_TABS: _Shopping.pay_in_two_tabs,
    Story.CHANGES_THE_CART: _Shopping.change_the_cart,
    Story.PAYS_TOO_LATE: _Shopping.pay_too_late,
    Story.IS_REFUNDED: _Shopping.is_refunded,
    Story.DISPUTES: _Shopping.dispute,
}


def _at_once(*calls: Callable[[], object]) -> None:
    """Do them at the same time; returns when all are done, and raises what one of them raised."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()
