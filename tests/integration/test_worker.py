"""The worker runs on: it reconciles on a schedule, and neither Stripe nor one broken order ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from models import Order, Reconciliation
from store.cli import working
from store.domain.states import OrderState
from store.gateway.port import PaymentGateway, PaymentSession
from store.gateway.stripe import balance
from store.services import Services, reconciliation
from store.services.balance import collecting
from store.services.operations import worker
from store.services.reconciliation import schedule
from store.webhooks import inbox
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop

EVERY, RECONCILE_EVERY = 30, timedelta(minutes=15)


def run_forever(shop: Shop, minutes: float, *, meanwhile: Callable[[], None] = lambda: None) -> int:
    """Let the worker run for so long by the shop's clock; return the number of rounds."""
    rounds = 0

    def wait(seconds: float) -> bool:
        nonlocal rounds
        rounds += 1
        meanwhile()
        shop.clock.forward(seconds=seconds)
        return rounds * EVERY >= minutes * 60

    working.run_forever(shop.services, EVERY, RECONCILE_EVERY, wait=wait, stopwatch=shop.clock.stopwatch)
    return rounds


def test_the_balance_is_collected_on_schedule_and_a_long_history_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting.collect, "__defaults__", (1,))  # page in each round
    monkeypatch.setattr(balance, "PAGE", 1)
    for _ in range(3):
        shop.pay(shop.order())
    shop.clock.forward(seconds=2)
    shop.deliver()
    asked: list[int] = []

    def wait(seconds: float) -> bool:
        asked.append(sum(1 for _, path in shop.transport.requests if path.startswith("/v1/balance_transactions")))
        shop.clock.forward(seconds=seconds)
        return len(asked) == 6

    working.run_forever(shop.services, 30, timedelta(minutes=1), wait=wait, stopwatch=shop.clock.stopwatch)

    assert asked == [1, 2, 3, 3, 4, 5]  # all of it is here after three rounds; a minute later it is asked anew


def paid_without_webhook(shop: Shop) -> str:
    """An order that was paid, and every webhook about it lost."""
    order = shop.order()
    shop.pay(order)
    shop.lose()
    return order.reference


def states_round_by_round(shop: Shop, minutes: float) -> list[OrderState]:
    """Run the worker, with an order paid without a webhook after its first round; return the order's state after each
    later round.
    """
    references: list[str] = []
    states: list[OrderState] = []

    def meanwhile() -> None:
        if references:
            states.append(shop.read(references[0]).state)
        else:
            references.append(paid_without_webhook(shop))

    run_forever(shop, minutes, meanwhile=meanwhile)
    return states


@pytest.mark.on_both_databases
def test_when_stripe_hangs_a_round_asks_a_few_times_and_still_sends_mail(shop: Shop) -> None:
    for paid in (shop.order(), shop.order()):
        shop.pay(paid)
    shop.deliver()
    unpaid = [shop.order() for _ in range(6)]
    for order in unpaid:
        shop.open(order)
    never_opened = shop.order()
    shop.clock.forward(minutes=31)
    shop.transport.renew()

    def hangs(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = hangs
    worker.run(shop.services, shop.clock())
    asked, emails = len(shop.transport.requests), len(list(shop.mail_folder.glob("*")))
    left_alone = shop.read(never_opened.reference).state
    shop.transport.renew()
    shop.clock.forward(seconds=30)
    worker.run(shop.services, shop.clock())
    at_once_after = [shop.read(order.reference).state for order in unpaid]
    shop.clock.forward(minutes=1)
    worker.run(shop.services, shop.clock())

    assert (asked, emails, left_alone) == (worker.MOST_UNANSWERED, 2, OrderState.EXPIRED)
    assert at_once_after.count(OrderState.EXPIRED) == len(unpaid) - worker.MOST_UNANSWERED
    assert {shop.read(order.reference).state for order in unpaid} == {OrderState.EXPIRED}


def test_it_reconciles_on_its_schedule_and_not_before(shop: Shop) -> None:
    states = states_round_by_round(shop, 16)

    assert set(states[:29]) == {OrderState.AWAITING_PAYMENT}
    assert states[29] is OrderState.PAID


def test_it_reconciles_when_it_starts(shop: Shop) -> None:
    reference = paid_without_webhook(shop)

    run_forever(shop, 0.5)

    assert shop.read(reference).state is OrderState.PAID


def test_it_covers_the_time_since_the_last_reconciliation(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    run_forever(shop, 0.5)
    shop.clock.forward(hours=1)
    refund_in_the_dashboard(shop, order, 100)
    shop.clock.forward(days=4)

    run_forever(shop, 0.5)

    assert shop.read(order.reference).payment.refunded_minor == 100


def test_a_failed_reconciliation_leaves_no_gap(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    run_forever(shop, 0.5)
    refund_in_the_dashboard(shop, order, 100)
    shop.clock.forward(days=2)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(schedule, "repair", fail)
        run_forever(shop, 0.5)
    shop.clock.forward(hours=3)
    run_forever(shop, 0.5)

    assert shop.read(order.reference).payment.refunded_minor == 100


@pytest.mark.on_both_databases
def test_it_overlaps_with_the_last_reconciliation(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    refund_in_the_dashboard(shop, order, 100)
    shop.clock.forward(hours=1)
    remember_the_last_reconciliation(shop)

    run_forever(shop, 0.5)

    assert shop.read(order.reference).payment.refunded_minor == 100


def test_the_first_one_looks_back_a_day(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    refund_in_the_dashboard(shop, order, 100)
    shop.clock.forward(hours=23)

    run_forever(shop, 0.5)

    assert shop.read(order.reference).payment.refunded_minor == 100


def test_it_looks_back_no_further_than_stripe_lists_events(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[timedelta] = []
    run_forever(shop, 0.5)
    shop.clock.forward(days=90)

    def note(_services: Services, since: datetime, now: datetime) -> reconciliation.Report:
        asked.append(now - since)
        return reconciliation.Report()

    monkeypatch.setattr(schedule, "repair", note)
    run_forever(shop, 0.5)

    assert asked == [timedelta(days=30)]


@pytest.mark.on_both_databases
def test_several_reconciliations_at_once_record_the_latest_time(shop: Shop) -> None:
    now = shop.clock()

    outcomes = at_once(
        4, lambda number: reconciliation.run_since_last(shop.services, inbox.catch_up, now - timedelta(minutes=number))
    )

    assert [type(outcome) for outcome in outcomes] == [reconciliation.Report] * 4
    assert last_reconciliation(shop) == [now]


def refund_in_the_dashboard(shop: Shop, order: Order, amount: int) -> None:
    """And the store does not learn of it: not even from the list of undelivered events."""
    payment = shop.read(order.reference).payment.provider_payment_id or ""
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": str(amount)})
    shop.lose()


def remember_the_last_reconciliation(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.add(Reconciliation(id=1, compared_until=shop.clock()))


def last_reconciliation(shop: Shop) -> list[datetime]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Reconciliation.compared_until)))


def test_no_failure_ends_the_worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = paid_without_webhook(shop)

    def fail(*_: object) -> None:
        raise KeyError("ada@example.com")

    with monkeypatch.context() as broken, capture_logs() as log:
        broken.setattr(worker, "run", fail)
        broken.setattr(inbox, "catch_up", fail)
        rounds = run_forever(shop, 3)
    run_forever(shop, 3)

    failed = [entry for entry in log if entry["event"] == "worker failed"]
    assert rounds == 6
    assert [entry["work"] for entry in failed].count("worker") == 6
    assert [entry["work"] for entry in failed].count("reconciliation") == 3  # once a minute, until it comes to its end
    assert all(entry["failure"].startswith("KeyError at ") and "in fail" in entry["failure"] for entry in failed)
    assert "ada@example.com" not in str(failed)
    assert shop.read(reference).state is OrderState.PAID


def test_it_logs_what_stays_unresolved(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    more = {"return_url": "http://other.test/", "metadata[order_reference]": "LOST-LOST-LOST-LOST"}
    payment = shop.stripe("POST", "/v1/payment_intents", {**form, **more})["id"]

    with capture_logs() as log:
        run_forever(shop, 0.5)

    (unresolved,) = [entry for entry in log if entry["event"] == "left for a person"]
    assert unresolved["subject"] == f"payment {payment}"
    assert (unresolved["code"], unresolved["reference"]) == ("order_not_here", "LOST-LOST-LOST-LOST")
    assert [entry["left"] for entry in log if entry["event"] == "reconciled"] == [1]


@pytest.mark.on_both_databases
def test_it_continues_during_an_outage_and_repairs_afterwards(shop: Shop) -> None:
    reference = paid_without_webhook(shop)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    assert run_forever(shop, 16) == 32
    shop.transport.before = lambda _method, _path: None
    run_forever(shop, 16)

    assert shop.read(reference).state is OrderState.PAID


class BrokenFor:
    """The gateway, which fails for one payment."""

    def __init__(self, gateway: PaymentGateway, provider_payment_id: str) -> None:
        self._gateway, self._payment_id = gateway, provider_payment_id

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        if provider_payment_id == self._payment_id:
            raise ZeroDivisionError
        return self._gateway.retrieve_payment(provider_payment_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


@pytest.mark.on_both_databases
def test_many_failing_orders_do_not_block_another(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than the worker takes at once, and all due before the sound one."""
    monkeypatch.setattr(worker, "BATCH", 2)
    for _ in range(5):
        shop.open(shop.order())
    with shop.services.database.transaction() as session:  # as of another account
        session.execute(text("UPDATE payments SET provider_payment_id = 'pi_gone_' || order_id"))
    shop.clock.forward(seconds=1)
    sound = shop.order()
    shop.open(sound)
    shop.clock.forward(minutes=31)

    for _ in range(4):
        worker.run(shop.services, shop.clock())
        shop.clock.forward(seconds=90)

    assert shop.read(sound.reference).state is OrderState.EXPIRED


@pytest.mark.on_both_databases
def test_a_failing_order_does_not_block_another(shop: Shop) -> None:
    broken, sound = shop.order(), shop.order()
    payment = shop.open(broken).snapshot.provider_payment_id
    shop.pay(sound, "4000000000000002")
    shop.deliver()
    shop.clock.forward(minutes=31)

    with capture_logs() as log:
        done = worker.run(replace(shop.services, gateway=BrokenFor(shop.services.gateway, payment)), shop.clock())

    assert done == 2  # the other order, and the email about it
    assert shop.read(sound.reference).state is OrderState.EXPIRED
    assert shop.read(broken.reference).state is OrderState.AWAITING_PAYMENT
    failed = [(entry["order"], entry["work"]) for entry in log if entry["event"] == "worker failed"]
    assert failed == [(broken.reference, "_expire")]
