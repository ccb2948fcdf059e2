"""Many shoppers pay at the same moment: none waits for another, and only Stripe's silence holds them back."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier

import pytest
import stripe

from store.domain.errors import PaymentUnavailable
from store.gateway import deadline, guarded_gateway
from store.gateway.guarded_gateway import FAILURES, GuardedGateway
from store.gateway.port import PaymentSession
from store.gateway.stripe.transport import READ_TIMEOUT
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop

SHOPPERS = 8


def silent(_method: str, _path: str) -> None:
    raise NoAnswer


def answering(_method: str, _path: str) -> None:
    """Stripe is well."""


def test_shoppers_who_open_their_payment_pages_at_once_are_inside_stripe_together(shop: Shop) -> None:
    orders = [shop.order() for _ in range(SHOPPERS)]
    inside = Barrier(SHOPPERS)

    def wait_for_the_others(_method: str, _path: str) -> None:
        inside.wait(timeout=10)

    shop.line.before = wait_for_the_others

    opened = at_once(SHOPPERS, lambda number: shop.open(orders[number]))

    assert [type(payment) for payment in opened] == [PaymentSession] * SHOPPERS


def test_pages_that_run_out_of_their_own_time_do_not_close_the_way_for_others(shop: Shop) -> None:
    """Cancelling asks twice where it comes too late; Stripe answers the first so slowly that no time is left."""
    browser, reference = shop.browser_with_order()
    token = browser.token(f"/orders/{reference}/pay")
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    shop.stripe("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    shop.line.before = lambda _method, _path: shop.clock.forward(seconds=deadline.SECONDS - 3)

    late = [
        browser.open("POST", f"/orders/{reference}/cancel", data={"csrf_token": token}).status_code
        for _ in range(FAILURES + 1)
    ]
    shop.line.before = answering

    assert late == [503] * (FAILURES + 1)
    assert shop.open(shop.order()).client_secret


def test_a_page_that_heard_silence_for_all_its_time_did_hear_silence(shop: Shop) -> None:
    """What timed out is worth another try, for which the page has no time."""
    browser, reference = shop.browser_with_order()

    def hang(_method: str, _path: str) -> None:
        shop.clock.forward(seconds=READ_TIMEOUT)
        raise stripe.APIConnectionError("timed out", should_retry=True)  # type: ignore[no-untyped-call]  # the SDK types it not

    shop.line.before = hang

    statuses = [browser.get(f"/orders/{reference}/pay").status_code for _ in range(FAILURES + 2)]

    assert (statuses, len(shop.line.requests)) == ([503] * (FAILURES + 2), FAILURES)


def test_repeated_silence_closes_the_way_and_the_first_answer_after_a_while_opens_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_gateway, "PAUSE", timedelta.resolution.total_seconds())
    patient, brief = shop.services.gateway, GuardedGateway(shop.services.gateway._gateway)  # type: ignore[attr-defined]  # the same line, a shorter pause
    shop.line.before = silent

    for gateway in (patient, brief):
        asked = at_once(FAILURES, lambda _number, ask=gateway: ask.payment_of_order("unknown", shop.clock()))  # type: ignore[misc]  # bound by default
        assert all(isinstance(answer, PaymentUnavailable) for answer in asked)
    shop.line.before = answering

    with pytest.raises(PaymentUnavailable):
        patient.payment_of_order("unknown", shop.clock())
    assert brief.payment_of_order("unknown", shop.clock()) is None
