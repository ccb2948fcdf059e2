"""An order's history has everything that happened to it: once, in order, with its source and its amounts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from store.domain.money import Money
from store.services import checkout, orders
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import refunds
from tests.support.shop import Shop

Line = tuple[str, str | None, str | None, str, dict[str, Any]]

PLACED: Line = ("order.placed", None, "awaiting_payment", "shopper", {"total": 800})
OPENED: Line = ("payment.opened", "unopened", "open", "store", {})
PAID: list[Line] = [
    ("payment.paid", "open", "paid", "webhook", {"amount": 800}),
    ("order.payment_received", "awaiting_payment", "paid", "webhook", {"late": False}),
]


def history(shop: Shop, reference: str) -> list[Line]:
    entries = shop.read(reference).history
    return [(entry.type, entry.from_state, entry.to_state, entry.source, entry.data) for entry in entries]


def paid(shop: Shop) -> str:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return order.reference


def refund(shop: Shop, reference: str, amount: int | None = None) -> None:
    money = None if amount is None else Money(amount, "usd")
    with shop.services.database.reading() as session:
        key = refunds.next_key(session, orders.peek(session, reference, orders.STAFF))
    refunds.submit(shop.services, reference, money, key, Origin(Source.STAFF, shop.clock()))


def test_of_an_order_that_is_paid(shop: Shop) -> None:
    assert history(shop, paid(shop)) == [PLACED, OPENED, *PAID]


def test_every_entry_has_its_time(shop: Shop) -> None:
    begun = shop.clock()
    order = shop.order(2)
    shop.clock.forward(minutes=3)
    shop.pay(order)
    shop.clock.forward(minutes=2)
    shop.deliver()

    entries = shop.read(order.reference).history

    assert [round((entry.at - begun) / timedelta(minutes=1)) for entry in entries] == [0, 3, 5, 5]
    assert shop.read(order.reference).paid_at == entries[-1].at


def test_of_an_order_that_is_paid_after_a_decline_and_a_challenge(shop: Shop) -> None:
    order = shop.order(2)
    payment = shop.open(order)
    shop.confirm(payment, "4000000000009995")
    shop.deliver()
    shop.clock.forward(seconds=1)  # within one second, the question would be taken for one before the refusal
    intent = shop.confirm(payment, "4000002760003184")
    shop.deliver()
    shop.challenge(intent, "complete")
    shop.deliver()

    assert history(shop, order.reference) == [
        PLACED,
        OPENED,
        ("payment.declined", None, None, "webhook", {"decline_code": "insufficient_funds"}),
        ("payment.action_required", "declined", "action_required", "webhook", {}),
        ("payment.paid", "action_required", "paid", "webhook", {"amount": 800}),
        PAID[1],
    ]
    after = shop.read(order.reference).payment
    assert (after.declines, after.last_decline) == (1, "insufficient_funds")
    assert (after.card_brand, after.card_last4) == ("visa", "3184")


def test_of_an_order_that_its_shopper_cancels(shop: Shop) -> None:
    order = shop.order(2)
    shop.open(order)

    checkout.cancel(shop.services, order.reference, shop.clock())

    assert history(shop, order.reference) == [
        PLACED,
        OPENED,
        ("payment.cancelled", "open", "cancelled", "shopper", {}),
        ("order.cancelled", "awaiting_payment", "cancelled", "shopper", {"reason": "by_shopper"}),
    ]


def test_of_an_order_whose_payment_was_never_opened(shop: Shop) -> None:
    order = shop.order(2)
    shop.clock.forward(minutes=31)

    worker.run(shop.services, shop.clock())

    assert history(shop, order.reference) == [
        PLACED,
        ("order.expired", "awaiting_payment", "expired", "worker", {"reason": "expired"}),
    ]


def test_of_an_overdue_order_with_an_open_challenge(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000002760003184")
    shop.deliver()
    shop.clock.forward(minutes=31)
    now = shop.clock()

    worker.run(shop.services, now)

    extended = shop.read(order.reference)
    assert history(shop, order.reference)[-1] == (
        "order.extended", None, None, "worker", {"because": "action_required"},
    )  # fmt: skip
    assert (extended.expires_at, extended.extensions) == (now + timedelta(minutes=5), 1)


def test_of_an_order_cancelled_while_the_worker_asks_stripe(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000002760003184")
    shop.clock.forward(minutes=31)

    def cancel(_method: str, _path: str) -> None:
        shop.transport.after = lambda _method, _path: None
        checkout.cancel(shop.services, order.reference, shop.clock())

    shop.transport.after = cancel
    worker.run(shop.services, shop.clock())

    assert "order.extended" not in shop.history(order.reference)
    assert (shop.read(order.reference).state, shop.read(order.reference).extensions) == ("cancelled", 0)


def test_of_an_order_that_is_refunded_in_parts(shop: Shop) -> None:
    reference = paid(shop)

    refund(shop, reference, 300)
    refund(shop, reference)
    shop.deliver()

    assert history(shop, reference)[4:] == [
        ("refund.requested", None, "requested", "staff", {"amount": 300}),
        ("refund.succeeded", "requested", "succeeded", "staff", {"amount": 300}),
        ("refund.requested", None, "requested", "staff", {"amount": 500}),
        ("refund.succeeded", "requested", "succeeded", "staff", {"amount": 500}),
        ("order.money_returned", "paid", "refunded", "staff", {}),
    ]


def test_of_a_refund_that_fails_after_all(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000000000005126")
    shop.deliver()
    refund(shop, order.reference)
    shop.clock.forward(seconds=10)
    shop.deliver()

    refunded = shop.refunds(order.reference)[0].provider_refund_id
    assert [line for line in history(shop, order.reference) if line[0] != "refund.pending"][-5:] == [
        ("refund.succeeded", "requested", "succeeded", "staff", {"amount": 800}),
        ("order.money_returned", "paid", "refunded", "staff", {}),
        ("refund.failed", "succeeded", "failed", "webhook", {"amount": 800}),
        ("order.refund_failed", "refunded", "paid", "webhook", {}),
        (
            "review.opened",
            None,
            None,
            "webhook",
            {"reason": "refund_failed", "subject": refunded, "reservation": "committed"},
        ),
    ]


def test_of_a_dispute_that_is_lost(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order, "4000000000000259")
    shop.clock.forward(seconds=5)
    shop.deliver()
    dispute = shop.stripe("GET", "/v1/disputes")["data"][0]["id"]
    shop.stripe(
        "POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": "losing_evidence", "submit": "true"}
    )
    shop.clock.forward(seconds=5)
    shop.deliver()

    entries = [line for line in history(shop, order.reference) if line[0].startswith("dispute.")]
    assert entries[0] == ("dispute.needs_response", "new", "needs_response", "webhook", {"amount": 800})
    assert entries[-1] == ("dispute.lost", entries[-2][2], "lost", "webhook", {"amount": 800})


def test_of_a_payment_that_came_when_the_stock_was_gone(shop: Shop) -> None:
    order = shop.order(2)
    payment = shop.open(order)
    shop.confirm(payment)
    late_webhooks = shop.lose()
    with shop.services.database.transaction() as session:  # as after a backup was played back
        session.execute(text("UPDATE orders SET state = 'expired', reservation = 'released'"))
        session.execute(text("UPDATE products SET reserved = 0, stock = 0 WHERE slug = 'cedar-pencil'"))

    for delivery in late_webhooks:
        shop.receive(delivery)
    done = worker.run(shop.services, shop.clock())
    shop.deliver()

    assert done == 2  # the refund, and the email about it
    assert history(shop, order.reference)[2:] == [
        ("payment.paid", "open", "paid", "webhook", {"amount": 800}),
        ("payment.too_late", None, None, "webhook", {"amount": 800}),
        ("refund.requested", None, "requested", "worker", {"amount": 800}),
        ("refund.succeeded", "requested", "succeeded", "worker", {"amount": 800}),
        ("order.money_returned", "expired", "refunded", "worker", {}),
    ]


def test_each_refund_of_an_order_has_a_name_of_its_own(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)

    def names() -> list[str]:
        with shop.services.database.reading() as session:
            return [
                refunds.next_key(session, orders.peek(session, reference, orders.STAFF))
                for reference in (first, second)
            ]

    before = names()
    refund(shop, first, 100)

    assert before == [f"order-{first}-refund-1", f"order-{second}-refund-1"]
    assert names() == [f"order-{first}-refund-2", f"order-{second}-refund-1"]
