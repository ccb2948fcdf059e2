"""Refunds of several orders at a time: each question is about one of them, and says all of it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from models import CouponRow, Dispute, Order, Payment, Product, Refund
from store.domain.errors import RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.states import DisputeState, RefundState
from store.services import transitions
from store.services.findings import Finding
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.orders import reviews
from store.services.payments import accounts, refunds
from store.services.payments.refunds import requests
from tests.support.shop import Shop

NAMES = ("first", "second", "third", "fourth")


def paid(shop: Shop) -> dict[str, Order]:
    """Orders of $20.00 that were paid."""
    placed = {}
    for name in NAMES:
        order = shop.order(5)
        shop.pay(order)
        shop.deliver()
        placed[name] = shop.read(order.reference)
    return placed


def refund(shop: Shop, order: Order, state: RefundState = RefundState.REQUESTED, **values: Any) -> None:
    row = {"payment_id": order.payment.id, "state": state, "amount_minor": 300, "requested_at": shop.clock()}
    with shop.services.database.transaction() as session:
        session.execute(insert(Refund).values({**row, **values}))


def of_payment(shop: Shop, order: Order, **values: Any) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.order_id == order.id).values(values))


def holds(shop: Shop, placed: dict[str, Order], condition: ColumnElement[bool]) -> list[str]:
    with shop.services.database.reading() as session:
        ids = set(session.scalars(select(Order.id).where(condition)))
    return [name for name, order in placed.items() if order.id in ids]


def origin(shop: Shop) -> Origin:
    return Origin(Source.STAFF, shop.clock(), "ada@shop.example")


def test_orders_whose_refunds_wait_are_told_apart(shop: Shop) -> None:
    placed = paid(shop)
    refund(shop, placed["first"])
    refund(shop, placed["second"], RefundState.PENDING)
    refund(shop, placed["third"])
    of_payment(shop, placed["second"], refund_due=True)
    of_payment(shop, placed["third"], account="live:acct_1")
    of_payment(shop, placed["fourth"], account="live:acct_1", refund_due=True)
    foreign = Payment.account == "live:acct_1"

    waiting = holds(shop, placed, refunds.requested(Order.id, ~foreign))
    due = holds(shop, placed, requests.due(Order.id))
    out_of_reach = holds(shop, placed, refunds.out_of_reach(Order.id, foreign))
    with shop.services.database.transaction() as session:
        for name, subject in (("third", "third"), ("fourth", "of another payment")):
            order = transitions.lock_by_reference(session, placed[name].reference)
            payment = order.payment.provider_payment_id if subject == "third" else subject
            reviews.open_review(session, order, accounts.REVIEW, origin(shop), subject=payment or "")
            reviews.open_review(session, order, "amount", origin(shop), subject=order.payment.provider_payment_id or "")
    untold = holds(shop, placed, refunds.out_of_reach(Order.id, foreign))

    assert (waiting, due) == (["first"], ["second", "fourth"])
    assert (out_of_reach, untold) == (["third", "fourth"], ["fourth"])


def test_a_refund_waits_for_the_orders_own_disputes_and_refunds_alone(shop: Shop) -> None:
    shop.clock.stop()
    placed, opened_at = paid(shop), shop.clock() - timedelta(days=1)
    disputes = [
        ("first", DisputeState.NEEDS_RESPONSE, 500, opened_at + timedelta(hours=1)),
        ("first", DisputeState.UNDER_REVIEW, 400, opened_at),
        ("first", DisputeState.WON, 700, opened_at - timedelta(hours=1)),
        ("second", DisputeState.WON, 900, opened_at),
    ]
    with shop.services.database.transaction() as session:
        for number, (name, state, amount, at) in enumerate(disputes):
            row = {"payment_id": placed[name].payment.id, "state": state, "amount_minor": amount, "opened_at": at}
            session.execute(insert(Dispute).values(provider_dispute_id=f"du_{number}", **row))
    refund(shop, placed["third"], RefundState.PENDING)
    refund(shop, placed["third"], amount_minor=200, requested_at=opened_at)
    refund(shop, placed["third"], amount_minor=100)

    asked, refused = dict[str, str](), dict[str, tuple[RefundRefusal, Money | None, object]]()
    for name, order in placed.items():
        try:
            asked[name] = refunds.request(shop.services, order.reference, Money(100, "usd"), origin(shop))
        except RefundRefused as refusal:
            refused[name] = (refusal.reason, refusal.amount, refusal.requested_at)
    besides = refunds.request(shop.services, placed["third"].reference, None, origin(shop), another=True)

    assert refused == {
        "first": (RefundRefusal.DISPUTED, Money(400, "usd"), opened_at),
        "third": (RefundRefusal.EARLIER_UNANSWERED, Money(200, "usd"), opened_at),
    }
    assert asked == {name: f"order-{placed[name].reference}-refund-1" for name in ("second", "fourth")}
    assert besides == f"order-{placed['third'].reference}-refund-4"
    kept = shop.refunds(placed["third"].reference)[-1]
    assert (kept.key, kept.amount_minor, kept.state, kept.requested_at) == (
        besides, 2000 - 300 - 200 - 100, RefundState.REQUESTED, shop.clock(),
    )  # fmt: skip
    (entry,) = [each for each in shop.read(placed["third"].reference).history if each.type == "refund.requested"]
    assert (entry.source, entry.actor, entry.to_state, entry.data) == (
        "staff", "ada@shop.example", "requested", {"amount": 1400},
    )  # fmt: skip


def test_the_audit_says_how_many_pieces_and_uses_there_should_be(shop: Shop) -> None:
    order, _other = shop.order(2), shop.order(3)
    coupon = {"kind": "percent", "thousandths": 10_000, "currency": "usd"}
    with shop.services.database.transaction() as session:
        for code, used in (("MINE", 2), ("RIGHT", 0)):
            session.execute(insert(CouponRow).values(code=code, used=used, **coupon))
        mine = session.scalars(select(CouponRow.id).where(CouponRow.code == "MINE")).one()
        session.execute(update(Order).where(Order.id == order.id).values(coupon_id=mine))
        session.execute(update(Product).where(Product.slug == "cedar-pencil").values(reserved=4))
        session.execute(update(Product).where(Product.slug == "stoneware-mug").values(reserved=1))

    with shop.services.database.reading() as session:
        found = audit.run(session, shop.clock())

    assert found == [
        Finding("product stoneware-mug", "reserved_differs", {"reserved": 1, "needed": 0}),
        Finding("product cedar-pencil", "reserved_differs", {"reserved": 4, "needed": 5}),
        Finding("coupon MINE", "uses_differ", {"used": 2, "orders": 1}),
    ]
