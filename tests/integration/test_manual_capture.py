"""With CAPTURE=on_shipping a card is authorised when the shopper pays, and charged when the order is shipped."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from click.testing import Result

from models import Mail, Order
from store.cli.findings import problem_of
from store.domain.errors import (
    CaptureRefusal,
    CaptureRefused,
    FulfilmentRefusal,
    OrderNotFulfilled,
    PaymentUnavailable,
)
from store.domain.money import Money
from store.domain.staff import Role
from store.domain.states import OrderState, PaymentState, RefundEvent, ReservationState
from store.gateway.port import CancelReason, RefundSnapshot
from store.services import carts, orders, payments, reconciliation, transitions
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.orders import reviews
from store.services.payments import authorising, refunds
from tests.support.crash_points import FaultPlan, Process
from tests.support.shop import Shop, event_of, signed
from tests.support.staff import staff

BEFORE_THE_END = timedelta(hours=2)
TOLD = ("charge.succeeded", "payment_intent.amount_capturable_updated")


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.charge_when_shipped()
    return usual_shop


def authorised(shop: Shop, quantity: int = 2) -> Order:
    order = shop.order(quantity)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def ship(shop: Shop, order: Order, capture: Money | None = None) -> bool:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    return orders.fulfil(shop.services, order.reference, None, origin, capture=capture)


def at_stripe(shop: Shop, order: Order) -> dict[str, Any]:
    return shop.stripe("GET", f"/v1/payment_intents/{shop.read(order.reference).payment.provider_payment_id}")


def run(shop: Shop, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=arguments)


def mails(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [mail.kind for mail in session.query(Mail).order_by(Mail.id)]


def findings(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]


def test_a_card_is_authorised_and_nothing_is_charged(shop: Shop) -> None:
    before = shop.product()

    order = authorised(shop)

    after, there = shop.product(), at_stripe(shop, order)
    assert (order.state, order.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.AUTHORISED)
    assert (order.payment.received_minor, order.paid_at, order.reservation) == (0, None, ReservationState.RESERVED)
    assert (after.stock, after.reserved) == (before.stock, before.reserved + 2)
    assert (there["status"], there["amount_received"]) == ("requires_capture", 0)
    assert order.payment.capture_before is not None
    assert order.expires_at == order.payment.capture_before - BEFORE_THE_END
    assert timedelta(days=6, hours=23) < order.payment.capture_before - shop.clock() <= timedelta(days=7)
    assert (order.payment.card_brand, order.payment.card_last4) == ("visa", "4242")
    entry = next(entry for entry in order.history if entry.type == "payment.authorised")
    assert (entry.from_state, entry.to_state, entry.data) == ("open", "authorised", {"amount": order.total_minor})
    assert (mails(shop), findings(shop)) == (["order_authorised"], [])


def test_the_shopper_reads_that_nothing_is_charged_yet(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    form = browser.get(f"/orders/{reference}/pay").text
    shop.pay(shop.read(reference))
    shop.deliver()

    page = browser.get(f"/orders/{reference}")
    status = browser.get(f"/orders/{reference}/status.json").get_json()

    total = shop.read(reference).total.text()
    assert "Nothing is charged now." in form
    assert f"Nothing is charged yet: {total} is authorised with Visa ending 4242." in page.text
    assert (status["state"], status["payment"]) == ("awaiting_payment", "authorised")
    assert status["next"] == f"/orders/{reference}"
    assert browser.get(f"/orders/{reference}/pay").location == f"/orders/{reference}"
    assert "Your cart is empty" in browser.get("/cart").text


def test_an_authorised_order_is_not_replaced_by_the_next_one(shop: Shop) -> None:
    cart = shop.cart(2)
    first = shop.place(cart)
    shop.pay(first)
    shop.deliver()
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "cedar-pencil", 1, shop.clock())

    second = shop.place(cart)

    assert second.reference != first.reference
    known = shop.read(first.reference).payment
    assert known.state is PaymentState.AUTHORISED
    shop.stripe("POST", f"/v1/payment_intents/{known.provider_payment_id}/capture")
    shop.deliver()
    assert ship(shop, first)
    with shop.services.database.reading() as session:
        assert [item.quantity for item in carts.items(session, cart)] == [1]


def test_money_is_captured_before_the_order_is_shipped(shop: Shop) -> None:
    order = authorised(shop)

    answers = [ship(shop, order), ship(shop, order)]

    after, there = shop.read(order.reference), at_stripe(shop, order)
    assert answers == [True, False]
    assert (after.state, after.payment.state) == (OrderState.FULFILLED, PaymentState.PAID)
    assert (after.payment.received_minor, after.reservation) == (order.total_minor, ReservationState.COMMITTED)
    assert (there["status"], there["amount_received"]) == ("succeeded", order.total_minor)
    told = [(entry.type, entry.source, entry.actor, entry.data) for entry in after.history][-4:]
    amount = {"amount": order.total_minor}
    assert told == [
        ("payment.capture_requested", "staff", "Ada", amount),
        ("payment.paid", "staff", "Ada", {**amount, "authorised": order.total_minor}),
        ("order.payment_received", "staff", "Ada", {"late": False}),
        ("order.fulfilled", "staff", "Ada", {"shipment": 1, "pieces": "2 × Cedar pencil"}),
    ]
    shop.deliver()
    assert mails(shop) == ["order_authorised", "order_paid", "order_fulfilled"]
    assert findings(shop) == []


def test_less_than_was_authorised_can_be_captured(shop: Shop) -> None:
    order, part = authorised(shop), Money(1, "usd")

    ship(shop, order, part)

    shop.deliver()
    after, there = shop.read(order.reference), at_stripe(shop, order)
    assert (after.state, after.payment.received_minor) == (OrderState.FULFILLED, 1)
    assert (there["amount_received"], there["amount_capturable"]) == (1, 0)
    assert findings(shop) == []
    assert reconciliation.compare(shop.services, shop.clock() - timedelta(hours=1)) == []
    worker.run(shop.services, shop.clock())
    sent = "".join(file.read_text("utf-8") for file in shop.mail_folder.glob("*.log"))
    assert f"your card was charged $0.01, less than the {order.total.text()} that were authorised" in sent
    with shop.services.database.reading() as session:
        ended = {mail.kind: mail.dropped_because for mail in session.query(Mail)}
    assert ended == {"order_authorised": "order_not_authorised", "order_paid": None, "order_fulfilled": None}


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (Money(1_000_000, "usd"), CaptureRefusal.TOO_MUCH),
        (Money(0, "usd"), CaptureRefusal.TOO_MUCH),
        (Money(100, "eur"), CaptureRefusal.OTHER_CURRENCY),
    ],
)
def test_an_amount_that_cannot_be_captured_is_refused(shop: Shop, amount: Money, reason: CaptureRefusal) -> None:
    order = authorised(shop)

    with pytest.raises(CaptureRefused) as refused:
        ship(shop, order, amount)

    assert (refused.value.reason, refused.value.amount) == (reason, order.total)
    assert shop.history(order.reference) == [entry.type for entry in order.history]


def test_nothing_is_captured_for_an_order_that_must_not_be_shipped(shop: Shop) -> None:
    order = authorised(shop)
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        reviews.open_review(session, locked, "risk_review", Origin(Source.WEBHOOK, shop.clock()))

    with pytest.raises(OrderNotFulfilled):
        ship(shop, order)

    assert at_stripe(shop, order)["status"] == "requires_capture"


def test_a_capture_without_an_answer_can_be_tried_again(shop: Shop) -> None:
    order = authorised(shop)
    process = Process(shop)

    with process.under(FaultPlan(stripe_fails="before")), pytest.raises(PaymentUnavailable):
        ship(shop, order)
    waiting = shop.read(order.reference)
    with pytest.raises(CaptureRefused) as refused:
        ship(shop, order, Money(500, "usd"))
    shipped = ship(shop, order)

    assert (waiting.payment.state, waiting.payment.capture_minor) == (PaymentState.AUTHORISED, order.total_minor)
    assert (refused.value.reason, refused.value.amount) == (CaptureRefusal.EARLIER_UNANSWERED, order.total)
    assert shipped
    assert at_stripe(shop, order)["amount_received"] == order.total_minor


def test_the_worker_asks_for_a_capture_that_was_not_answered(shop: Shop) -> None:
    order = authorised(shop)
    process = Process(shop)
    with process.under(FaultPlan(breaks_after=1)), pytest.raises(PaymentUnavailable):
        ship(shop, order, Money(500, "usd"))
    shop.lose()

    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (after.state, after.payment.received_minor) == (OrderState.PAID, 500)
    assert ship(shop, order)


def test_a_capture_that_stripe_refuses_is_said_and_can_be_tried_again(shop: Shop) -> None:
    order = authorised(shop)
    shop.stripe("POST", f"/v1/payment_intents/{order.payment.provider_payment_id}/cancel")

    with pytest.raises(CaptureRefused) as refused:
        ship(shop, order)

    after = shop.read(order.reference)
    assert refused.value.reason is CaptureRefusal.ENDED
    assert (after.state, after.payment.state) == (OrderState.CANCELLED, PaymentState.CANCELLED)
    assert after.reservation is ReservationState.RELEASED


def test_an_authorised_order_can_be_cancelled_and_is_released(shop: Shop) -> None:
    before, order = shop.product(), authorised(shop)

    left = payments.close(shop.services, order.reference, CancelReason.BY_SHOPPER, shop.clock())

    shop.deliver()
    after, there = shop.product(), at_stripe(shop, order)
    assert left is OrderState.CANCELLED
    assert (there["status"], there["amount_received"]) == ("canceled", 0)
    assert (after.stock, after.reserved) == (before.stock, before.reserved)
    assert mails(shop) == ["order_authorised", "authorisation_released"]
    assert findings(shop) == []


def test_an_authorisation_is_released_before_it_ends(shop: Shop) -> None:
    before, order = shop.product(), authorised(shop)
    shop.clock.forward(days=6, hours=21, minutes=58)
    worker.run(shop.services, shop.clock())
    kept = shop.read(order.reference).state

    shop.clock.forward(minutes=3)
    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (kept, after.state, after.closed_because) == (OrderState.AWAITING_PAYMENT, OrderState.EXPIRED, "expired")
    assert at_stripe(shop, order)["cancellation_reason"] == "abandoned"
    assert (shop.product().stock, shop.product().reserved) == (before.stock, before.reserved)
    assert mails(shop) == ["order_authorised", "authorisation_released"]
    assert findings(shop) == []


def test_an_authorisation_that_ends_by_itself_closes_the_order(shop: Shop) -> None:
    order = authorised(shop)
    shop.clock.forward(days=7, minutes=1)

    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.closed_because) == (OrderState.EXPIRED, "expired")
    assert mails(shop) == ["order_authorised", "authorisation_released"]


def test_a_card_is_authorised_on_the_hosted_page_too(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay_on_page(shop.open_page(order))
    shop.deliver()

    waiting = shop.read(order.reference)
    shipped = ship(shop, order)

    assert (waiting.payment.state, waiting.is_authorised) == (PaymentState.AUTHORISED, True)
    assert waiting.expires_at > shop.clock() + timedelta(days=6)
    assert shipped
    assert at_stripe(shop, order)["amount_received"] == order.total_minor
    assert findings(shop) == []


def test_what_is_authorised_on_the_hosted_page_can_be_released(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay_on_page(shop.open_page(order))
    shop.deliver()

    left = payments.close(shop.services, order.reference, CancelReason.BY_SHOPPER, shop.clock())

    assert (left, shop.read(order.reference).closed_because) == (OrderState.CANCELLED, "by_shopper")
    assert at_stripe(shop, order)["status"] == "canceled"


def test_an_authorisation_that_no_webhook_reported_is_found_by_the_worker(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.lose()
    shop.clock.forward(minutes=31)

    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (after.is_authorised, after.payment.state) == (True, PaymentState.AUTHORISED)
    assert after.expires_at > shop.clock() + timedelta(days=6)


def test_a_part_is_charged_from_the_orders_page(shop: Shop) -> None:
    order = authorised(shop)
    browser, path = staff(shop, Role.PACKING), f"/admin/orders/{order.reference}"
    listed, page = browser.get("/admin").text, browser.get(path).text

    wrong = browser.post(f"{path}/ship", {"capture": "ten"}, page=path)
    said = browser.get(wrong.location).text
    stock, one = shop.product().stock, {f"pieces-{shop.product().id}": "1", "leave_rest": "y"}
    browser.post(f"{path}/ship", {"capture": "5.00", "tracking": "1Z", **one}, page=path)

    after = shop.read(order.reference)
    assert "Authorised: ship and charge" in listed
    assert "Ends soon" not in listed
    assert f"up to {order.total.text()}" in page
    assert "Type an amount such as 12.30" in said
    assert "Send nothing else" in page
    assert (after.state, after.payment.received_minor) == (OrderState.FULFILLED, 500)
    assert shop.product().stock == stock - 1
    assert f"$5.00 received. {order.total.text()} was authorised." in browser.get(path).text
    assert "Authorised: ship and charge" not in browser.get("/admin").text


def test_the_work_list_says_when_an_authorisation_ends_soon(shop: Shop) -> None:
    order = authorised(shop)
    ends = order.expires_at
    with shop.services.database.reading() as session:
        counts = [
            authorising.count_ending(session, ends - timedelta(days=2) + moment)
            for moment in (timedelta(), timedelta(seconds=1))
        ]
    shop.clock.forward(days=5, hours=1)

    listed = staff(shop, Role.PACKING).get("/admin").text

    assert counts == [0, 1]
    assert order.reference in listed
    assert "Ends soon" in listed


def test_a_part_is_charged_at_the_terminal(shop: Shop) -> None:
    order, other = authorised(shop), authorised(shop)
    waiting = run(shop, "order", other.reference).stdout

    refused = run(shop, "fulfil", order.reference, "--capture", "1000000")
    sent = run(shop, "fulfil", order.reference, "--capture", "500")

    printed = run(shop, "order", order.reference).stdout
    assert f"Error: Up to {order.total.text()} can be captured" in refused.stderr
    assert sent.stdout == "The order is fulfilled, and its customer gets an e-mail.\n"
    assert f"authorised {order.total.text()}, received $5.00" in printed
    assert f"Order {other.reference}: awaiting_payment, authorised" in waiting
    assert shop.read(other.reference).is_authorised


def test_the_end_of_an_authorisation_may_be_told_before_or_after_it(shop: Shop) -> None:
    first, second = shop.order(1), shop.order(1)
    for order in (first, second):
        shop.pay(order)
    sent = [delivery for delivery in shop.lose() if event_of(delivery)["type"] in TOLD]
    for delivery in sent:  # three days earlier than it would be
        event = event_of(delivery)
        if event["type"] == "charge.succeeded":
            event["data"]["object"]["payment_method_details"]["card"]["capture_before"] -= 3 * 24 * 60 * 60
        name = event["data"]["object"]["metadata"]["order_reference"]
        if (event["type"] == "charge.succeeded") == (name == first.reference):
            shop.receive(signed(event))
    for delivery in sent:
        event = event_of(delivery)
        if event["type"] == "charge.succeeded":
            event["data"]["object"]["payment_method_details"]["card"]["capture_before"] -= 3 * 24 * 60 * 60
        shop.receive(signed(event))

    ends = [shop.read(order.reference).expires_at - shop.clock() for order in (first, second)]

    assert [timedelta(days=3, hours=21) < each < timedelta(days=3, hours=22) for each in ends] == [True, True]


def test_a_capture_in_stripes_dashboard_is_recorded_as_it_is(shop: Shop) -> None:
    order = authorised(shop)

    shop.stripe(
        "POST", f"/v1/payment_intents/{order.payment.provider_payment_id}/capture", {"amount_to_capture": "300"}
    )
    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.payment.received_minor, after.needs_review) == (OrderState.PAID, 300, False)
    assert findings(shop) == []
    assert run(shop, "refund", order.reference).stdout == "The refund is succeeded.\n"
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert [refund.amount_minor for refund in shop.refunds(order.reference)] == [300]


def test_another_amount_than_was_asked_for_is_looked_into(shop: Shop) -> None:
    order = authorised(shop)
    with Process(shop).under(FaultPlan(breaks_before=1)), pytest.raises(PaymentUnavailable):
        ship(shop, order, Money(500, "usd"))

    shop.stripe(
        "POST", f"/v1/payment_intents/{order.payment.provider_payment_id}/capture", {"amount_to_capture": "300"}
    )
    with pytest.raises(OrderNotFulfilled):
        ship(shop, order)

    after = shop.read(order.reference)
    assert (after.state, after.payment.received_minor) == (OrderState.PAID, 300)
    entry = next(entry for entry in after.history if entry.type == "review.opened")
    assert (entry.data["reason"], entry.data["received"], entry.data["asked_for"]) == (
        "other_amount_captured",
        300,
        500,
    )


def test_an_authorisation_of_a_closed_order_is_released_by_the_worker(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.close_by_hand(order.reference)
    shop.deliver()
    known = shop.read(order.reference)

    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (known.state, known.payment.state) == (OrderState.EXPIRED, PaymentState.AUTHORISED)
    assert (after.state, after.payment.state) == (OrderState.EXPIRED, PaymentState.CANCELLED)
    assert at_stripe(shop, order)["status"] == "canceled"


def test_a_release_that_stripe_shows_as_a_refund_is_not_told_as_one(shop: Shop) -> None:
    order = authorised(shop)
    payments.close(shop.services, order.reference, CancelReason.BY_SHOPPER, shop.clock())
    released = RefundSnapshot(
        "re_1", str(order.payment.provider_payment_id), order.total, RefundEvent.SUCCEEDED, key=None
    )
    with shop.services.database.transaction() as session:
        refunds.record(session, released, Origin(Source.WEBHOOK, shop.clock()))

    worker.run(shop.services, shop.clock())

    with shop.services.database.reading() as session:
        ended = {mail.kind: mail.dropped_because for mail in session.query(Mail)}
    assert ended["refunded"] == "only_released"
    assert shop.read(order.reference).state is OrderState.CANCELLED


def test_no_amount_is_captured_of_an_order_that_is_paid(usual_shop: Shop) -> None:
    order = authorised(usual_shop)

    with pytest.raises(CaptureRefused) as refused:
        ship(usual_shop, order, order.total)

    assert (order.state, refused.value.reason) == (OrderState.PAID, CaptureRefusal.NOT_AUTHORISED)
    assert usual_shop.read(order.reference).state is OrderState.PAID


@pytest.mark.parametrize(
    ("changed", "kept"),
    [({"account": "test:acct_other"}, "test:acct_other"), ({"provider_payment_id": "pi_gone"}, "unknown")],
)
def test_a_payment_of_another_account_is_not_captured(shop: Shop, changed: dict[str, str], kept: str) -> None:
    order = authorised(shop)
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        transitions.write(session, locked.payment, changed)

    with pytest.raises(CaptureRefused) as refused:
        ship(shop, order)

    payment = shop.read(order.reference).payment
    assert refused.value.reason is CaptureRefusal.OTHER_ACCOUNT
    assert (payment.state, payment.capture_minor, payment.account) == (PaymentState.AUTHORISED, None, kept)
    assert shop.stripe("GET", f"/v1/payment_intents/{order.payment.provider_payment_id}")["amount_received"] == 0


def test_what_stripe_does_not_capture_is_kept_in_the_history_and_tried_anew(shop: Shop) -> None:
    order = authorised(shop)

    def refuse(_method: str, path: str) -> None:
        if path.endswith("/capture"):
            raise stripe.CardError("no", "capture", "charge_expired_for_capture", http_status=402)  # type: ignore[no-untyped-call]

    shop.transport.before = refuse
    with pytest.raises(CaptureRefused) as refused:
        ship(shop, order, Money(500, "usd"))
    between = shop.read(order.reference)
    shop.transport.before = lambda _method, _path: None
    shipped = ship(shop, order)

    assert refused.value.reason is CaptureRefusal.BY_PAYMENT_SERVICE
    assert (between.payment.capture_minor, between.payment.capture_requested_at) == (None, None)
    assert (between.payment.capture_attempt, between.is_authorised) == (2, True)
    last = between.history[-1]
    assert (last.type, last.actor, last.data) == (
        "payment.capture_refused",
        "Ada",
        {"amount": 500, "reason": "by_payment_service"},
    )
    assert shipped
    assert at_stripe(shop, order)["amount_received"] == order.total_minor


def test_an_authorisation_lasts_seven_days_where_nothing_else_is_known(shop: Shop) -> None:
    order = shop.order(1)
    shop.pay(order)
    [told] = [each for each in shop.lose() if event_of(each)["type"] == TOLD[1]]

    shop.receive(told)

    after = shop.read(order.reference)
    since = datetime.fromtimestamp(event_of(told)["created"], UTC)
    assert (after.payment.capture_before, after.expires_at) == (
        since + timedelta(days=7),
        since + timedelta(days=6, hours=22),
    )


@pytest.mark.parametrize(
    ("closed", "why"),
    [(CancelReason.BY_SHOPPER, "your order is cancelled. Nothing was charged."),
     (CancelReason.EXPIRED, "we could not send your order in time, so it is closed. Nothing was charged.")],
)  # fmt: skip
def test_a_mail_tells_that_nothing_was_charged(shop: Shop, closed: CancelReason, why: str) -> None:
    order = authorised(shop)
    worker.run(shop.services, shop.clock())
    payments.close(shop.services, order.reference, closed, shop.clock())
    worker.run(shop.services, shop.clock())

    sent = " ".join(" ".join(file.read_text("utf-8") for file in shop.mail_folder.glob("*.log")).split())

    assert f"your card is authorised for {order.total.text()}. Nothing is charged until we ship your order" in sent
    assert f"{why} We have released the {order.total.text()} that were authorised on your card" in sent


def test_what_cannot_be_sent_is_neither_charged_nor_left_to_be_sent(shop: Shop) -> None:
    cart = shop.cart(3)
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "brass-pen", 1, shop.clock())
    before = (shop.product().stock, shop.product("brass-pen").stock)
    order = shop.place(cart)
    shop.pay(order)
    shop.deliver()
    pencil, origin = shop.product().id, Origin(Source.STAFF, shop.clock(), actor="Ada")

    def send(capture: Money | None) -> bool:
        return orders.fulfil(
            shop.services, order.reference, None, origin, pieces={pencil: 2}, capture=capture, leave_rest=True
        )

    with pytest.raises(OrderNotFulfilled) as refused:
        send(None)
    sent = send(Money(800, "usd"))
    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (refused.value.reason, sent) == (FulfilmentRefusal.REST_IS_PAID, True)
    assert (after.state, after.payment.received_minor) == (OrderState.FULFILLED, 800)
    assert (shop.product().stock, shop.product("brass-pen").stock) == (before[0] - 2, before[1])
    told = [(each.type, each.data.get("pieces")) for each in after.history if each.type.startswith("order.")]
    assert told[-3:] == [
        ("order.partly_shipped", "2 × Cedar pencil"),
        ("order.rest_not_sent", "1 × Brass pen, 1 × Cedar pencil"),
        ("order.fulfilled", None),
    ]
    sent_mails = "".join(file.read_text("utf-8") for file in shop.mail_folder.glob("*.log"))
    assert "Not sent, and not charged: 1 x Brass pen" in sent_mails
    assert findings(shop) == []
