"""Stripe and the store are compared both ways; what is safe to repair is repaired, the rest is reported."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from models import Order, Payment
from store.cli.findings import BY_HAND, problem_of
from store.domain.states import OrderState
from store.services import reconciliation
from store.services.operations import worker
from store.services.payments import disputes
from tests.support.shop import Shop, event_of

PAYS, DISPUTED, INQUIRED, REFUNDED_SLOWLY = (
    "4242424242424242",
    "4000000000000259",
    "4000000000001976",
    "4000000000007726",
)


def compared(shop: Shop, hours: float = 1) -> list[str]:
    return [
        str(problem_of(finding))
        for finding in reconciliation.compare(shop.services, shop.clock() - timedelta(hours=hours))
    ]


def reconciled(shop: Shop, hours: float = 1) -> reconciliation.Report:
    return reconciliation.repair(shop.services, shop.clock() - timedelta(hours=hours), shop.clock())


def unresolved(shop: Shop) -> list[str]:
    return [str(problem_of(finding)) for finding in reconciled(shop).unresolved]


def paid(shop: Shop, number: str = PAYS) -> tuple[str, str]:
    """An order that was paid, and its payment's name at Stripe."""
    order = shop.order(2)
    payment = shop.open(order)
    shop.confirm(payment, number)
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    worker.run(shop.services, shop.clock())
    return order.reference, payment.snapshot.provider_payment_id


def payments_of(shop: Shop, reference: str) -> list[Payment]:
    with shop.services.database.reading() as session:
        return list(
            session.scalars(select(Payment).join(Order).where(Order.reference == reference).order_by(Payment.id))
        )


def damage(shop: Shop, statement: str) -> None:
    with shop.services.database.transaction() as session:
        session.execute(text(statement))


def at_stripe(shop: Shop, kind: str) -> str:
    name: str = shop.stripe("GET", f"/v1/{kind}")["data"][0]["id"]
    return name


@pytest.mark.on_both_databases
def test_a_shop_that_received_every_webhook_agrees_with_stripe(shop: Shop) -> None:
    _, payment = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    paid(shop, DISPUTED)
    paid(shop, REFUNDED_SLOWLY)
    shop.pay(shop.order(), "4000000000000002")
    shop.deliver()

    assert compared(shop) == []
    assert reconciled(shop).repaired == []


def test_reconciliation_records_a_refund_whose_webhook_was_lost(shop: Shop) -> None:
    reference, payment = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    shop.lose()
    refund = at_stripe(shop, "refunds")

    before, report = compared(shop), reconciled(shop)

    wrong = f"has a refund of $1.00 at Stripe, {refund}, that is not here."
    assert before == [f"order {reference}: {wrong} Run `flask reconcile`."]
    assert (report.repaired, report.unresolved) == ([f"order {reference}: refund.succeeded"], [])
    assert shop.read(reference).payment.refunded_minor == 100
    assert compared(shop) == []


def test_reconciliation_updates_a_refund_whose_last_webhook_was_lost(shop: Shop) -> None:
    """It was requested long before the window, and its last webhook was lost."""
    reference, payment = paid(shop, REFUNDED_SLOWLY)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment})
    refund = shop.deliver() and at_stripe(shop, "refunds")
    shop.clock.forward(hours=30)
    shop.lose()

    before, report = compared(shop), reconciled(shop)

    wrong = f"has a refund, {refund}, pending here, succeeded at Stripe."
    assert before == [f"order {reference}: {wrong} Run `flask reconcile`."]
    assert (report.repaired, report.unresolved) == ([f"order {reference}: refund.succeeded"], [])


def test_a_refund_with_a_different_amount_stays_unresolved(shop: Shop) -> None:
    reference, payment = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    shop.deliver()
    damage(shop, "UPDATE refunds SET amount_minor = 300")

    wrong = f"has a refund, {at_stripe(shop, 'refunds')}, of $3.00 here and of $1.00 at Stripe."
    assert f"order {reference}: {wrong} Settle the difference." in unresolved(shop)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("kind", ["refund", "dispute", "payment"])
def test_what_stripe_does_not_have_stays_unresolved(shop: Shop, kind: str) -> None:
    reference, payment = paid(shop, DISPUTED)
    if kind == "refund":
        reference, payment = paid(shop)
        shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
        shop.deliver()
    damage(
        shop,
        {
            "refund": "UPDATE refunds SET provider_refund_id = 're_nowhere'",
            "dispute": "UPDATE disputes SET provider_dispute_id = 'dp_nowhere', state = 'won'",
            "payment": "UPDATE payments SET provider_payment_id = 'pi_nowhere'",
        }[kind],
    )

    finding = {
        "refund": "has a refund of $1.00, re_nowhere, that Stripe does not have.",
        "dispute": "has a dispute, dp_nowhere, that Stripe does not have.",
        "payment": "has a payment, pi_nowhere, that Stripe does not have.",
    }[kind]
    assert any(
        line.startswith(f"order {reference}: {finding} Check that STRIPE_SECRET_KEY is") for line in compared(shop)
    )
    assert any(
        line.startswith(f"order {reference}: {finding} Check that STRIPE_SECRET_KEY is") for line in unresolved(shop)
    )


def test_reconciliation_records_a_dispute_whose_webhook_was_lost(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, DISPUTED)
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.lose()
    dispute = at_stripe(shop, "disputes")

    before, report = compared(shop), reconciled(shop)

    wrong = f"has a dispute of $8.00 at Stripe, {dispute}, that is not here."
    assert before == [f"order {order.reference}: {wrong} Run `flask reconcile`."]
    assert (report.repaired, report.unresolved) == ([f"order {order.reference}: dispute.needs_response"], [])
    assert shop.read(order.reference).disputed


@pytest.mark.parametrize(("evidence", "end"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_the_end_of_an_old_dispute_is_found(shop: Shop, evidence: str, end: str) -> None:
    reference, _ = paid(shop, DISPUTED)
    dispute = at_stripe(shop, "disputes")
    shop.clock.forward(hours=24 * 60)
    shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": evidence})
    shop.clock.forward(seconds=5)
    shop.lose()

    before, report = compared(shop), reconciled(shop)

    wrong = f"has a dispute, {dispute}, needs_response here, {end} at Stripe."
    assert before == [f"order {reference}: {wrong} Run `flask reconcile`."]
    assert (report.repaired, report.unresolved) == ([f"order {reference}: dispute.{end}"], [])
    assert shop.read(reference).disputed is (end == "lost")


@pytest.mark.on_both_databases
def test_a_dispute_with_a_different_amount_stays_unresolved(shop: Shop) -> None:
    reference, _ = paid(shop, INQUIRED)
    damage(shop, "UPDATE disputes SET amount_minor = 1")

    wrong = f"has a dispute, {at_stripe(shop, 'disputes')}, of $0.01 here and of $8.00 at Stripe."
    assert unresolved(shop) == [f"order {reference}: {wrong} Go by Stripe's dashboard."]


@pytest.mark.on_both_databases
def test_an_unresolved_finding_does_not_say_to_reconcile_again(shop: Shop) -> None:
    """A refund that failed stays failed here, whatever is reported later."""
    reference, payment = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    shop.deliver()
    damage(shop, "UPDATE refunds SET state = 'failed'")
    damage(shop, "UPDATE payments SET refunded_minor = 0")

    wrong = f"has a refund, {at_stripe(shop, 'refunds')}, failed here, succeeded at Stripe."
    assert unresolved(shop) == [f"order {reference}: {wrong} {BY_HAND}"]


def test_a_payment_cancelled_at_stripe_cancels_its_order(shop: Shop) -> None:
    order = shop.order(2)
    payment = shop.open(order).snapshot.provider_payment_id
    shop.stripe("POST", f"/v1/payment_intents/{payment}/cancel")
    shop.lose()

    before, report = compared(shop), reconciled(shop)

    wrong = "waits here for a payment that is cancelled at Stripe."
    assert before == [f"order {order.reference}: {wrong} Run `flask reconcile`."]
    assert report.unresolved == []
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert shop.product().reserved == 0


def test_an_order_that_waits_is_compared_however_long_ago_it_was_placed(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(hold_minutes=600)
    order = shop.order()
    shop.pay(order)
    shop.clock.forward(hours=4)
    shop.lose()

    before, report = compared(shop, hours=1), reconciled(shop, hours=1)

    assert before == [f"order {order.reference}: is paid at Stripe and not here. Run `flask reconcile`."]
    assert report.unresolved == []
    assert shop.read(order.reference).state is OrderState.PAID


@pytest.mark.on_both_databases
def test_an_open_payment_of_a_closed_order_is_cancelled(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    damage(shop, "UPDATE orders SET state = 'cancelled', reservation = 'released'")
    damage(shop, "UPDATE products SET reserved = 0")

    before, report = compared(shop), reconciled(shop)

    assert before == [f"order {order.reference}: is cancelled, and can still be paid at Stripe. Run `flask reconcile`."]
    assert report.unresolved == []
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "duplicate")


@pytest.mark.on_both_databases
def test_a_payment_with_a_different_amount_stays_unresolved(shop: Shop) -> None:
    reference, _ = paid(shop)
    damage(shop, "UPDATE orders SET total_minor = 700")

    assert f"order {reference}: was paid $8.00 at Stripe. Settle the difference." in compared(shop)


@pytest.mark.on_both_databases
def test_an_order_marked_paid_without_a_payment_stays_unresolved(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)
    damage(shop, "UPDATE payments SET state = 'paid', received_minor = 800")

    expected = "is paid here and not at Stripe. Send nothing out; find out who wrote it."
    assert compared(shop) == [f"order {order.reference}: {expected}"]


@pytest.mark.on_both_databases
def test_reconciliation_finds_a_second_payment_and_refunds_it(shop: Shop) -> None:
    reference, _ = paid(shop)
    form = {"amount": "800", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
    more = {"metadata[order_reference]": reference, "return_url": "http://other.test/"}
    second = shop.stripe("POST", "/v1/payment_intents", {**form, **more})["id"]
    shop.lose()

    before, report = compared(shop), reconciled(shop)

    assert before == [f"order {reference}: was paid a second time, by {second}. Run `flask reconcile`."]
    assert f"order {reference}: payment.second" in report.repaired
    assert compared(shop) == []
    assert [payment.refund_due for payment in payments_of(shop, reference)] == [False, True]


@pytest.mark.on_both_databases
def test_a_finding_about_one_order_does_not_hide_others(shop: Shop) -> None:
    """A payment, two refunds and two disputes, each of an order of its own."""
    references = [paid(shop)[0]]
    for _ in range(2):
        reference, payment = paid(shop)
        shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
        references.append(reference)
    references += [paid(shop, DISPUTED)[0] for _ in range(2)]
    shop.deliver()
    damage(shop, "UPDATE orders SET total_minor = 700 WHERE id = (SELECT min(id) FROM orders)")
    damage(shop, "UPDATE refunds SET amount_minor = 300")
    damage(shop, "UPDATE disputes SET amount_minor = 300")

    findings = compared(shop)

    assert sorted(line.split(": ")[0] for line in findings) == sorted(f"order {reference}" for reference in references)
    assert set(findings) < set(unresolved(shop))  # which audits as well


@pytest.mark.on_both_databases
def test_the_report_lists_every_repaired_order(shop: Shop) -> None:
    orders = [shop.order() for _ in range(3)]
    for order in orders:
        shop.pay(order)
    shop.lose()

    report = reconciled(shop)

    assert report.compared == 3
    assert {line for line in report.repaired if "payment_received" in line} == {
        f"order {order.reference}: order.payment_received" for order in orders
    }


def test_reconciliation_ignores_refunds_and_disputes_of_other_programs(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "return_url": "http://other.test/"}
    intent = shop.stripe("POST", "/v1/payment_intents", {**form, "payment_method": "pm_card_createDispute"})["id"]
    other = shop.stripe("POST", "/v1/payment_intents", {**form, "payment_method": "pm_card_visa"})["id"]
    shop.stripe("POST", "/v1/refunds", {"payment_intent": other})
    shop.clock.forward(seconds=5)
    shop.lose()

    report = reconciled(shop)

    assert shop.stripe("GET", "/v1/disputes")["data"][0]["payment_intent"] == intent
    assert (compared(shop), report.repaired, report.unresolved) == ([], [], [])


def test_reconciliation_compares_more_than_one_page_of_a_list(shop: Shop) -> None:
    """Stripe lists a hundred at a time."""
    reference, payment = paid(shop)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    shop.lose()
    others = {"amount": "700", "currency": "usd"}
    for _ in range(101):
        shop.stripe("POST", "/v1/payment_intents", others)
    shop.send_to(lambda delivery: 500 if "refund" in event_of(delivery)["type"] else 200)

    report = reconciled(shop)

    assert report.compared == 102
    assert report.repaired == [f"order {reference}: refund.succeeded"]


def test_a_webhook_during_the_comparison_is_no_disagreement(shop: Shop) -> None:
    """The list is read, then the payment comes in and its webhook is quicker than the comparison."""
    order = shop.order(2)
    payment = shop.open(order)
    done: list[str] = []

    def meanwhile(method: str, path: str) -> None:
        if (method, path) == ("GET", "/v1/payment_intents") and not done:
            done.append("paid")
            shop.confirm(payment)
            shop.deliver()

    shop.transport.after = meanwhile

    assert compared(shop) == []
    assert done == ["paid"]
    assert shop.read(order.reference).state is OrderState.PAID


def test_an_undecided_dispute_still_flags_its_order() -> None:
    assert set(disputes.UNDECIDED) < set(disputes.STANDING)
