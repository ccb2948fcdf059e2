"""The table of test cards, tried over the API: the events and the states are as the table says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from app import create_app
from config import STRIPE_API, Settings
from models import Order
from store.testmode import runs
from store.testmode.test_cards import Place, Scenario, TestCard, counts, groups, scenarios
from store.web.static_files import built
from store.webhooks.handlers import HANDLERS
from tests.support.databases import Databases
from tests.support.in_process import InProcessStripe
from tests.support.shop import FORM, PUBLISHABLE_KEY, SECRET_KEY, Browser, Shop, open_shop

PAYMENT_METHODS = {
    "4242424242424242": "pm_card_visa",
    "4000000000009995": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "4000002760003184": "pm_card_authenticationRequired",
    "4000000000000259": "pm_card_createDispute",
    "4000000000007726": "pm_card_pendingRefund",
}
PAYS = next(row for _group, _card, row in scenarios())


@pytest.fixture(scope="module")
def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all cards, on SQLite: what is looked at is the cards, not the database."""
    address = databases.create("sqlite")
    shop = open_shop(address, tmp_path_factory.mktemp("cards"))
    shop.set_stock("cedar-pencil", 1000)
    yield shop
    shop.close()
    databases.drop(address)


def rows_to_try() -> Iterator[tuple[TestCard, Scenario]]:
    """Of each group one row for each way in which a payment ends, and every row where the bank or Radar decides.

    The sandbox's own tests try every card over the API; that the table says of the other rows what the documented list
    says is a test of `tests/unit/domain/test_test_cards.py`.
    """
    seen = set()
    for group, card, row in scenarios():
        kind = (group.key, row.expected, row.answer, card.refused)
        if group.key in ("3ds", "radar") or kind not in seen:
            yield card, row
        seen.add(kind)


@pytest.mark.parametrize(("card", "row"), [pytest.param(card, row, id=row.key) for card, row in rows_to_try()])
def test_a_card_does_what_the_table_says(shop: Shop, card: TestCard, row: Scenario) -> None:
    order = runs.place(shop.services, f"browser-of-{row.key}", row, shop.clock())

    answer = try_card(shop, order, card)
    if row.answer:
        shop.challenge(answer, row.answer)
    wait(shop)
    if row.expected.refund:
        runs.refund(shop.services, order.reference, shop.clock())
        wait(shop)

    seen = runs.observe(shop.services, order.reference, HANDLERS)
    assert seen.matches(row), seen
    assert answer.get("code") == card.refused or card.refused is None


@pytest.mark.parametrize(
    "key",
    [
        "success-4242424242424242",
        "decline-4000000000009995",
        "3ds-4000002760003184-complete",
        "3ds-4000002760003184-fail",
        "dispute-4000000000000259",
        "refund-4000000000007726",
    ],
)
def test_a_card_does_the_same_on_the_hosted_page(shop: Shop, key: str) -> None:
    card, row = next((card, row) for _group, card, row in scenarios() if row.key == key)
    browser = f"hosted-{key}"
    order = runs.place(shop.services, browser, row, shop.clock(), hosted=True)
    with shop.services.database.reading() as session:
        tried = runs.scenario_of(session, order.reference, browser)

    answer = shop.pay_on_page(shop.open_page(order), PAYMENT_METHODS[card.digits])
    if row.answer:
        decided = f"/sandbox/challenges/{answer['challenge']['id']}"
        shop.sandbox.test_client().post(decided, json={"outcome": row.answer})
    wait(shop)
    if row.expected.refund:
        runs.refund(shop.services, order.reference, shop.clock())
        wait(shop)

    seen = runs.observe(shop.services, order.reference, HANDLERS)
    assert seen.matches(tried), seen
    assert not seen.matches(row) or row.expected.page is not Place.ORDER


def test_a_test_card_order_takes_no_stock(shop: Shop) -> None:
    before = shop.product().available
    order = runs.place(shop.services, "a-browser", PAYS, shop.clock())
    shop.pay(order)
    wait(shop)

    runs.note(shop.services, order.reference, PAYS, True, {"read": ""}, shop.clock())
    runs.note(shop.services, order.reference, PAYS, True, {"read": ""}, shop.clock())

    assert shop.product().available == before
    with shop.services.database.reading() as session:
        assert runs.results(session)[PAYS.key].passed


def test_a_test_card_order_is_observed_quickly_among_many_events(shop: Shop) -> None:
    order = runs.place(shop.services, "browser-of-the-crowd", PAYS, shop.clock())
    shop.stripe("POST", "/v1/customers")  # an event to begin with
    with shop.sandbox.extensions["sandbox"].state.write("") as tx:  # a second ago
        tx.execute(
            "INSERT INTO objects (id, account, kind, created, body, private) "
            "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 10000) "
            "SELECT 'evt_' || n, account, kind, ?, json_set(body, '$.id', 'evt_' || n, '$.created', ?), private "
            "FROM many, (SELECT * FROM objects WHERE kind = 'event' ORDER BY seq LIMIT 1)",
            *[int(shop.clock().timestamp()) - 1] * 2,
        )
    shop.pay(order)
    wait(shop)
    asked = len(shop.transport.requests)

    seen = runs.observe(shop.services, order.reference, HANDLERS)

    assert seen.matches(PAYS)
    assert len(shop.transport.requests) - asked == 1


def test_the_test_card_page_says_when_a_row_differs(shop: Shop) -> None:
    browser = shop.browser()
    token = token_on(browser)
    run = browser._client.post("/test-cards/runs.json", data={"scenario": PAYS.key, "csrf_token": token}).get_json()

    verdict = browser._client.post(run["result"], data={"read": "Something else", "csrf_token": token}).get_json()

    assert verdict["passed"] is False
    assert verdict["got"]["read"] == "Something else"
    assert verdict["expected"]["read"] == "Payment received"


def test_bad_requests_to_the_test_card_page_get_a_clear_answer(shop: Shop) -> None:
    browser = shop.browser()
    token = token_on(browser)

    assert browser._client.post("/test-cards/runs.json", data={"csrf_token": token}).status_code == 400
    assert browser._client.post("/test-cards/runs.json", data={"scenario": PAYS.key}).status_code == 400
    assert browser.get("/test-cards/runs/NO-SUCH-ORDER.json").status_code == 404
    assert shop.browser().get(f"/test-cards/runs/{shop.order().reference}.json").status_code == 404


@pytest.fixture(scope="module")
def real_test_keys(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A shop with test keys of the real Stripe."""
    address = databases.create("sqlite")
    shop = open_shop(address, tmp_path_factory.mktemp("real"), stripe_api_base=STRIPE_API)
    yield shop.app
    shop.close()
    databases.drop(address)


class LiveLine(InProcessStripe):
    """What is asked with a live key is answered by the sandbox, which knows no such keys, as if it were Stripe."""

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        known = {**(headers or {}), "Authorization": f"Bearer {SECRET_KEY}"}
        body, status, headers = super().request(method, url, known, post_data, _usage=_usage)
        return re.sub(r'"livemode": ?false', '"livemode": true', body), status, headers


@pytest.fixture(scope="module")
def live_store(shop: Shop) -> Flask:
    """The same shop, with live keys."""
    live = {"stripe_secret_key": "sk_live_made_up", "stripe_publishable_key": "pk_live_made_up"}
    same = {"secret_key": "a-secret-for-the-tests-only", "database_url": shop.services.settings.database_url}
    mail = {"mail_server": "127.0.0.1", "merchant_email": "owner@example.com", "store_url": "https://till.example.com"}
    settings = Settings.load(_env_file=None, stripe_webhook_secret="whsec_made_up", **live, **same, **mail)
    return create_app(settings, http_client=LiveLine(shop.sandbox), clock=shop.clock, stopwatch=shop.clock.stopwatch)


def test_with_real_test_keys_the_drawer_explains_each_card(real_test_keys: Flask) -> None:
    page = pay_page(real_test_keys)
    drawer = real_test_keys.test_client().get("/test-cards/drawer").text

    assert "https://js.stripe.com" in page
    assert 'data-drawer="/test-cards/drawer"' in page
    assert address_of("js/test_mode/payment.js") in page
    assert address_of("js/test_mode/drawer.js") in page
    assert address_of("css/test_mode/drawer.css") in drawer
    assert re.findall(r'data-number="([^"]+)"', drawer) == [card.number for group in groups() for card in group.cards]
    assert f"{counts().cards} cards and {counts().mistyped} mistyped ones." in drawer


def test_a_live_payment_page_has_no_drawer(live_store: Flask) -> None:
    page = pay_page(live_store)

    assert "pk_live_made_up" in page
    for trace in ("test-cards", "test_cards", "Test cards", "/test_mode/", "drawer", "data-number"):
        assert trace not in page


def test_a_live_store_serves_no_test_card_page_and_no_part_of_it(live_store: Flask, shop: Shop) -> None:
    live, test = live_store.test_client(), shop.app.test_client()
    parts = [name for name in built().names if "test_mode" in name]

    assert live.get("/test-cards").status_code == 404
    assert live.get("/test-cards/drawer").status_code == 404
    assert not [rule for rule in live_store.url_map.iter_rules() if "test_cards" in rule.rule]
    assert parts
    for name in parts:
        assert (name, live.get(address_of(name), buffered=True).status_code) == (name, 404)
        assert (name, test.get(address_of(name), buffered=True).status_code) == (name, 200)
    script = live.get(address_of("js/pages/payment.js"), buffered=True)
    assert script.status_code == 200
    assert "sandbox" not in script.text


def address_of(name: str) -> str:
    """The address of a static file."""
    return f"/static/{built().names[name]}"


def pay_page(store: Flask) -> str:
    """The payment page of a new order, as it is sent."""
    browser = Browser(store)
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    placed = browser.post("/checkout", FORM, page="/checkout")
    page = browser.get(placed.location)
    assert page.status_code == 200
    return page.text


def token_on(browser: Browser) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/test-cards").text)
    assert found
    return found.group(1)


def try_card(shop: Shop, order: Order, card: TestCard) -> dict[str, object]:
    """Confirm with the card as it would be typed: the PaymentIntent, or the error."""
    opened = shop.open(order)
    month, year = card.expiry.split(" / ")
    form = {
        "key": PUBLISHABLE_KEY,
        "client_secret": opened.client_secret,
        "use_stripe_sdk": "true",
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": card.digits,
        "payment_method_data[card][exp_month]": str(int(month)),
        "payment_method_data[card][exp_year]": f"20{year}",
        "payment_method_data[card][cvc]": card.cvc,
        "payment_method_data[billing_details][address][postal_code]": card.postal,
    }
    answer = shop.stripe("POST", f"/v1/payment_intents/{opened.snapshot.provider_payment_id}/confirm", form)
    outcome: dict[str, object] = answer.get("error", answer)
    return outcome


def wait(shop: Shop) -> None:
    """Deliver all webhooks, also those that are sent later."""
    for _ in range(4):
        shop.deliver()
        shop.clock.forward(seconds=3)
    shop.deliver()
