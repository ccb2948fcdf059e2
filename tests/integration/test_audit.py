"""The audit names what is wrong, in which order and what to do about it, and says nothing of what is right."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models import InboxEvent
from store.cli.findings import problem_of
from store.domain.money import Money
from store.gateway.port import CancelReason
from store.services import payments, transitions
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.orders import reviews
from store.services.payments import refunds
from tests.support.shop import Shop
from tools.fill_orders import fill

RUNNING = "Is `flask worker --every 30` running?"
ELSE = "If it is, `flask reconcile` says what stands in its way."
UNPAID_PAYMENT = "is paid, but its payment is not. Run `flask reconcile`; send nothing out before."
PAID_FOR_NOTHING = "was paid for, but is not paid. Refund it with `flask refund`, or look into it."
WRONG_AMOUNT = "was paid with another amount than its total. Settle the difference."
WRONG_PAYMENT = "has a payment of another amount than its total. Look into it before it is sent."
NOT_SENT = (
    "has lines that do not agree with its shipments. Look into its timeline with `flask order`, and at what was sent."
)
WRONG_REFUNDS = "does not agree with its refunds. Run `flask reconcile`."
WRONG_STOCK = "has stock that is not where its state says. Look into its timeline with `flask order`."
WRONG_FLAG = "is flagged as disputed, or not, against its disputes. Run `flask reconcile`."


def wrong_total(total: str, quoted: str) -> str:
    return f"has a total of {total}; its lines and adjustments come to {quoted}. Look into it before it is sent."


def in_review(reference: str) -> str:
    return f"order {reference}: waits for a person: refund_failed. See `flask order {reference}`, then `flask resolve`."


def open_review(shop: Shop, reference: str) -> None:
    with shop.services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        reviews.open_review(session, order, "refund_failed", Origin(Source.WEBHOOK, shop.clock()))


def audited(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]


def damage(shop: Shop, statement: str, **values: Any) -> None:
    with shop.services.database.transaction() as session:
        session.execute(text(statement), values)


def one(table: str, change: str) -> str:
    """Changes one order's row, or its payment's."""
    key = {"orders": "id = :id", "refunds": "payment_id = :id"}.get(table, "order_id = :id")
    return f"UPDATE {table} SET {change} WHERE {key}"  # noqa: S608  # the tests' own text


def paid(shop: Shop) -> tuple[str, int]:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return order.reference, order.id


def refunded(shop: Shop, amount: int | None = None) -> tuple[str, int]:
    reference, order_id = paid(shop)
    money = None if amount is None else Money(amount, "usd")
    refunds.submit(shop.services, reference, money, f"{reference}-1", Origin(Source.STAFF, shop.clock()))
    shop.deliver()
    return reference, order_id


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        (one("orders", "disputed = true"), [WRONG_FLAG]),
        (
            "DELETE FROM payments WHERE order_id = :id",
            ["has no live payment, not even one that is not opened. Find out who removed it."],
        ),
        (one("payments", "state = 'paid', received_minor = amount_minor"), [PAID_FOR_NOTHING]),
        (one("payments", "amount_minor = amount_minor + 1"), [WRONG_PAYMENT]),
        (one("orders", "total_minor = total_minor + 1"), [wrong_total("$8.01", "$8.00"), WRONG_PAYMENT]),
        (one("order_lines", "unit_price_minor = unit_price_minor + 1"), [wrong_total("$8.00", "$8.02")]),
        (one("payments", "refund_due = true"), [f"waits for a refund that was not made. {RUNNING}"]),
    ],
)
def test_of_two_orders_that_wait_only_the_broken_one_is_named(shop: Shop, statement: str, wrong: list[str]) -> None:
    broken = shop.order(2)
    shop.order(1)

    damage(shop, statement, id=broken.id)

    assert audited(shop) == [f"order {broken.reference}: {sentence}" for sentence in wrong]


@pytest.mark.on_both_databases
def test_an_order_without_lines_has_no_total(shop: Shop) -> None:
    broken = shop.order(2)

    damage(shop, "DELETE FROM order_lines WHERE order_id = :id", id=broken.id)

    assert f"order {broken.reference}: {wrong_total('$8.00', '$0.00')}" in audited(shop)


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        (one("payments", "state = 'open'"), [UNPAID_PAYMENT]),
        (one("payments", "state = 'refunded'"), [UNPAID_PAYMENT, WRONG_REFUNDS]),
        (one("orders", "state = 'cancelled', reservation = 'released'"), [PAID_FOR_NOTHING]),
        (one("orders", "state = 'expired', reservation = 'released'"), [PAID_FOR_NOTHING]),
        (one("payments", "received_minor = received_minor + 1"), [WRONG_AMOUNT]),
        (one("payments", "refunded_minor = 5"), [WRONG_REFUNDS]),
        (one("orders", "state = 'refunded'"), [WRONG_REFUNDS]),
        (one("orders", "reservation = 'released'"), [WRONG_STOCK]),
        (one("payments", "refunded_minor = received_minor"), [WRONG_REFUNDS]),
    ],
)
def test_of_two_paid_orders_only_the_broken_one_is_named(shop: Shop, statement: str, wrong: list[str]) -> None:
    reference, order_id = paid(shop)
    paid(shop)

    damage(shop, statement, id=order_id)

    assert audited(shop) == [f"order {reference}: {sentence}" for sentence in wrong]


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        (one("payments", "state = 'paid'"), [WRONG_REFUNDS]),
        (one("orders", "state = 'paid', reservation = 'committed'"), [UNPAID_PAYMENT, WRONG_REFUNDS]),
        (one("orders", "state = 'fulfilled', reservation = 'committed'"), [UNPAID_PAYMENT, WRONG_REFUNDS, NOT_SENT]),
        (one("payments", "refunded_minor = refunded_minor - 1"), [WRONG_REFUNDS]),
        (one("refunds", "state = 'failed'"), [WRONG_REFUNDS]),
        (one("payments", "received_minor = received_minor + 1"), [WRONG_AMOUNT, WRONG_REFUNDS]),
        (one("orders", "reservation = 'committed'"), []),  # the stock of a fulfilled order stays committed
    ],
)
def test_of_two_refunded_orders_only_the_broken_one_is_named(shop: Shop, statement: str, wrong: list[str]) -> None:
    reference, order_id = refunded(shop)
    refunded(shop, 100)
    assert audited(shop) == []

    damage(shop, statement, id=order_id)

    assert audited(shop) == [f"order {reference}: {sentence}" for sentence in wrong]


@pytest.mark.on_both_databases
def test_a_fully_refunded_payment_is_not_paid(shop: Shop) -> None:
    reference, order_id = refunded(shop)

    damage(shop, one("orders", "state = 'paid', reservation = 'committed'"), id=order_id)
    damage(shop, one("payments", "state = 'paid'"), id=order_id)

    assert audited(shop) == [f"order {reference}: {WRONG_REFUNDS}"]


@pytest.mark.on_both_databases
def test_an_order_with_a_dispute_that_stands_is_flagged(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order, "4000000000000259")
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    assert audited(shop) == []

    damage(shop, one("orders", "disputed = false"), id=order.id)

    assert audited(shop) == [f"order {order.reference}: {WRONG_FLAG}"]


@pytest.mark.on_both_databases
def test_a_closed_order_has_no_stock(shop: Shop) -> None:
    gone = shop.order(2)
    payments.close(shop.services, gone.reference, CancelReason.BY_SHOPPER, shop.clock())
    assert audited(shop) == []

    damage(shop, one("orders", "reservation = 'committed'"), id=gone.id)

    assert audited(shop) == [f"order {gone.reference}: {WRONG_STOCK}"]


@pytest.mark.on_both_databases
def test_a_paid_order_in_review_is_named_once(shop: Shop) -> None:
    reference, order_id = paid(shop)

    open_review(shop, reference)
    damage(shop, one("orders", "state = 'expired', reservation = 'released'"), id=order_id)

    assert audited(shop) == [in_review(reference)]


@pytest.mark.on_both_databases
def test_a_late_payment_that_awaits_its_refund_has_one_finding(shop: Shop) -> None:
    reference, order_id = paid(shop)

    damage(shop, one("orders", "state = 'expired', reservation = 'released'"), id=order_id)
    damage(shop, one("payments", "refund_due = true"), id=order_id)

    assert audited(shop) == [f"order {reference}: waits for a refund that was not made. {RUNNING}"]


@pytest.mark.on_both_databases
def test_orders_are_named_in_the_order_in_which_they_were_placed(shop: Shop) -> None:
    placed = [shop.order(1).reference for _ in range(3)]

    for reference in placed:
        open_review(shop, reference)

    assert audited(shop) == [in_review(reference) for reference in placed]


@pytest.mark.on_both_databases
def test_reserved_stock_without_an_order_is_found(shop: Shop) -> None:
    shop.order(2)
    paid(shop)

    damage(shop, "UPDATE products SET reserved = reserved + 3 WHERE slug = 'cedar-pencil'")
    damage(shop, "UPDATE products SET reserved = reserved + 1 WHERE slug = 'brass-pen'")

    remedy = "Set `reserved` to what they need."
    assert sorted(audited(shop)) == [
        f"product brass-pen: 1 are reserved, open orders need 0. {remedy}",
        f"product cedar-pencil: 5 are reserved, open orders need 2. {remedy}",
    ]


@pytest.mark.on_both_databases
def test_stock_that_an_open_order_lost_is_found_in_order_and_in_stock(shop: Shop) -> None:
    order = shop.order(2)

    damage(shop, one("orders", "reservation = 'released'"), id=order.id)

    assert audited(shop) == [
        f"order {order.reference}: {WRONG_STOCK}",
        "product cedar-pencil: 2 are reserved, open orders need 0. Set `reserved` to what they need.",
    ]


@pytest.mark.on_both_databases
def test_the_worker_may_be_a_quarter_of_an_hour_behind_and_no_more(shop: Shop) -> None:
    order = shop.order(2)
    paid(shop)

    shop.clock.forward(minutes=44)
    assert not [finding for finding in audited(shop) if "expired" in finding]
    shop.clock.forward(minutes=2)

    assert f"order {order.reference}: should have expired long ago. {RUNNING} {ELSE}" in audited(shop)
    assert len([finding for finding in audited(shop) if "expired" in finding]) == 1


@pytest.mark.on_both_databases
def test_a_requested_refund_may_be_open_for_a_quarter_of_an_hour(shop: Shop) -> None:
    reference, order_id = refunded(shop, 100)
    damage(shop, "UPDATE mails SET sent_at = written_at")
    damage(shop, one("refunds", "state = 'requested'"), id=order_id)
    damage(shop, one("payments", "refunded_minor = 0"), id=order_id)

    shop.clock.forward(minutes=14)
    early = audited(shop)
    shop.clock.forward(minutes=2)

    assert early == []
    assert audited(shop) == [f"order {reference}: waits for a refund that was not made. {RUNNING}"]


@pytest.mark.on_both_databases
def test_an_event_that_could_not_be_handled_is_named_with_its_reason(shop: Shop) -> None:
    now = shop.clock()
    with shop.services.database.transaction() as session:
        session.add(InboxEvent(id="evt_1", type="charge.succeeded", received_at=now, last_error="KeyError"))
        session.add(InboxEvent(id="evt_2", type="charge.succeeded", received_at=now, handled_at=now))

    shop.clock.forward(minutes=14)
    early = audited(shop)
    shop.clock.forward(minutes=2)

    assert early == []
    assert audited(shop) == [
        "event evt_1: a webhook of type charge.succeeded could not be handled (KeyError). "
        "Run `flask reconcile`, and look into the log."
    ]


@pytest.mark.on_both_databases
def test_the_audit_names_an_email_that_cannot_be_sent(shop: Shop) -> None:
    reference, order_id = paid(shop)
    damage(shop, one("mails", "attempts = 4"), id=order_id)

    shop.clock.forward(minutes=14)
    early = audited(shop)
    shop.clock.forward(minutes=2)

    assert early == []
    assert audited(shop) == [
        f"order {reference}: its e-mail “order_paid” was not sent after 4 tries. Check MAIL_SERVER with `flask doctor`."
    ]


@pytest.mark.on_both_databases
def test_an_audit_since_a_time_checks_only_what_changed_since(shop: Shop) -> None:
    old, _ = paid(shop)
    shop.clock.forward(days=2)
    new, _ = paid(shop)
    damage(shop, "UPDATE payments SET amount_minor = amount_minor + 1")

    found = list(audit.stream(shop.services.database, shop.clock(), shop.clock() - timedelta(days=1)))

    assert [each.subject for each in found if each.code == "other_payment_amount"] == [f"order {new}"]
    assert [each.subject for each in found if each.code == "mail_unsent"] == [f"order {old}"]


@pytest.mark.on_both_databases
def test_an_audit_in_parts_finds_the_same_as_in_one(shop: Shop) -> None:
    fill(shop.services.database.engine, 40, seed=1)
    damage(shop, "UPDATE payments SET amount_minor = amount_minor + 1 WHERE order_id % 20 = 0")
    parts: list[tuple[int, int]] = []

    found = list(audit.stream(shop.services.database, shop.clock(), size=15, report=lambda *done: parts.append(done)))

    assert [str(problem_of(finding)) for finding in found] == audited(shop)
    assert len(found) == 2
    assert parts == [(1, 3), (2, 3), (3, 3)]
