"""Fulfilment: recorded once, the customer notified, and refused for orders that must not be shipped."""

import pytest

from models import Mail, Order
from store.domain.errors import FulfilmentRefusal, NotFound, OrderNotFulfilled
from store.domain.states import OrderState, ReservationState
from store.services import mail, orders, transitions
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.orders import reviews
from tests.support.shop import Shop


def paid(shop: Shop, number: str = "4242424242424242") -> Order:
    order = shop.order(2)
    shop.pay(order, number)
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    return order


def fulfil(shop: Shop, order: Order, tracking: str | None = None, *, disputed: bool = False) -> bool:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    return orders.fulfil(shop.services, order.reference, tracking, origin, disputed=disputed)


def test_an_order_is_fulfilled_once_and_its_customer_notified(shop: Shop) -> None:
    order = paid(shop)

    answers = [fulfil(shop, order, " 1Z 999 "), fulfil(shop, order, "other")]

    after = shop.read(order.reference)
    assert answers == [True, False]
    assert (after.state, after.reservation) == (OrderState.FULFILLED, ReservationState.COMMITTED)
    assert after.fulfilled_at is not None
    last = after.history[-1]
    assert (last.type, last.source, last.actor, last.data) == (
        "order.fulfilled",
        "staff",
        "Ada",
        {"shipment": 1, "pieces": "2 × Cedar pencil", "tracking": "1Z 999"},
    )
    with shop.services.database.reading() as session:
        assert [row.kind for row in session.query(Mail).order_by(Mail.id)] == ["order_paid", "order_fulfilled"]


def test_the_email_says_how_to_track_the_order(shop: Shop) -> None:
    order = paid(shop)
    fulfil(shop, order, "1Z 999")

    worker.run(shop.services, shop.clock())

    sent = [file.read_text("utf-8") for file in shop.mail_folder.glob("*.log")]
    assert [text for text in sent if "on its way" in text and "1Z 999" in text]
    assert mail.send_due(shop.services, shop.clock()) == 0


def test_an_order_that_is_not_paid_is_not_sent(shop: Shop) -> None:
    order = shop.order(2)

    with pytest.raises(OrderNotFulfilled) as refusal:
        fulfil(shop, order)

    assert refusal.value.reason is FulfilmentRefusal.NOT_PAID
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT


def test_an_order_in_review_is_not_sent_until_it_is_resolved(shop: Shop) -> None:
    order = paid(shop)
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        reviews.open_review(session, locked, "refund_failed", Origin(Source.WEBHOOK, shop.clock()))

    with pytest.raises(OrderNotFulfilled) as refusal:
        fulfil(shop, order)
    reviews.resolve(shop.services, order.reference, "Spoke to the bank.", Origin(Source.STAFF, shop.clock()))

    assert refusal.value.reason is FulfilmentRefusal.REVIEW_OPEN
    assert fulfil(shop, order)


def test_a_disputed_order_is_fulfilled_only_with_an_option(shop: Shop) -> None:
    order = paid(shop, "4000000000000259")

    with pytest.raises(OrderNotFulfilled) as refusal:
        fulfil(shop, order)

    assert refusal.value.reason is FulfilmentRefusal.DISPUTED
    assert fulfil(shop, order, disputed=True)


@pytest.mark.parametrize("tracking", ["two\nlines", "x" * 121, "\x07"])
def test_a_tracking_text_is_one_short_line(shop: Shop, tracking: str) -> None:
    order = paid(shop)

    with pytest.raises(OrderNotFulfilled) as refusal:
        fulfil(shop, order, tracking)

    assert refusal.value.reason is FulfilmentRefusal.TRACKING_INVALID
    assert shop.read(order.reference).state is OrderState.PAID


def test_an_order_that_does_not_exist_is_not_sent(shop: Shop) -> None:
    with pytest.raises(NotFound):
        orders.fulfil(shop.services, "NO-SUCH-ORDER", None, Origin(Source.STAFF, shop.clock()))


def test_the_commands_show_an_order_and_what_waits(shop: Shop) -> None:
    run = shop.app.test_cli_runner().invoke
    order = paid(shop)
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        reviews.open_review(session, locked, "refund_failed", Origin(Source.WEBHOOK, shop.clock()), subject="re_1")

    waiting = run(args=["reviews"]).output
    refused = run(args=["fulfil", order.reference])
    run(args=["resolve", order.reference, "--note", "Paid by transfer."])
    fulfilled = run(args=["fulfil", order.reference, "--tracking", "1Z 999"])
    shown = run(args=["order", order.reference.lower()]).output

    assert f"{order.reference}  refund_failed (re_1)" in waiting
    assert (refused.exit_code, fulfilled.exit_code) == (1, 0)
    assert "waits for a person" in refused.output
    for text in ("fulfilled", "1Z 999", "$8.00", "Ada Shopper", "order.payment_received", "Paid by transfer."):
        assert text in shown
    assert run(args=["reviews"]).output == "Nothing waits for a person.\n"
    assert run(args=["order", "NO-SUCH-ORDER"]).exit_code == 1


@pytest.mark.parametrize(("old", "new"), [("upkeep", "worker"), ("settle", "resolve")])
def test_an_old_command_names_the_new_one(shop: Shop, old: str, new: str) -> None:
    answer = shop.app.test_cli_runner().invoke(args=[old, "ABCD", "--note", "x"])

    assert answer.exit_code == 1
    assert answer.output == f"Error: `flask {old}` is now `flask {new}`.\n"
