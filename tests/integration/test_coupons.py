"""Coupons at the checkout: shown, charged, and never used more often than they are good for."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from models import CouponRow, Order, Payment, TaxRateRow
from store.domain.errors import CouponRefusal, CouponRefused, RefundRefused
from store.domain.money import Money
from store.domain.states import OrderState, ReservationState
from store.services import coupons, tariffs
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.orders import Customer
from store.services.payments import refunds
from tests.support.concurrency import at_once
from tests.support.shop import CUSTOMER, FORM, Browser, Shop


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    """A shop with the sample coupons: WELCOME10, FIVE, SHIPFREE, FIRST50, ONTHEHOUSE."""
    with usual_shop.services.database.transaction() as session:
        coupons.seed(session, "usd", usual_shop.clock())
    return usual_shop


@pytest.fixture
def browser(shop: Shop) -> Browser:
    """A browser with a kettle in its cart: $89.00."""
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "pour-over-kettle", "quantity": "1"}, page="/products/pour-over-kettle")
    return browser


def change(shop: Shop, code: str, **values: Any) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(CouponRow).where(CouponRow.code == code).values(**values))


def used(shop: Shop, code: str) -> int:
    with shop.services.database.reading() as session:
        return session.scalars(select(CouponRow.used).where(CouponRow.code == code)).one()


def findings(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [finding.code for finding in audit.run(session, shop.clock())]


def buyer(code: str, number: int = 0) -> Customer:
    return replace(CUSTOMER, code=code, email=f"buyer-{number}@example.com")


def reference(location: str) -> str:
    return location.split("/")[2]


def shown(page: str) -> str:
    found = re.search(r'name="shown"[^>]*value="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_a_coupon_is_shown_charged_and_part_of_the_order(shop: Shop, browser: Browser) -> None:
    form = FORM | {"code": " welcome10 "}

    page = browser.post("/checkout/total", form, page="/checkout").text
    placed = browser.post("/checkout", form, page="/checkout")

    order = shop.read(reference(placed.location))
    intent = shop.pay(order)
    shop.deliver()
    for text in (page, browser.get(f"/orders/{order.reference}").text):
        assert "Discount, WELCOME10" in text
        assert "-$8.90" in text
        assert "$80.10" in text
    assert (order.total, intent["amount"]) == (Money(8010, "usd"), 8010)
    assert used(shop, "WELCOME10") == 1
    assert findings(shop) == []


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("code", "values", "words"),
    [
        ("NOSUCH", {}, "We do not know this code."),
        ("FIVE", {"active": False}, "We do not know this code."),
        ("FIVE", {"minimum_minor": 8901}, "This code needs things for $89.01 at least."),
        ("FIRST50", {"used": 50}, "This code has been used as often as it could be."),
        ("FIVE", {"currency": "eur"}, "This code is for another currency."),
        ("SHIPFREE", {}, "This code is for the shipping, and there is none to pay."),
    ],
)
def test_a_code_that_takes_nothing_off_is_told_and_places_nothing(
    shop: Shop, browser: Browser, code: str, values: dict[str, Any], words: str
) -> None:
    if values:
        change(shop, code, **values)

    page = browser.post("/checkout/total", FORM | {"code": code}, page="/checkout")
    refused = browser.post("/checkout", FORM | {"code": code}, page="/checkout")

    assert words in page.text
    assert (refused.status_code, words in refused.text) == (400, True)
    assert f'value="{code}"' in refused.text
    assert shop.product("pour-over-kettle").reserved == 0


@pytest.mark.on_both_databases
def test_a_coupon_that_changed_after_it_was_shown_is_told_first(shop: Shop, browser: Browser) -> None:
    form = FORM | {"code": "FIVE"}
    form["shown"] = shown(browser.post("/checkout/total", form, page="/checkout").text)
    change(shop, "FIVE", amount_minor=300)

    told = browser.post("/checkout", form, page="/checkout")

    assert told.status_code == 409
    assert "Your order costs $86.00 now." in told.text


def test_a_code_typed_after_the_total_was_shown_goes_on_and_is_told(shop: Shop, browser: Browser) -> None:
    form = FORM | {"shown": shown(browser.get("/checkout").text), "code": "FIVE"}

    placed = browser.post("/checkout", form, page="/checkout")

    assert placed.location.endswith("?because=new-total")
    assert shop.read(reference(placed.location)).total == Money(8400, "usd")


@pytest.mark.on_both_databases
def test_free_shipping_and_taxes_follow_the_coupon(shop: Shop, browser: Browser) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
        session.execute(update(TaxRateRow).where(TaxRateRow.country == "CA").values(thousandths=10_000))
    shop.services.tariffs.forget()
    form = FORM | {"country": "CA", "region": "ON", "postal_code": "K1A 0B1", "code": "SHIPFREE"}

    placed = browser.post("/checkout", form, page="/checkout")

    order = shop.read(reference(placed.location))
    assert [(each.label, each.amount.minor) for each in order.adjustments] == [
        ("Standard, 6 to 10 working days", 950),
        ("Free shipping, SHIPFREE", -950),
        ("HST 10%", 890),
    ]


@pytest.mark.on_both_databases
def test_fifty_buyers_at_once_with_a_coupon_for_ten_get_exactly_ten(shop: Shop) -> None:
    change(shop, "FIRST50", max_uses=10)
    carts = [shop.cart(1, "cedar-pencil") for _ in range(50)]

    outcomes = at_once(50, lambda number: shop.place(carts[number], buyer("FIRST50", number)))

    placed = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, CouponRefused)]
    assert (len(placed), len(refused)) == (10, 40), outcomes
    assert {outcome.reason for outcome in refused} == {CouponRefusal.USED_UP}
    assert used(shop, "FIRST50") == 10
    assert shop.product("cedar-pencil").reserved == 10
    assert findings(shop) == []


def test_a_customer_uses_a_coupon_once_and_again_when_the_order_was_closed(shop: Shop) -> None:
    first = shop.place(shop.cart(), buyer("WELCOME10"))

    with pytest.raises(CouponRefused) as refused:
        shop.place(shop.cart(), replace(buyer("WELCOME10"), email="Buyer-0@Example.com"))
    shop.close_by_hand(first.reference)
    second = shop.place(shop.cart(), buyer("WELCOME10"))

    assert refused.value.reason is CouponRefusal.USED_BEFORE
    assert second.state is OrderState.AWAITING_PAYMENT
    assert used(shop, "WELCOME10") == 1
    assert findings(shop) == []


@pytest.mark.on_both_databases
def test_ten_orders_of_one_customer_at_once_use_a_coupon_once(shop: Shop) -> None:
    carts = [shop.cart() for _ in range(10)]

    outcomes = at_once(10, lambda number: shop.place(carts[number], buyer("WELCOME10")))

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1
    assert used(shop, "WELCOME10") == 1


def test_the_last_use_can_be_placed_again_by_the_cart_that_has_it(shop: Shop) -> None:
    change(shop, "FIRST50", max_uses=1)
    cart = shop.cart()
    first = shop.place(cart, buyer("FIRST50"))

    again = shop.place(cart, buyer("FIRST50"))
    elsewhere = shop.place(cart, replace(buyer("FIRST50"), email="other@example.com"))

    assert again.reference == first.reference
    assert shop.read(first.reference).state is OrderState.CANCELLED
    assert shop.read(elsewhere.reference).reservation is ReservationState.RESERVED
    assert used(shop, "FIRST50") == 1


def test_a_late_payment_takes_a_use_again_if_there_is_one(shop: Shop) -> None:
    change(shop, "FIRST50", max_uses=2)
    order = shop.place(shop.cart(), buyer("FIRST50"))
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.place(shop.cart(), buyer("FIRST50", 1))

    shop.confirm(page)
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
    assert used(shop, "FIRST50") == 2
    assert findings(shop) == []


@pytest.mark.on_both_databases
def test_a_late_payment_is_returned_if_its_customer_used_the_coupon_since(shop: Shop) -> None:
    order = shop.place(shop.cart(), buyer("WELCOME10"))
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.place(shop.cart(), buyer("WELCOME10"))

    shop.confirm(page)
    shop.deliver()

    late = shop.read(order.reference)
    assert (late.state, late.payment.refund_due) == (OrderState.EXPIRED, True)
    assert used(shop, "WELCOME10") == 1


def test_a_late_payment_counts_though_its_customers_other_order_was_closed(shop: Shop) -> None:
    order = shop.place(shop.cart(), buyer("WELCOME10"))
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    other = shop.place(shop.cart(), buyer("WELCOME10"))
    shop.close_by_hand(other.reference)

    shop.confirm(page)
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
    assert used(shop, "WELCOME10") == 1


@pytest.mark.on_both_databases
def test_a_late_payment_without_stock_gives_its_coupons_use_back(shop: Shop) -> None:
    order = shop.place(shop.cart(), buyer("FIRST50"))
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.set_stock("cedar-pencil", 0)

    shop.confirm(page)
    shop.deliver()

    assert shop.read(order.reference).payment.refund_due
    assert used(shop, "FIRST50") == 0


def test_a_late_payment_without_a_use_left_is_returned(shop: Shop) -> None:
    change(shop, "FIRST50", max_uses=1)
    order = shop.place(shop.cart(), buyer("FIRST50"))
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.place(shop.cart(), buyer("FIRST50", 1))

    shop.confirm(page)
    shop.deliver()

    late = shop.read(order.reference)
    assert (late.state, late.payment.refund_due) == (OrderState.EXPIRED, True)
    assert used(shop, "FIRST50") == 1
    assert shop.product().reserved == 1


def test_the_audit_finds_uses_that_nobody_has(shop: Shop) -> None:
    shop.place(shop.cart(), buyer("FIRST50"))

    change(shop, "FIRST50", used=3)

    assert findings(shop) == ["uses_differ"]


def test_an_order_that_costs_nothing_is_paid_without_a_payment(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", FORM | {"code": "ONTHEHOUSE"}, page="/checkout")

    order = shop.read(reference(placed.location))
    assert placed.location == f"/orders/{order.reference}"
    assert (order.state, order.total, order.reservation) == (OrderState.PAID, Money(0, "usd"), "committed")
    assert (order.payment.state, order.payment.provider_payment_id) == ("unopened", None)
    assert [entry.type for entry in order.history] == ["order.placed", "order.nothing_due"]
    page = browser.get(placed.location).text
    assert "Your order is confirmed" in page
    assert "There was nothing to pay." in page
    assert "Your cart is empty" in browser.get("/cart").text
    assert shop.transport.requests == []
    assert findings(shop) == []


def test_an_order_that_costs_nothing_has_no_payment_page_and_no_refund(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", FORM | {"code": "ONTHEHOUSE"}, page="/checkout")
    name = reference(placed.location)

    to_pay, status = browser.get(f"/orders/{name}/pay"), browser.get(f"/orders/{name}/status.json").get_json()
    shop.fulfil(name)

    assert to_pay.location == f"/orders/{name}"
    assert (status["state"], status["payment"], status["next"]) == ("paid", "unopened", f"/orders/{name}")
    assert shop.read(name).state is OrderState.FULFILLED
    with pytest.raises(RefundRefused):
        refunds.request(shop.services, name, None, Origin(Source.STAFF, shop.clock()))
    assert findings(shop) == []


def test_its_mail_says_that_there_was_nothing_to_pay(shop: Shop) -> None:
    shop.place(shop.cart(), buyer("ONTHEHOUSE"))

    worker.run(shop.services, shop.clock())

    (mail,) = [path.read_text("utf-8") for path in shop.mail_folder.iterdir()]
    assert "is confirmed" in mail
    assert "there was nothing to pay" in mail


@pytest.mark.on_both_databases
def test_a_free_order_that_is_sent_ten_times_at_once_is_placed_once(shop: Shop) -> None:
    change(shop, "ONTHEHOUSE", once_per_customer=False)
    cart = shop.cart(2)

    outcomes = at_once(10, lambda _: shop.place(cart, buyer("ONTHEHOUSE"), browser_id="one-browser"))

    assert len({outcome.reference for outcome in outcomes if isinstance(outcome, Order)}) == 1, outcomes
    assert all(isinstance(outcome, Order) for outcome in outcomes), outcomes
    assert used(shop, "ONTHEHOUSE") == 1
    assert findings(shop) == []


def test_a_free_order_replaces_the_open_one_of_its_cart(shop: Shop) -> None:
    cart = shop.cart()
    first = shop.place(cart)
    page = shop.open(first)

    second = shop.place(cart, buyer("ONTHEHOUSE"))

    assert shop.read(first.reference).state is OrderState.CANCELLED
    assert shop.stripe("GET", f"/v1/payment_intents/{page.snapshot.provider_payment_id}")["status"] == "canceled"
    assert second.state is OrderState.PAID


@pytest.mark.on_both_databases
def test_the_audit_finds_a_payment_of_an_order_that_cost_nothing(shop: Shop) -> None:
    order = shop.place(shop.cart(), buyer("ONTHEHOUSE"))
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.order_id == order.id).values(state="open"))

    assert findings(shop) == ["paid_without_payment"]
