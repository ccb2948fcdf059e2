"""Events in any order, also about a payment that the store does not know yet, end in the same state."""

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import func, select

from models import UnmatchedEvent
from store.domain.states import OrderState, PaymentState
from store.services import reconciliation
from store.services.operations import audit, worker
from store.services.payments import unmatched_events
from tests.support.shop import Shop, event_of
from till_sandbox.webhooks.sending import Outgoing

RELEVANT = ("payment_intent.created", "payment_intent.succeeded", "refund.", "charge.dispute.")


def paid_without_webhook(shop: Shop, method: str) -> tuple[str, str]:
    """An order whose payment was made and paid at Stripe without a webhook, and the payment's id there."""
    order = shop.order(2)
    form = {
        "amount": str(order.total_minor),
        "currency": order.currency,
        "confirm": "true",
        "payment_method": method,
        "return_url": "http://store.test/",
        "metadata[order_reference]": order.reference,
    }
    return order.reference, shop.stripe("POST", "/v1/payment_intents", form)["id"]


def sent_webhooks(shop: Shop) -> list[Outgoing]:
    """The webhooks that Stripe sent about it, of the types that the store handles."""
    events = shop.lose()
    shop.clock.forward(seconds=5)
    return [delivery for delivery in events + shop.lose() if event_of(delivery)["type"].startswith(RELEVANT)]


def deliver(shop: Shop, deliveries: Sequence[Outgoing]) -> None:
    assert {shop.receive(delivery) for delivery in deliveries} <= {200}


def count_unmatched(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return session.scalar(select(func.count(UnmatchedEvent.id))) or 0


def agrees(shop: Shop) -> bool:
    with shop.services.database.reading() as session:
        found = audit.run(session, shop.clock())
    return found + reconciliation.compare(shop.services, shop.clock() - timedelta(hours=1)) == []


def test_a_refund_reported_before_its_payment_counts(shop: Shop) -> None:
    """All 24 sequences of four events, with an order of the shop for each."""
    before = shop.product().stock, shop.product().reserved
    for order in permutations(range(4)):
        reference, payment = paid_without_webhook(shop, "pm_card_visa")
        shop.stripe("POST", "/v1/refunds", {"payment_intent": payment})
        deliveries = sent_webhooks(shop)
        assert [event_of(delivery)["type"] for delivery in deliveries] == [
            *("payment_intent.created", "payment_intent.succeeded", "refund.created", "refund.updated")
        ]

        deliver(shop, [deliveries[number] for number in order])

        after = shop.read(reference)
        assert (after.state, after.payment.state) == (OrderState.REFUNDED, PaymentState.REFUNDED), order
        assert shop.history(reference).count("refund.succeeded") == 1, order
        assert (shop.product().stock, shop.product().reserved) == before, order
        assert count_unmatched(shop) == 0, order
    assert agrees(shop)


def test_a_refund_reported_before_its_payment_is_no_disagreement(shop: Shop) -> None:
    reference, payment = paid_without_webhook(shop, "pm_card_visa")
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    created, succeeded, *refund = sent_webhooks(shop)

    deliver(shop, [created, *refund])
    with shop.services.database.reading() as session:
        meanwhile = audit.run(session, shop.clock())
    deliver(shop, [succeeded])

    assert meanwhile == []
    assert shop.read(reference).payment.refunded_minor == 100
    assert agrees(shop)


def test_a_dispute_reported_before_its_payment_is_recorded(shop: Shop) -> None:
    reference, _ = paid_without_webhook(shop, "pm_card_createDispute")
    deliveries = sent_webhooks(shop)
    assert event_of(deliveries[-1])["type"].startswith("charge.dispute.")

    deliver(shop, list(reversed(deliveries)))

    assert shop.read(reference).disputed
    assert shop.read(reference).state is OrderState.PAID
    assert shop.history(reference).count("dispute.needs_response") == 1
    assert count_unmatched(shop) == 0
    assert agrees(shop)


def test_an_event_reported_early_and_twice_counts_once(shop: Shop) -> None:
    reference, payment = paid_without_webhook(shop, "pm_card_visa")
    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "100"})
    deliveries = list(reversed(sent_webhooks(shop)))

    deliver(shop, deliveries + deliveries)

    assert shop.read(reference).payment.refunded_minor == 100
    assert agrees(shop)


@pytest.mark.on_both_databases
def test_refunds_of_other_programs_are_deleted_after_a_while(shop: Shop) -> None:
    form = {"amount": "700", "currency": "usd", "confirm": "true", "return_url": "http://other.test/"}
    other = shop.stripe("POST", "/v1/payment_intents", {**form, "payment_method": "pm_card_visa"})["id"]
    shop.stripe("POST", "/v1/refunds", {"payment_intent": other})

    answers = {json.loads(shop.post_webhook(each.body, each.headers).data)["outcome"] for each in sent_webhooks(shop)}

    assert answers == {"ignored"}
    assert count_unmatched(shop) == 2
    shop.clock.forward(seconds=unmatched_events.KEPT.total_seconds() - 60)
    worker.run(shop.services, shop.clock())
    assert count_unmatched(shop) == 2
    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())
    assert count_unmatched(shop) == 0
