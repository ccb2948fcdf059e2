"""Reconciliation mends what was missed, the audit sees what disagrees, the doctor sees what will not work."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from config import STRIPE_API_VERSION
from store.domain.states import OrderState
from store.services import audit, doctor, reconcile
from store.webhooks import inbox
from store.webhooks.handlers import HANDLERS
from tests.support.shop import NoAnswer, Shop


def audited(shop: Shop) -> list[str]:
    with shop.till.database.reading() as session:
        return [str(finding) for finding in audit.run(session, shop.clock())]


def reconciled(shop: Shop) -> reconcile.Report:
    now = shop.clock()
    return reconcile.run(shop.till, now - timedelta(hours=24), now)


def test_a_payment_nobody_told_of_is_found_and_written_down(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.lose()
    before = [str(finding) for finding in reconcile.compare(shop.till, shop.clock() - timedelta(hours=1))]

    report = reconciled(shop)

    assert before == [f"order {order.reference}: is paid at Stripe and not here. Run `flask reconcile`."]
    assert f"order {order.reference}: order.payment_received" in report.mended
    assert report.left == []
    assert shop.read(order.reference).state is OrderState.PAID
    assert reconciled(shop).mended == []


def test_refunds_and_disputes_nobody_told_of_are_found(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000000000000259")
    shop.clock.forward(seconds=5)
    shop.lose()
    other = shop.order(2)
    shop.pay(other)
    shop.lose()
    intent = shop.stripe("GET", "/v1/payment_intents")["data"][0]["id"]
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "100"})
    shop.lose()

    reconciled(shop)

    assert shop.read(order.reference).disputed
    assert shop.read(other.reference).payment.refunded_minor == 100


def test_events_that_did_not_arrive_are_caught_up_with(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.send_to(lambda _delivery: 500)

    handled = inbox.catch_up(shop.till, shop.clock() - timedelta(hours=1), shop.clock())

    assert handled >= 2
    assert shop.read(order.reference).state is OrderState.PAID


def test_money_for_an_order_that_is_not_here_is_listed_and_another_programs_is_not(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    form["return_url"] = "http://other.test/"
    shop.stripe("POST", "/v1/payment_intents", form)
    shop.stripe("POST", "/v1/payment_intents", {**form, "metadata[order_reference]": "LOST-LOST-LOST-LOST"})

    left = [str(finding) for finding in reconciled(shop).left]

    assert len(left) == 1
    assert "$7.00 came in for order LOST-LOST-LOST-LOST, which this store does not have." in left[0]


def test_a_shop_in_order_has_nothing_for_the_audit(shop: Shop) -> None:
    for number in ("4242424242424242", "4000000000000002", "4000002500003155"):
        shop.pay(shop.order(2), number)
    shop.deliver()

    assert audited(shop) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE orders SET state = 'paid', goods = 'sold'", "is paid, but its payment is not"),
        ("UPDATE payments SET state = 'paid', received_minor = 800", "was paid for, but is not paid"),
        ("UPDATE payments SET state = 'paid', received_minor = 1", "with another amount"),
        ("UPDATE orders SET total_minor = 1", "not the sum of its lines"),
        ("UPDATE products SET held = held + 1 WHERE slug = 'cedar-pencil'", "pieces are held"),
        ("UPDATE orders SET goods = 'sold'", "goods that are not where its state says"),
        ("UPDATE orders SET needs_review = true", "is set aside for a person"),
        ("UPDATE orders SET expires_at = '2020-01-01 00:00:00'", "should have expired long ago"),
        ("UPDATE payments SET refund_due = true", "waits for a refund"),
        ("UPDATE payments SET state = 'paid', received_minor = 800, refunded_minor = 5", "agree with its refunds"),
    ],
)
def test_the_audit_finds_what_somebody_broke(shop: Shop, damage: str, found: str) -> None:
    shop.order(2)
    with shop.till.database.transaction() as session:
        session.execute(text(damage))

    assert any(found in finding for finding in audited(shop)), audited(shop)


def diagnosis(shop: Shop) -> list[str]:
    found = doctor.run(shop.till, frozenset(HANDLERS), STRIPE_API_VERSION, shop.clock())
    return [str(finding) for finding in found]


def test_the_doctor_finds_nothing_wrong_with_a_good_set_up(shop: Shop) -> None:
    assert diagnosis(shop) == []


def test_the_doctor_sees_a_clock_that_is_off(shop: Shop) -> None:
    shop.clock.forward(minutes=10)

    assert any("clock is" in finding for finding in diagnosis(shop))


def test_the_doctor_sees_a_missing_and_an_incomplete_endpoint(shop: Shop) -> None:
    endpoint = shop.stripe("GET", "/v1/webhook_endpoints")["data"][0]["id"]
    shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"enabled_events[0]": "payment_intent.succeeded"})
    incomplete = diagnosis(shop)
    shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"disabled": "true"})

    assert any("is not told of charge.dispute.closed" in finding for finding in incomplete)
    assert any("no enabled endpoint" in finding for finding in diagnosis(shop))


def test_the_doctor_sees_a_mail_server_that_is_not_there(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(mail_server="127.0.0.1", mail_port=9)

    assert any("127.0.0.1:9 does not answer" in finding for finding in diagnosis(shop))


def test_the_doctor_sees_that_stripe_does_not_answer(shop: Shop) -> None:
    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.line.before = away

    assert any("does not answer" in finding for finding in diagnosis(shop))


def test_the_commands_say_what_they_found_and_exit_accordingly(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.lose()
    run = shop.app.test_cli_runner().invoke

    results = {
        "audit --stripe": run(args=["audit", "--stripe"]),
        "reconcile": run(args=["reconcile"]),
        "audit": run(args=["audit"]),
        "refund": run(args=["refund", order.reference, "--amount", "100"]),
        "refund of nothing": run(args=["refund", "NO-SUCH-ORDER"]),
        "refund of too much": run(args=["refund", order.reference, "--amount", "100000"]),
        "doctor": run(args=["doctor"]),
    }

    assert {name: result.exit_code for name, result in results.items()} == {
        "audit --stripe": 1,
        "reconcile": 0,
        "audit": 0,
        "refund": 0,
        "refund of nothing": 1,
        "refund of too much": 1,
        "doctor": 0,
    }, json.dumps({name: result.output for name, result in results.items()}, indent=1)
    assert "Everything agrees." in results["audit"].output
