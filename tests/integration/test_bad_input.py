"""Whatever is sent to whichever address, the answer is a clear refusal: never a 500, and nothing is lost by it."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.routing import Rule

from store.domain.states import OrderState
from tests.support.shop import FORM, Browser, Shop

HUGE = "9" * 5000
NASTY = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "١",
    "NaN",
    "null",
    "a\x00b",
    "\u202e",
    "😀" * 500,
    "'; DROP TABLE orders; --",
    HUGE,
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


def addresses(shop: Shop, reference: str) -> Iterator[tuple[Rule, str]]:
    """Every address of the store, with names that exist and names that do not."""
    known = {"reference": reference, "slug": "cedar-pencil", "filename": "css/base.css", "key": "x", "number": "4242"}
    strange = {"reference": "K7QM-3XTR-9WHB-D2VN", "slug": "no-such-thing", "filename": "../app.py"}
    adapter = shop.app.url_map.bind("localhost")
    for rule in shop.app.url_map.iter_rules():
        for values in (known, {**known, **strange}):
            given = {name: values.get(name, "x") for name in rule.arguments}
            yield rule, adapter.build(rule.endpoint, given, method=next(iter(sorted(rule.methods or {"GET"}))))


def ask(browser: Browser, method: str, path: str, **more: Any) -> int:
    answer = browser.open(method, path, **more)
    answer.close()  # a file of ours, perhaps
    return answer.status_code


def test_no_address_answers_any_method_with_a_crash(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()

    crashes = [
        (method, path, status)
        for _, path in addresses(shop, reference)
        for method in METHODS
        if (status := ask(browser, method, path)) >= 500
    ]

    assert crashes == []


def test_no_form_and_no_query_crashes_on_nasty_values(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    fields = [
        "quantity",
        "slug",
        "remove",
        "buy_now",
        "confirming",
        "payment_intent",
        "shipping_method",
        "tax_id",
        "code",
        "shown",
        *FORM,
    ]
    token = browser.token("/cart")
    crashes = []
    for rule, path in addresses(shop, reference):
        for value in NASTY:
            values = dict.fromkeys(fields, value)
            if "GET" in (rule.methods or ()):
                crashes.append((path, value[:20], ask(browser, "GET", path, query_string=values)))
            if "POST" in (rule.methods or ()) and "cancel" not in path:
                form = {**values, "csrf_token": token}
                crashes.append((path, value[:20], ask(browser, "POST", path, data=form)))

    assert [crash for crash in crashes if crash[2] >= 500] == []
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"quantity": 1}', 415),
        ("text/plain", b"quantity=1", 415),
        ("application/x-www-form-urlencoded", b"q=" + b"x" * 100_000, 413),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % number for number in range(3000)), 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data", 400),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00", 400),
    ],
)
@pytest.mark.parametrize("path", ["/cart/lines", "/cart/lines/cedar-pencil", "/checkout"])
def test_a_body_that_is_no_form_of_ours_is_refused(
    shop: Shop, path: str, content_type: str, body: bytes, status: int
) -> None:
    answer = shop.browser().open("POST", path, data=body, content_type=content_type)

    assert answer.status_code == status


@pytest.mark.parametrize("cookie", ["x", "e30.x.y", "é", "." * 3000])
def test_a_cookie_that_was_tampered_with_is_a_new_browser(shop: Shop, cookie: str) -> None:
    browser = shop.browser()
    browser.set_cookie("till", cookie)

    assert "No orders yet" in browser.get("/orders").text


@pytest.mark.parametrize("path", ["/cart/lines", "/cart/lines/cedar-pencil", "/checkout"])
def test_a_form_without_its_token_changes_nothing(shop: Shop, path: str) -> None:
    answer = shop.browser().open("POST", path, data={"slug": "cedar-pencil", "quantity": "1", **FORM})

    assert answer.status_code == 400
    assert shop.product().reserved == 0


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/cart/lines", {"slug": "\0", "quantity": "1"}),
        ("POST", "/cart/lines", {"slug": "cedar\0pencil", "quantity": "1"}),
        ("POST", "/cart/lines/%00", {"quantity": "1"}),
        ("GET", "/products/%00", {}),
        ("GET", "/orders/%00", {}),
        ("GET", "/static/%00", {}),
        ("GET", "/orders/AAAA-BBBB-CCCC-DDDD/from-mail/%00", {}),
    ],
)
def test_nothing_has_a_nul_in_its_name(shop: Shop, method: str, path: str, form: dict[str, str]) -> None:
    browser = shop.browser()
    token = browser.token("/products/cedar-pencil")

    answer = browser.open(method, path, data={**form, "csrf_token": token} if form else None)

    assert answer.status_code == 404
