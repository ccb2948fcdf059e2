"""Reconciliation repairs what was missed, and the audit finds what disagrees."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from store.cli.findings import problem_of
from store.domain.states import OrderState
from store.services import reconciliation
from store.services.operations import audit
from store.webhooks import inbox
from tests.support.shop import Shop


def audited(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]


def reconciled(shop: Shop) -> reconciliation.Report:
    now = shop.clock()
    return reconciliation.repair(shop.services, now - timedelta(hours=24), now)


def test_reconciliation_records_a_payment_whose_webhook_was_lost(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.lose()
    before = [
        str(problem_of(finding)) for finding in reconciliation.compare(shop.services, shop.clock() - timedelta(hours=1))
    ]

    report = reconciled(shop)

    assert before == [f"order {order.reference}: is paid at Stripe and not here. Run `flask reconcile`."]
    assert f"order {order.reference}: order.payment_received" in report.repaired
    assert report.unresolved == []
    assert shop.read(order.reference).state is OrderState.PAID
    assert reconciled(shop).repaired == []


@pytest.mark.on_both_databases
def test_reconciliation_records_lost_refunds_and_disputes(shop: Shop) -> None:
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


def test_catching_up_handles_events_that_did_not_arrive(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.send_to(lambda _delivery: 500)

    taken = inbox.catch_up(shop.services, shop.clock() - timedelta(hours=1), shop.clock())
    again = inbox.catch_up(shop.services, shop.clock() - timedelta(hours=1), shop.clock())

    assert [line.partition(": ")[2] for line in taken] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert again == []
    assert shop.read(order.reference).state is OrderState.PAID
    assert {entry.source for entry in shop.read(order.reference).history} == {"shopper", "store", "reconciliation"}


def test_reconciliation_lists_a_payment_for_an_unknown_order(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    form["return_url"] = "http://other.test/"
    shop.stripe("POST", "/v1/payment_intents", form)
    shop.stripe("POST", "/v1/payment_intents", {**form, "metadata[order_reference]": "LOST-LOST-LOST-LOST"})

    unresolved = [str(problem_of(finding)) for finding in reconciled(shop).unresolved]

    (found,) = unresolved
    assert found.partition(": ")[2] == (
        "$7.00 came in for order LOST-LOST-LOST-LOST, which this store does not have. "
        "Refund it in Stripe's dashboard, or find out which store took it."
    )


def test_a_correct_shop_has_no_audit_findings(shop: Shop) -> None:
    for number in ("4242424242424242", "4000000000000002", "4000002500003155"):
        shop.pay(shop.order(2), number)
    shop.deliver()

    assert audited(shop) == []


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE orders SET state = 'paid', reservation = 'committed'", "is paid, but its payment is not"),
        ("UPDATE payments SET state = 'paid', received_minor = 800", "was paid for, but is not paid"),
        ("UPDATE payments SET state = 'paid', received_minor = 1", "with another amount"),
        ("UPDATE orders SET total_minor = 1", "its lines and adjustments come to"),
        ("UPDATE products SET reserved = reserved + 1 WHERE slug = 'cedar-pencil'", "are reserved, open orders need"),
        ("UPDATE orders SET reservation = 'committed'", "stock that is not where its state says"),
        ("UPDATE orders SET expires_at = '2020-01-01 00:00:00'", "should have expired long ago"),
        ("UPDATE payments SET refund_due = true", "waits for a refund"),
        ("UPDATE payments SET state = 'paid', received_minor = 800, refunded_minor = 5", "agree with its refunds"),
    ],
)
def test_the_audit_finds_damaged_rows(shop: Shop, damage: str, found: str) -> None:
    shop.order(2)
    with shop.services.database.transaction() as session:
        session.execute(text(damage))

    assert any(found in finding for finding in audited(shop)), audited(shop)


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
    }

    assert {name: result.exit_code for name, result in results.items()} == {
        "audit --stripe": 1,
        "reconcile": 0,
        "audit": 0,
        "refund": 0,
        "refund of nothing": 1,
        "refund of too much": 1,
    }, json.dumps({name: result.output for name, result in results.items()}, indent=1)
    assert "Everything agrees." in results["audit"].output
