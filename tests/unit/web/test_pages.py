"""The pages, asked without a browser: what a stranger, a careless shopper and a hostile program get."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, update

from app import create_app
from config import Settings
from models import Order
from store.domain.states import OrderState, PaymentState
from store.services.orders import links
from store.web.pages import PAGE_OF, Page
from tests.support.databases import Databases
from tests.support.shop import Browser, NoAnswer, Shop, event_of, open_shop, signed

DETAILS = {
    "email": "ada@example.com",
    "full_name": "Ada Lovelace",
    "country": "US",
    "address_line1": "12 Analytical Row",
    "city": "New York",
    "postal_code": "10001",
}


def place(browser: Browser, **changes: str) -> str:
    """Order a pencil; returns the order's reference."""
    browser.post(
        "/cart/lines", {"slug": "cedar-pencil", "quantity": "1", "buy_now": "1"}, page="/products/cedar-pencil"
    )
    answer = browser.post("/checkout", {**DETAILS, **changes}, page="/checkout")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].split("/")[2]


def test_only_an_order_that_can_be_paid_belongs_on_the_payment_page() -> None:
    payable = {states for states, page in PAGE_OF.items() if page is Page.PAY}

    assert payable == {
        (OrderState.AWAITING_PAYMENT, payment)
        for payment in (PaymentState.UNOPENED, PaymentState.OPEN, PaymentState.DECLINED, PaymentState.ACTION_REQUIRED)
    }
    assert len(PAGE_OF) == len(OrderState) * len(PaymentState)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing-here", 404),
        ("/products/no-such-thing", 404),
        ("/products/%00", 404),
        ("/products/" + "x" * 3000, 404),
        ("/products/'; DROP TABLE orders; --", 404),
        ("/orders/AAAA-BBBB-CCCC-DDDD", 404),
        ("/orders/AAAA-BBBB-CCCC-DDDD/pay", 404),
        ("/orders/AAAA-BBBB-CCCC-DDDD/status.json", 404),
        ("/orders/%ff%fe/pay", 404),
        ("/orders/../../etc/passwd", 404),
        ("/static/../config.py", 404),
        ("/webhooks/stripe", 405),
        ("/checkout", 303),
        ("/?page=%00&x=%ff", 404),
        ("/healthz", 200),
        ("/readyz", 200),
    ],
)
def test_any_address_gets_a_clear_answer(browser: Browser, path: str, status: int) -> None:
    assert browser.get(path).status_code == status


@pytest.mark.parametrize("quantity", ["0", "-1", "100", "1.5", "1e9", "", "ten", "9" * 400, "\0", "٣" * 9])
def test_an_invalid_quantity_is_refused_with_a_message(browser: Browser, quantity: str) -> None:
    answer = browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": quantity}, page="/products/cedar-pencil")

    assert answer.status_code == 400
    assert "Choose a quantity between 1 and 99." in answer.text


def test_more_than_the_stock_is_refused_with_what_is_available(browser: Browser) -> None:
    answer = browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "4"}, page="/products/brass-pen")

    assert answer.status_code == 409
    assert "Only 3 of “Brass pen” left." in answer.text


def test_a_cart_shows_the_available_stock_of_each_line(shop: Shop, browser: Browser) -> None:
    for slug in ("brass-pen", "cedar-pencil"):
        browser.post("/cart/lines", {"slug": slug, "quantity": "3"}, page=f"/products/{slug}")
    shop.set_stock("brass-pen", 1)
    shop.set_stock("cedar-pencil", 0)

    cart = browser.get("/cart").text

    assert "Only 1 left. Your cart asks for 3." in cart
    assert "Sold out. Remove it to go on." in cart


@pytest.mark.parametrize("path", ["/orders/AAAA-BBBB-CCCC-DDDD", "/orders/AAAA-BBBB-CCCC-DDDD/pay", "/orders/x/y/z"])
def test_an_order_that_is_not_found_says_what_to_do_after_paying(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert "If you have just paid, do not pay again" in answer.text


@pytest.mark.parametrize("slug", ["no-such-thing", "", "\0", "x" * 5000])
def test_an_unknown_product_cannot_be_put_into_a_cart(browser: Browser, slug: str) -> None:
    answer = browser.post("/cart/lines", {"slug": slug, "quantity": "1"}, page="/products/cedar-pencil")

    assert answer.status_code == 404


def test_a_cart_line_can_be_changed_and_taken_out(browser: Browser) -> None:
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "2"}, page="/products/cedar-pencil")

    refused = browser.post("/cart/lines/cedar-pencil", {"quantity": "many"})
    browser.post("/cart/lines/cedar-pencil", {"quantity": "5"})
    changed = browser.get("/cart").text
    browser.post("/cart/lines/cedar-pencil", {"remove": "1"})

    assert refused.status_code == 400
    assert 'value="many"' in refused.text
    assert "$20.00" in changed
    assert "Your cart is empty" in browser.get("/cart").text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"email": "\0"},
        dict.fromkeys(("email", "full_name"), "x" * 20_000),
        {"email": "ada@example.com", "country": "\ufffd\u202e"},
    ],
)
def test_a_checkout_that_cannot_be_read_shows_what_is_wrong(browser: Browser, form: dict[str, str]) -> None:
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")

    answer = browser.post("/checkout", form, page="/checkout")

    assert answer.status_code == 400
    assert "error-summary-title" in answer.text


def test_a_form_without_its_token_is_refused_with_a_way_on(shop: Shop) -> None:
    answer = shop.app.test_client().post("/cart/lines", data={"slug": "cedar-pencil", "quantity": "1"})

    assert answer.status_code == 400
    assert "This form was out of date" in answer.text
    assert 'href="/cart"' in answer.text


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": b"x" * 70_000, "content_type": "application/x-www-form-urlencoded"}, 413),
        ({"json": {"slug": "cedar-pencil"}}, 415),
        ({"data": b"<x/>", "content_type": "text/xml"}, 415),
        ({"data": {"a": "b"}, "content_type": "multipart/form-data; boundary="}, 400),
    ],
)
def test_a_request_without_a_form_of_the_shop_is_refused(shop: Shop, options: dict[str, Any], status: int) -> None:
    assert shop.app.test_client().post("/checkout", **options).status_code == status


def test_a_wrong_method_names_the_allowed_ones(shop: Shop) -> None:
    answer = shop.app.test_client().delete("/cart")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_an_order_is_shown_to_the_browser_that_placed_it_and_to_no_other(shop: Shop, browser: Browser) -> None:
    reference = place(browser)

    for path in (f"/orders/{reference}", f"/orders/{reference}/pay", f"/orders/{reference}/status.json"):
        stranger = shop.browser().get(path)
        assert stranger.status_code == 404
        assert "Ada" not in stranger.text
        assert browser.get(path, follow_redirects=True).status_code == 200
    assert reference in browser.get("/orders").text
    assert reference not in shop.browser().get("/orders").text


def test_status_json_says_what_the_page_says(browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")

    answer = browser.get(f"/orders/{reference}/status.json")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "order": reference,
        "state": "awaiting_payment",
        "payment": "open",
        "message": "Nothing was charged. Your order is placed and its things are held for you.",
        "next": f"/orders/{reference}/pay",
    }


def test_the_payment_page_carries_the_secret_and_is_never_kept(shop: Shop, browser: Browser) -> None:
    reference = place(browser)

    answer = browser.get(f"/orders/{reference}/pay")

    assert re.search(r'data-client-secret="pi_\w+_secret_\w+"', answer.text)
    assert f'data-publishable-key="{shop.services.settings.stripe_publishable_key}"' in answer.text
    assert "sk_test" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_unpaid_order_leads_to_its_payment_page_unless_just_paid(browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")

    away = browser.get(f"/orders/{reference}")
    waiting = browser.get(f"/orders/{reference}?confirming=1")

    assert (away.status_code, away.headers["Location"]) == (303, f"/orders/{reference}/pay?because=unpaid")
    assert "This order is not paid yet." in browser.get(away.headers["Location"]).text
    assert "Confirming your payment" in waiting.text
    assert '<meta http-equiv="refresh"' in waiting.text


def test_a_bank_that_sends_the_browser_back_leaves_no_secret_in_the_address(browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")

    answer = browser.get(f"/orders/{reference}?payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{reference}?confirming=1")


def test_a_failed_return_from_the_bank_leads_back_with_a_message(browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")

    answer = browser.get(f"/orders/{reference}?payment_intent=pi_1&redirect_status=failed")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{reference}/pay?because=not-paid")
    page = browser.get(answer.headers["Location"]).text
    assert "Your payment did not go through." in page
    assert "We asked the payment service: nothing was charged." in page


@pytest.mark.parametrize("because", ["", "nonsense", "<script>"])
def test_a_payment_page_shows_only_known_messages(browser: Browser, because: str) -> None:
    reference = place(browser)

    page = browser.get(f"/orders/{reference}/pay", query_string={"because": because})

    assert page.status_code == 200
    assert "Your payment did not go through." not in page.text
    assert "nonsense" not in page.text


def test_a_mailed_link_opens_the_payment_page_in_any_browser(shop: Shop, browser: Browser) -> None:
    reference = place(browser)
    link = urlsplit(links.order_link(shop.services, reference)).path
    other = shop.browser()

    opened = other.get(link)
    page = other.get(opened.headers["Location"])

    assert opened.headers["Location"] == f"/orders/{reference}/pay?because=unpaid"
    assert page.status_code == 200
    assert "This order is not paid yet." in page.text
    assert "Change the e-mail address" not in page.text
    assert "Set-Cookie" not in browser.get(link).headers


def test_a_browser_that_lost_its_cookies_after_paying_sees_the_order(shop: Shop, browser: Browser) -> None:
    reference = place(browser)
    page = browser.get(f"/orders/{reference}/pay").text
    after_paying = re.search(r'data-order="([^"]+)"', page)
    assert after_paying
    forgetful = shop.browser()

    answer = forgetful.get(after_paying.group(1))

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{reference}?confirming=1")
    assert "Confirming your payment" in forgetful.get(answer.headers["Location"]).text
    assert shop.browser().get(after_paying.group(1).replace("?", "x?")).status_code == 404


def test_the_payment_page_shows_the_email_and_how_to_change_it(browser: Browser) -> None:
    reference = place(browser)

    page = browser.get(f"/orders/{reference}/pay").text

    assert "The confirmation goes to" in page
    assert "ada@example.com" in page
    assert 'href="/checkout#email"' in page


def test_a_reservation_of_thirty_minutes_never_reads_as_more(browser: Browser) -> None:
    reference = place(browser)

    page = browser.get(f"/orders/{reference}/pay").text

    assert re.search(r"for <span[^>]*>(30|29) minutes</span> more", page)


def test_buy_now_means_this_many_however_often_it_is_pressed(browser: Browser) -> None:
    for quantity in ("1", "1", "2"):
        browser.post(
            "/cart/lines", {"slug": "cedar-pencil", "quantity": quantity, "buy_now": "1"}, page="/products/cedar-pencil"
        )

    assert '<span class="cart-count">2<' in browser.get("/cart").text


def test_a_refused_detail_is_named_with_a_way_to_change_it(tmp_path: Path, databases: Databases) -> None:
    shop = open_shop(databases.create("sqlite"), tmp_path, stripe_receipts=True)
    browser, reference = shop.browser_with_order()
    with shop.services.database.transaction() as session:
        session.execute(update(Order).values(email="ada@example"))

    answer = browser.get(f"/orders/{reference}/pay")

    assert answer.status_code == 409
    assert "The payment service does not accept your e-mail address. Nothing was charged" in answer.text
    assert 'href="/checkout"' in answer.text
    shop.close()


def test_confirming_ends_when_the_payment_service_knows_of_no_payment(shop: Shop, browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")
    browser.get(f"/orders/{reference}?confirming=1")

    shop.clock.forward(seconds=6)
    answer = browser.get(f"/orders/{reference}/status.json?confirming=1")

    assert answer.json is not None
    assert answer.json["next"] == f"/orders/{reference}/pay"


def test_a_page_with_a_pending_payment_polls_until_it_is_decided(shop: Shop, browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")
    order = shop.read(reference)
    shop.pay(order, "4000000000000002")
    (late,) = [event_of(sent) for sent in shop.lose() if event_of(sent)["type"] == "payment_intent.payment_failed"]
    late["type"], late["data"]["object"]["status"] = "payment_intent.processing", "processing"
    assert shop.receive(signed(late)) == 200

    first = browser.get(f"/orders/{reference}")
    shop.clock.forward(seconds=6)
    answer = browser.get(f"/orders/{reference}/status.json")

    assert "The bank is deciding. Do not pay again." in first.text
    assert answer.json is not None
    assert answer.json["next"] == f"/orders/{reference}/pay"


def test_confirming_goes_on_while_the_payment_service_does_not_answer(shop: Shop, browser: Browser) -> None:
    reference = place(browser)
    browser.get(f"/orders/{reference}/pay")
    browser.get(f"/orders/{reference}?confirming=1")

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    shop.clock.forward(seconds=6)
    asked = browser.get(f"/orders/{reference}/status.json?confirming=1")
    shop.clock.forward(seconds=1)
    later = browser.get(f"/orders/{reference}/status.json?confirming=1")

    for answer in (asked, later):
        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["next"] == f"/orders/{reference}?confirming=1"
        assert "Do not pay again." in answer.json["message"]
        assert "not answering us" in answer.json["message"]


def test_a_payment_service_that_is_down_answers_503_nothing_charged(shop: Shop, browser: Browser) -> None:
    reference = place(browser)

    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away
    answer = browser.get(f"/orders/{reference}/pay")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was charged" in answer.text


def test_a_shopper_can_cancel_an_unpaid_order(browser: Browser) -> None:
    reference = place(browser)

    browser.post(f"/orders/{reference}/cancel", {}, page=f"/orders/{reference}/pay")

    answer = browser.get(f"/orders/{reference}")
    assert "Order cancelled" in answer.text
    assert "Nothing was charged." in answer.text


def test_a_forged_webhook_is_answered_400_without_a_page(shop: Shop) -> None:
    answer = shop.post_webhook(b'{"id": "evt_1"}', {"Stripe-Signature": "t=1,v1=00"})

    assert answer.status_code == 400
    assert answer.json is not None


def test_a_webhook_that_is_far_too_large_is_refused(shop: Shop) -> None:
    assert shop.post_webhook(b"x" * 2_000_000, {"Stripe-Signature": "t=1,v1=00"}).status_code == 413


def test_the_shop_window_needs_only_a_few_queries(shop: Shop, browser: Browser) -> None:
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(shop.services.database.engine, "before_cursor_execute", count)
    browser.get("/")

    assert len([statement for statement in seen if statement.startswith("SELECT")]) <= 3


NOT_BY_THIS, NOT_SEEN = "Nothing was charged by this step.", "We cannot see right now whether you were charged."


@pytest.mark.parametrize(
    ("path", "money"),
    [
        *((path, NOT_BY_THIS) for path in ("/", "/cart", "/checkout", "/products/cedar-pencil")),
        *((path, NOT_SEEN) for path in ("/orders", "/orders/ABCD-ABCD-ABCD-ABCD", "/orders/ABCD-ABCD-ABCD-ABCD/pay")),
    ],
)
def test_an_unreachable_database_answers_503_with_retry_after(path: str, money: str) -> None:
    settings = Settings.load(
        _env_file=None, secret_key="a-secret-for-the-tests-only", database_url="postgresql://till@127.0.0.1:1/till"
    )
    client = create_app(settings).test_client()
    with client.session_transaction() as session:
        session["cart"] = "a-cart"  # the page of a browser without one needs no database

    answer = client.get(path)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert money in answer.text
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/nothing-here").status_code == 404
