"""An order is paid on a page of the payment service's, instead of the store's own; one of the two at a time.

What is the same for every database runs on SQLite alone.
"""

from datetime import timedelta

import pytest

from models import Order
from store.domain.errors import OrderClosed, PaymentMisconfigured, PaymentUnavailable
from store.domain.itemization import itemize
from store.domain.money import Money, smallest_step
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine
from store.domain.states import OrderState, PaymentKind, PaymentState
from store.gateway.port import HostedPageRequest, PaymentRequest
from store.services import checkout
from store.services.operations import worker
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop, event_of


def checkout_session(shop: Shop, page: str) -> dict[str, object]:
    return shop.stripe("GET", f"/v1/checkout/sessions/{page}")


def intent_statuses(shop: Shop) -> list[str]:
    return sorted(intent["status"] for intent in shop.stripe("GET", "/v1/payment_intents")["data"])


def rows(shop: Shop, order: Order) -> list[tuple[PaymentKind, bool, PaymentState]]:
    with shop.services.database.reading() as session:
        return [(row.kind, row.live, row.state) for row in session.get_one(Order, order.id).payments]


def on_hosted_page(shop: Shop) -> tuple[Order, str]:
    """An order whose shopper has seen the payment page, and gone on to the hosted one."""
    order = shop.order(2)
    shop.open(order)
    return order, shop.open_page(order)


def test_an_order_is_paid_on_the_hosted_page(shop: Shop) -> None:
    order, page = on_hosted_page(shop)

    shop.pay_on_page(page)
    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.payment.kind, after.payment.received_minor) == (
        OrderState.PAID,
        PaymentKind.HOSTED,
        order.total_minor,
    )
    assert (after.payment.card_brand, after.payment.card_last4) == ("visa", "4242")
    assert rows(shop, order) == [
        (PaymentKind.CARD, False, PaymentState.CANCELLED),
        (PaymentKind.HOSTED, True, PaymentState.PAID),
    ]
    assert intent_statuses(shop) == ["canceled", "succeeded"]


def test_the_hosted_page_shows_the_order(shop: Shop) -> None:
    order, page = on_hosted_page(shop)

    session = checkout_session(shop, page)
    shop.pay_on_page(page)
    (paid,) = [i for i in shop.stripe("GET", "/v1/payment_intents")["data"] if i["status"] == "succeeded"]

    link = session["cancel_url"]
    assert (session["amount_total"], session["currency"]) == (order.total_minor, order.currency)
    assert (session["client_reference_id"], session["customer_email"]) == (order.reference, order.email)
    assert session["success_url"] == f"{link}?confirming=1&session_id={{CHECKOUT_SESSION_ID}}"
    assert f"/orders/{order.reference}/from-mail/" in str(link)
    assert paid["metadata"]["order_reference"] == order.reference
    assert (paid["description"], paid["shipping"]["name"]) == (f"Till order {order.reference}", "Ada Shopper")


def test_the_same_page_is_found_however_often_it_is_asked_for(shop: Shop) -> None:
    order, page = on_hosted_page(shop)

    again = shop.open_page(order)

    assert again == page
    assert len(shop.stripe("GET", "/v1/checkout/sessions")["data"]) == 1


def test_coming_back_ends_the_hosted_page(shop: Shop) -> None:
    order, page = on_hosted_page(shop)

    payment = shop.open(order)
    refused = shop.pay_on_page(page)
    shop.confirm(payment)
    shop.deliver()

    assert checkout_session(shop, page)["status"] == "expired"
    assert "error" in refused
    assert shop.read(order.reference).state is OrderState.PAID
    assert rows(shop, order) == [
        (PaymentKind.CARD, False, PaymentState.CANCELLED),
        (PaymentKind.HOSTED, False, PaymentState.CANCELLED),
        (PaymentKind.CARD, True, PaymentState.PAID),
    ]


@pytest.mark.on_both_databases
def test_coming_back_after_paying_shows_that_it_is_paid(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.pay_on_page(page)
    shop.lose()

    with pytest.raises(OrderClosed):
        shop.open(order)

    after = shop.read(order.reference)
    assert (after.state, after.payment.kind) == (OrderState.PAID, PaymentKind.HOSTED)
    worker.run(shop.services, shop.clock())
    assert rows(shop, order)[-1] == (PaymentKind.CARD, False, PaymentState.CANCELLED)


def test_going_there_after_paying_shows_that_it_is_paid(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.lose()

    with pytest.raises(OrderClosed):
        shop.open_page(order)

    after = shop.read(order.reference)
    assert (after.state, after.payment.kind) == (OrderState.PAID, PaymentKind.CARD)
    assert shop.stripe("GET", "/v1/checkout/sessions")["data"] == []


def test_nobody_pays_elsewhere_while_the_bank_decides(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.pay_on_page(page, delayed="succeeds")
    shop.lose()

    with pytest.raises(OrderClosed):
        shop.open(order)

    waiting = shop.read(order.reference)
    assert (waiting.state, waiting.payment.kind, waiting.payment.state) == (
        OrderState.AWAITING_PAYMENT,
        PaymentKind.HOSTED,
        PaymentState.PROCESSING,
    )
    shop.clock.forward(seconds=6)
    shop.deliver()
    assert shop.read(order.reference).state is OrderState.PAID


def test_a_payment_that_fails_later_can_be_made_otherwise(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.pay_on_page(page, delayed="fails")
    shop.deliver()
    shop.clock.forward(seconds=6)
    shop.deliver()

    failed = shop.read(order.reference)
    shop.pay(order)
    shop.deliver()

    assert (failed.state, failed.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.DECLINED)
    assert shop.read(order.reference).state is OrderState.PAID
    assert rows(shop, order)[1] == (PaymentKind.HOSTED, False, PaymentState.CANCELLED)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("backwards", [False, True])
def test_events_of_the_page_and_the_payment_come_in_any_order(shop: Shop, backwards: bool) -> None:
    order, page = on_hosted_page(shop)
    shop.deliver()
    shop.pay_on_page(page, "pm_card_visa_chargeDeclined")
    shop.pay_on_page(page)

    sent = shop.lose()
    for delivery in reversed(sent) if backwards else sent:
        assert shop.receive(delivery) == 200
        assert shop.receive(delivery) == 200

    after = shop.read(order.reference)
    types = [event_of(delivery)["type"] for delivery in sent]
    assert {"payment_intent.payment_failed", "payment_intent.succeeded", "checkout.session.completed"} <= set(types)
    assert (after.state, after.payment.received_minor) == (OrderState.PAID, order.total_minor)
    assert shop.history(order.reference).count("payment.paid") == 1


def test_the_card_is_known_though_it_was_reported_before_its_page(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.lose()
    shop.pay_on_page(page)
    sent = {event_of(delivery)["type"]: delivery for delivery in shop.lose()}

    for type_ in ("charge.succeeded", "checkout.session.completed"):
        assert shop.receive(sent[type_]) == 200

    after = shop.read(order.reference)
    assert (after.state, after.payment.card_last4) == (OrderState.PAID, "4242")


def test_the_page_alone_pays_an_order_while_stripe_does_not_answer(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.deliver()
    shop.pay_on_page(page)

    def break_connection(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = break_connection
    answers = {event_of(delivery)["type"]: shop.receive(delivery) for delivery in shop.lose()}

    assert answers["payment_intent.succeeded"] == 503
    assert answers["checkout.session.completed"] == 200
    assert shop.read(order.reference).state is OrderState.PAID


def test_the_worker_ends_the_page_with_the_reservation(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.lose()
    shop.clock.forward(minutes=31)

    worker.run(shop.services, shop.clock())

    after = shop.read(order.reference)
    assert (after.state, after.payment.state, after.closed_because) == (
        OrderState.EXPIRED,
        PaymentState.CANCELLED,
        "expired",
    )
    assert checkout_session(shop, page)["status"] == "expired"


@pytest.mark.on_both_databases
def test_the_worker_finds_out_that_a_page_was_paid(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.pay_on_page(page)
    shop.lose()
    shop.clock.forward(minutes=31)

    worker.run(shop.services, shop.clock())

    assert shop.read(order.reference).state is OrderState.PAID


def test_an_order_is_kept_while_the_bank_asks_on_the_page(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    asked = shop.type_on_page(page, "4000002760003184")
    shop.clock.forward(minutes=31)
    worker.run(shop.services, shop.clock())
    waiting = shop.read(order.reference)

    shop.challenge({"next_action": {"use_stripe_sdk": {"stripe_js": asked["challenge"]}}}, "complete")
    shop.deliver()

    assert (waiting.state, waiting.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.ACTION_REQUIRED)
    assert shop.read(order.reference).state is OrderState.PAID


def test_a_page_that_runs_out_without_a_worker_closes_its_order(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.clock.forward(minutes=46)

    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.closed_because) == (OrderState.EXPIRED, "expired")
    assert checkout_session(shop, page)["status"] == "expired"


def test_whoever_goes_there_late_is_given_some_time(shop: Shop) -> None:
    order = shop.order()
    shop.clock.forward(minutes=28)
    page = shop.open_page(order)
    shop.clock.forward(minutes=9)
    worker.run(shop.services, shop.clock())

    shop.pay_on_page(page)
    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.extensions) == (OrderState.PAID, 1)
    assert "order.extended" in shop.history(order.reference)


@pytest.mark.on_both_databases
def test_two_tabs_that_go_there_at_once_get_one_page(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)

    pages = at_once(2, lambda _number: shop.open_page(order))

    (session,) = shop.stripe("GET", "/v1/checkout/sessions")["data"]
    assert pages == [session["id"]] * 2
    assert rows(shop, order)[1:] == [(PaymentKind.HOSTED, True, PaymentState.OPEN)]


def test_a_shopper_who_cancels_ends_the_page(shop: Shop) -> None:
    order, page = on_hosted_page(shop)

    def deliver_first(method: str, path: str) -> None:
        if path.endswith("/expire"):
            shop.deliver()

    shop.transport.after = deliver_first
    checkout.cancel(shop.services, order.reference, shop.clock())

    after = shop.read(order.reference)
    assert (after.state, after.closed_because) == (OrderState.CANCELLED, "by_shopper")
    assert checkout_session(shop, page)["status"] == "expired"


def test_a_shopper_who_waits_learns_of_the_payment_without_a_webhook(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    shop.pay_on_page(page)
    shop.lose()

    shop.look_up(order.reference)
    shop.clock.forward(seconds=6)
    asked = shop.look_up(order.reference)

    assert asked
    assert shop.read(order.reference).state is OrderState.PAID


def test_declines_on_both_pages_count_together(shop: Shop) -> None:
    order = shop.order()
    payment = shop.open(order)
    for _ in range(5):
        shop.confirm(payment, "4000000000000002")
    shop.deliver()
    page = shop.open_page(order)
    for _ in range(5):
        shop.pay_on_page(page, "pm_card_visa_chargeDeclined")

    shop.deliver()

    after = shop.read(order.reference)
    assert (after.state, after.closed_because) == (OrderState.CANCELLED, "card_testing")
    assert checkout_session(shop, page)["status"] == "expired"


@pytest.mark.parametrize("crash", ["the end of the other payment", "the creation of the page"])
def test_what_a_lost_connection_left_undone_is_done_the_next_time(shop: Shop, crash: str) -> None:
    order = shop.order()
    shop.open(order)

    def break_before(_method: str, path: str) -> None:
        if path.endswith("/cancel") and "end" in crash:
            raise NoAnswer

    def break_after(_method: str, path: str) -> None:
        if path.endswith("/v1/checkout/sessions") and "creation" in crash:
            raise NoAnswer

    shop.transport.before, shop.transport.after = break_before, break_after
    with pytest.raises(PaymentUnavailable):
        shop.open_page(order)
    shop.transport.before = shop.transport.after = lambda _method, _path: None
    page = shop.open_page(order)
    shop.pay_on_page(page)
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
    assert intent_statuses(shop) == ["canceled", "succeeded"]
    assert len(shop.stripe("GET", "/v1/checkout/sessions")["data"]) == 1


def test_a_page_that_stripe_failed_on_is_looked_for(shop: Shop) -> None:
    order = shop.order()
    shop.sandbox.extensions["sandbox"].faults.add(
        "api", "error", 1, {"match": "POST /v1/checkout/sessions", "when": "after"}
    )

    with pytest.raises(PaymentUnavailable):
        shop.open_page(order)
    page = shop.open_page(order)

    (session,) = shop.stripe("GET", "/v1/checkout/sessions")["data"]
    assert session["id"] == page


def test_a_page_for_another_amount_is_never_shown(shop: Shop) -> None:
    order = shop.order()
    with shop.services.database.transaction() as session:
        session.get_one(Order, order.id).lines[0].unit_price_minor += 1  # the total stays as it was agreed

    with pytest.raises(PaymentMisconfigured) as refusal:
        shop.open_page(order)

    assert refusal.value.nothing_charged
    (made,) = shop.stripe("GET", "/v1/checkout/sessions")["data"]
    assert made["status"] == "expired"
    assert shop.read(order.reference).payment.provider_page_id is None


def test_two_payments_of_one_order_are_not_both_kept(shop: Shop) -> None:
    order, page = on_hosted_page(shop)
    form = {"amount": str(order.total_minor), "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    form |= {"metadata[order_reference]": order.reference, "return_url": "http://store.test/"}
    shop.stripe("POST", "/v1/payment_intents", form)
    shop.deliver()

    shop.pay_on_page(page)
    shop.deliver()
    worker.run(shop.services, shop.clock())
    shop.deliver()

    assert rows(shop, order) == [
        (PaymentKind.CARD, False, PaymentState.CANCELLED),
        (PaymentKind.HOSTED, False, PaymentState.REFUNDED),
        (PaymentKind.CARD, True, PaymentState.PAID),
    ]
    assert shop.read(order.reference).state is OrderState.PAID


def test_the_form_leads_to_the_page_or_says_that_nothing_was_charged(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    stranger = shop.browser()
    pay, hosted = f"/orders/{reference}/pay", f"/orders/{reference}/hosted"

    def break_connection(_method: str, path: str) -> None:
        if path.endswith("/v1/checkout/sessions"):
            raise NoAnswer

    token = browser.token(pay)
    shop.transport.before = break_connection
    failed = browser.open("POST", hosted, data={"csrf_token": token})
    shop.transport.before = lambda _method, _path: None
    led = browser.open("POST", hosted, data={"csrf_token": token})

    assert (failed.status_code, led.status_code) == (503, 303)
    assert "Nothing was charged." in failed.text
    assert f'href="{hosted}"' in failed.text
    assert led.location.startswith("http://127.0.0.1:4242/c/pay/cs_test_")
    assert browser.get(hosted).location == f"/orders/{reference}"
    assert stranger.post(hosted, {}, page="/products/cedar-pencil").status_code == 404


TAX, INCLUDED = (AdjustmentKind.TAX, "Sales tax", 77), (AdjustmentKind.TAX, "VAT 19 %, included", 0)
SENT, FREE = (AdjustmentKind.SHIPPING, "Express", 990), (AdjustmentKind.SHIPPING, "FREESHIP", -990)
OFF, REVERSED = (
    (AdjustmentKind.DISCOUNT, "A coupon with quite a long code: " * 2, -333),
    (AdjustmentKind.TAX, "VAT", -50),
)


@pytest.mark.parametrize("currency", ["usd", "jpy", "kwd"])
def test_stripe_asks_for_the_total_of_any_mixture(shop: Shop, currency: str) -> None:
    step = smallest_step(currency)
    lines = (QuoteLine(1, Money(799 * step, currency), 3), QuoteLine(2, Money(1 * step, currency), 1))
    mixtures = [[], [TAX], [INCLUDED, SENT], [SENT, FREE], [OFF], [OFF, TAX, SENT], [SENT, FREE, OFF, REVERSED]]
    mixtures += [[SENT, (AdjustmentKind.DISCOUNT, "ALL", -2398)]]

    for number, mixture in enumerate(mixtures):
        made = [Adjustment(kind, label, Money(minor * step, currency)) for kind, label, minor in mixture]
        quote = Quote(currency, lines, tuple(made))
        page = shop.services.gateway.create_hosted_page(
            HostedPageRequest(
                PaymentRequest(f"ORDER-{number}", quote.total, "An order", None, "ada@example.com", f"key-{number}"),
                number,
                itemize(quote, ["Pencil", "Clip"], "An order"),
                shop.clock() + timedelta(hours=1),
                "http://store.test/paid",
                "http://store.test/back",
            )
        )
        assert page.snapshot.amount == quote.total, mixture
        assert page.address is not None
