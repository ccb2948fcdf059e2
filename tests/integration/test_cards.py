"""Every row of the table of test cards, tried over the API: the events and the states are as the table says."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from app import create_app
from config import Settings
from models import Order
from store.domain.test_cards import Course, TestCard, courses
from store.services import bench
from store.webhooks.handlers import HANDLERS
from tests.support.databases import Databases
from tests.support.shop import PUBLISHABLE_KEY, Browser, Shop, open_shop

EVERY = [pytest.param(card, course, id=course.key) for _group, card, course in courses()]


@pytest.fixture(scope="module")
def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all cards, on SQLite: what is looked at is the cards, not the database."""
    address = databases.create("sqlite")
    shop = open_shop(address, tmp_path_factory.mktemp("cards"))
    shop.set_stock("cedar-pencil", 1000)
    yield shop
    shop.close()
    databases.drop(address)


@pytest.mark.parametrize(("card", "course"), EVERY)
def test_a_card_does_what_the_table_says(shop: Shop, card: TestCard, course: Course) -> None:
    order = bench.place(shop.till, f"browser-of-{course.key}", course, shop.clock())

    answer = try_card(shop, order, card)
    if course.answer:
        shop.challenge(answer, course.answer)
    wait(shop)
    if course.outcome.refund:
        bench.refund(shop.till, order.reference, shop.clock())
        wait(shop)

    seen = bench.observe(shop.till, order.reference, HANDLERS)
    assert seen.matches(course), seen
    assert answer.get("code") == card.refused or card.refused is None


def test_a_bench_order_takes_nothing_from_the_shelf(shop: Shop) -> None:
    pays = EVERY[0].values[1]
    assert isinstance(pays, Course)
    before = shop.product().available
    order = bench.place(shop.till, "browser-of-the-shelf", pays, shop.clock())
    shop.pay(order)
    wait(shop)

    bench.note(shop.till, order.reference, pays, True, {"read": ""}, shop.clock())
    bench.note(shop.till, order.reference, pays, True, {"read": ""}, shop.clock())

    assert shop.product().available == before
    with shop.till.database.reading() as session:
        assert bench.results(session)[pays.key].passed


def test_a_bench_order_is_looked_at_quickly_however_much_else_happened(shop: Shop) -> None:
    pays = EVERY[0].values[1]
    assert isinstance(pays, Course)
    order = bench.place(shop.till, "browser-of-the-crowd", pays, shop.clock())
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
    asked = len(shop.line.requests)

    seen = bench.observe(shop.till, order.reference, HANDLERS)

    assert seen.matches(pays)
    assert len(shop.line.requests) - asked == 1


def test_the_bench_says_when_a_row_differs(shop: Shop) -> None:
    browser = shop.browser()
    token = token_on(browser)
    run = browser._client.post("/bench/runs.json", data={"course": EVERY[0].id, "csrf_token": token}).get_json()

    verdict = browser._client.post(run["result"], data={"read": "Something else", "csrf_token": token}).get_json()

    assert verdict["passed"] is False
    assert verdict["got"]["read"] == "Something else"
    assert verdict["expected"]["read"] == "Payment received"


def test_bad_questions_to_the_bench_get_a_clear_answer(shop: Shop) -> None:
    browser = shop.browser()
    token = token_on(browser)

    assert browser._client.post("/bench/runs.json", data={"csrf_token": token}).status_code == 400
    assert browser._client.post("/bench/runs.json", data={"course": EVERY[0].id}).status_code == 400
    assert browser.get("/bench/runs/NO-SUCH-ORDER.json").status_code == 404
    assert shop.browser().get(f"/bench/runs/{shop.order().reference}.json").status_code == 404


def test_a_live_store_has_no_bench() -> None:
    live = live_store()

    assert live.test_client().get("/bench").status_code == 404
    assert not [rule for rule in live.url_map.iter_rules() if "bench" in rule.rule]


def live_store() -> Flask:
    return create_app(
        Settings.load(
            _env_file=None,
            secret_key="a-secret-for-the-tests-only",
            database_url="sqlite://",
            stripe_secret_key="sk_live_made_up",
            stripe_publishable_key="pk_live_made_up",
            stripe_webhook_secret="whsec_made_up",
        )
    )


def token_on(browser: Browser) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/bench").text)
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
    answer = shop.stripe("POST", f"/v1/payment_intents/{opened.snapshot.payment_id}/confirm", form)
    outcome: dict[str, object] = answer.get("error", answer)
    return outcome


def wait(shop: Shop) -> None:
    """Let everything happen that happens later, and be told."""
    for _ in range(4):
        shop.deliver()
        shop.clock.forward(seconds=3)
    shop.deliver()
