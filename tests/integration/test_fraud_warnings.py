"""An early fraud warning is answered once: with the money, or with a note."""

from typing import Any

import pytest

from models import Order, Review, StaffLogEntry
from store.domain.errors import PaymentUnavailable, ReviewNotResolved
from store.domain.staff import Role
from store.domain.states import OrderState, PaymentState, RefundState
from store.gateway.port import FraudWarningSnapshot
from store.services import transitions
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.orders import reviews
from store.services.payments import fraud_warnings, risk
from tests.support.crash_points import FaultPlan, Process
from tests.support.shop import Shop
from tests.support.staff import staff

WARNED = "4000000000005423"


def warned(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order, WARNED)
    shop.deliver()
    shop.clock.forward(minutes=1)
    shop.deliver()
    return shop.read(order.reference)


def reviews_of(shop: Shop, order: Order) -> dict[str, Review]:
    with shop.services.database.reading() as session:
        return {review.reason: review for review in session.query(Review).where(Review.order_id == order.id)}


def warning_of(shop: Shop, order: Order) -> Review:
    return reviews_of(shop, order)["early_fraud_warning"]


def open_ones(shop: Shop, order: Order) -> list[str]:
    return [reason for reason, review in reviews_of(shop, order).items() if review.resolved_at is None]


def return_money(shop: Shop, order: Order) -> RefundState | None:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    return fraud_warnings.return_money(shop.services, order.reference, warning_of(shop, order).id, origin)


def refunds_at_stripe(shop: Shop, order: Order) -> list[tuple[int, str | None]]:
    listed: list[dict[str, Any]] = shop.stripe(
        "GET", "/v1/refunds", {"payment_intent": str(order.payment.provider_payment_id)}
    )["data"]
    return [(refund["amount"], refund["reason"]) for refund in listed]


def open_another(shop: Shop, order: Order) -> None:
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        reviews.open_review(session, locked, "risk_review", Origin(Source.WEBHOOK, shop.clock()), subject="prv_1")


def test_a_warned_payment_is_refunded_with_one_button(shop: Shop) -> None:
    order = warned(shop)
    open_another(shop, order)
    browser = staff(shop, Role.SERVICE)
    path = f"/admin/orders/{order.reference}/warnings/{warning_of(shop, order).id}/refund"
    offered = [path in browser.get(page).text for page in ("/admin", f"/admin/orders/{order.reference}")]

    said = browser.post(path, {"back": "today"}, page="/admin")
    again = browser.post(path, {}, page="/admin")

    after = shop.read(order.reference)
    assert offered == [True, True]
    assert (said.status_code, said.location) == (303, "/admin")
    assert "there is nothing to resolve" in browser.get(again.location).text
    assert refunds_at_stripe(shop, order) == [(order.total_minor, "fraudulent")]
    assert (after.state, after.payment.state) == (OrderState.REFUNDED, PaymentState.REFUNDED)
    answered = warning_of(shop, after)
    assert (answered.resolved_by, answered.note) == ("service@shop.example", "The payment was returned.")
    assert open_ones(shop, order) == ["risk_review"]
    with shop.services.database.reading() as session:
        log = [(entry.action, entry.subject) for entry in session.query(StaffLogEntry).order_by(StaffLogEntry.id)]
    assert log == [
        ("review.resolved", order.reference),
        ("refund.requested", order.reference),
        ("refund.succeeded", order.reference),
        ("order.money_returned", order.reference),
    ]


def test_a_warning_is_dismissed_with_a_note_and_nothing_else_is(shop: Shop) -> None:
    order = warned(shop)
    open_another(shop, order)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/resolve", {"note": "A regular.", "review": str(warning_of(shop, order).id)}, page="/admin")

    after = shop.read(order.reference)
    assert warning_of(shop, after).note == "A regular."
    assert open_ones(shop, order) == ["risk_review"]
    assert after.state is OrderState.PAID
    assert "/warnings/" not in browser.get("/admin").text
    with pytest.raises(ReviewNotResolved):
        return_money(shop, order)
    assert refunds_at_stripe(shop, order) == []


def test_a_payment_that_was_returned_otherwise_is_offered_no_refund(shop: Shop) -> None:
    order = warned(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/refund", {"amount": ""}, page=path)

    assert open_ones(shop, order) == ["early_fraud_warning"]
    assert ["/warnings/" in browser.get(page).text for page in ("/admin", path)] == [False, False]


@pytest.mark.parametrize("actionable", [[True, False], [False, True]])
def test_a_warning_that_was_overtaken_offers_no_refund_any_more(shop: Shop, actionable: list[bool]) -> None:
    """Whichever of its two events comes first."""
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    name = str(shop.read(order.reference).payment.provider_payment_id)
    with shop.services.database.transaction() as session:
        for each in actionable:
            warning = FraudWarningSnapshot("issfr_1", name, each, "misc")
            risk.record_warning(session, warning, Origin(Source.WEBHOOK, shop.clock()))

    assert warning_of(shop, order).data == {"fraud_type": "misc", "actionable": False}
    assert open_ones(shop, order) == ["early_fraud_warning"]
    assert "/warnings/" not in staff(shop, Role.SERVICE).get("/admin").text


def test_another_review_is_no_warning(shop: Shop) -> None:
    order = warned(shop)
    open_another(shop, order)
    other = reviews_of(shop, order)["risk_review"]

    with pytest.raises(ReviewNotResolved):
        fraud_warnings.return_money(
            shop.services, order.reference, other.id, Origin(Source.STAFF, shop.clock(), actor="Ada")
        )

    assert refunds_at_stripe(shop, order) == []


def test_a_refund_without_an_answer_is_made_by_the_worker_for_the_same_reason(shop: Shop) -> None:
    order = warned(shop)
    process = Process(shop)

    with process.under(FaultPlan(breaks_before=1)), pytest.raises(PaymentUnavailable):
        return_money(shop, order)
    waiting = [(refund.state, refund.reason) for refund in shop.refunds(order.reference)]
    worker.run(shop.services, shop.clock())

    assert waiting == [(RefundState.REQUESTED, "fraudulent")]
    assert warning_of(shop, order).resolved_at is not None
    assert refunds_at_stripe(shop, order) == [(order.total_minor, "fraudulent")]


def test_other_refunds_give_no_reason(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/refund", {"amount": ""}, page=path)

    assert [refund.reason for refund in shop.refunds(order.reference)] == [None]
    assert refunds_at_stripe(shop, shop.read(order.reference)) == [(order.total_minor, None)]


def test_an_authorised_payment_that_is_warned_of_is_released(shop: Shop) -> None:
    shop.charge_when_shipped()
    placed = shop.order(2)
    shop.pay(placed)
    shop.deliver()
    order = shop.read(placed.reference)
    warning = FraudWarningSnapshot("issfr_1", str(order.payment.provider_payment_id), True, "misc")
    with shop.services.database.transaction() as session:
        risk.record_warning(session, warning, Origin(Source.WEBHOOK, shop.clock()))

    answer = return_money(shop, order)

    after = shop.read(order.reference)
    assert order.is_authorised
    assert answer is None
    assert (after.state, after.payment.state) == (OrderState.CANCELLED, PaymentState.CANCELLED)
    assert warning_of(shop, after).note == "The payment was returned."
    assert refunds_at_stripe(shop, order) == []
