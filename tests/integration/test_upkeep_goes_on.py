"""Upkeep that goes on: it reconciles on a schedule, and neither Stripe nor one order that is broken ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from store import cli
from store.domain.states import OrderState
from store.gateway.port import OpenedPayment, PaymentGateway
from store.services import upkeep
from tests.support.shop import NoAnswer, Shop

EVERY, RECONCILE_EVERY = 30, timedelta(minutes=15)


def keep_up(shop: Shop, minutes: float, *, meanwhile: Callable[[], None] = lambda: None) -> int:
    """Let upkeep go on for so long by the shop's clock; how many rounds that were."""
    rounds = 0

    def wait(seconds: float) -> bool:
        nonlocal rounds
        rounds += 1
        meanwhile()
        shop.clock.forward(seconds=seconds)
        return rounds * EVERY >= minutes * 60

    cli.keep_up(shop.till, EVERY, RECONCILE_EVERY, wait=wait, stopwatch=shop.clock.stopwatch)
    return rounds


def unheard(shop: Shop) -> str:
    """An order that was paid, and every webhook about it lost."""
    order = shop.order()
    shop.pay(order)
    shop.lose()
    return order.reference


def test_it_reconciles_on_its_schedule_and_not_before(shop: Shop) -> None:
    reference = unheard(shop)

    keep_up(shop, 14)
    before = shop.read(reference).state
    keep_up(shop, 16)

    assert before is OrderState.AWAITING_PAYMENT
    assert shop.read(reference).state is OrderState.PAID


def test_it_logs_what_it_leaves_to_a_person(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    more = {"return_url": "http://other.test/", "metadata[order_reference]": "LOST-LOST-LOST-LOST"}
    payment = shop.stripe("POST", "/v1/payment_intents", {**form, **more})["id"]

    with capture_logs() as said:
        keep_up(shop, 16)

    (left,) = [entry for entry in said if entry["event"] == "left for a person"]
    assert left["about"] == f"payment {payment}"
    assert "which this store does not have" in left["wrong"]
    assert [entry["left"] for entry in said if entry["event"] == "reconciled"] == [1]


def test_it_goes_on_while_stripe_does_not_answer_and_mends_when_it_does(shop: Shop) -> None:
    reference = unheard(shop)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.line.before = away
    assert keep_up(shop, 16) == 32
    shop.line.before = lambda _method, _path: None
    keep_up(shop, 16)

    assert shop.read(reference).state is OrderState.PAID


class BrokenFor:
    """The gateway, with a mistake in it that shows with one payment."""

    def __init__(self, gateway: PaymentGateway, payment_id: str) -> None:
        self._gateway, self._payment_id = gateway, payment_id

    def retrieve_payment(self, payment_id: str) -> OpenedPayment:
        if payment_id == self._payment_id:
            raise ZeroDivisionError
        return self._gateway.retrieve_payment(payment_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


def test_orders_that_nobody_can_deal_with_hold_up_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than upkeep takes at once, and all due before the sound one."""
    monkeypatch.setattr(upkeep, "BATCH", 2)
    for _ in range(5):
        shop.open(shop.order())
    with shop.till.database.transaction() as session:  # as of another account
        session.execute(text("UPDATE payments SET intent_id = 'pi_gone_' || order_id"))
    shop.clock.forward(seconds=1)
    sound = shop.order()
    shop.open(sound)
    shop.clock.forward(minutes=31)

    for _ in range(4):
        upkeep.run(shop.till, shop.clock())
        shop.clock.forward(seconds=90)

    assert shop.read(sound.reference).state is OrderState.EXPIRED


def test_an_order_that_nobody_can_deal_with_stops_no_other(shop: Shop) -> None:
    broken, sound = shop.order(), shop.order()
    payment = shop.open(broken).snapshot.payment_id
    shop.open(sound)
    shop.clock.forward(minutes=31)

    with capture_logs() as said:
        done = upkeep.run(replace(shop.till, gateway=BrokenFor(shop.till.gateway, payment)), shop.clock())

    assert done == 2  # the other order, and the letter about it
    assert shop.read(sound.reference).state is OrderState.EXPIRED
    assert shop.read(broken.reference).state is OrderState.AWAITING_PAYMENT
    failed = [(entry["order"], entry["work"]) for entry in said if entry["event"] == "upkeep failed"]
    assert failed == [(broken.reference, "_expire")]
