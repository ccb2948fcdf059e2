"""The store behind a proxy: under a path, without a Referer, and whatever the headers claim."""

from collections.abc import Callable

import pytest

from tests.support.shop import FORM, Browser, Shop

LIVE = {
    "stripe_secret_key": "sk_live_shop",
    "stripe_publishable_key": "pk_live_shop",
    "stripe_api_base": "",
    "mail_server": "smtp.example.com",
    "merchant_email": "owner@example.com",
    "store_url": "https://till.example.com",
    "proxy_hops": 1,
}


def add_to_cart(browser: Browser, prefix: str = "", **more: object) -> str:
    page = f"{prefix}/products/cedar-pencil"
    form = {"slug": "cedar-pencil", "quantity": "1", "csrf_token": browser.token(page)}
    return browser.open("POST", f"{prefix}/cart/lines", data=form, **more).headers.get("Location", "")


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_store_under_a_path_uses_that_path_in_every_link(shop_with: Callable[..., Shop], cut_off: bool) -> None:
    """A proxy may cut the path off or leave it on."""
    shop = shop_with(store_url="https://host.example/till")
    client = shop.app.test_client()
    seen = "" if cut_off else "/till"

    page = client.get(f"{seen}/products/cedar-pencil", base_url="http://localhost/")
    missing = client.get("/elsewhere/cart", base_url="http://localhost/")

    links = [part.partition('"')[0] for part in page.text.replace('src="', 'href="').split('href="')[1:]]
    files = [link for link in links if link.startswith("/till/static/")]
    served = [client.get(seen + link.removeprefix("/till"), buffered=True).status_code for link in files]
    assert page.status_code == 200
    assert served
    assert set(served) == {200}
    assert {link.split("/")[1] for link in links if link.startswith("/")} == {"till"}
    assert missing.status_code == 404


def test_an_order_under_a_path_is_paid_and_shown_there(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(store_url="https://host.example/till")
    browser = shop.browser()

    cart = add_to_cart(browser, "/till")
    form = {**FORM, "csrf_token": browser.token("/till/checkout")}
    placed = browser.open("POST", "/till/checkout", data=form).location
    status = browser.get(f"{placed.removesuffix('/pay')}/status.json").json

    page = browser.get(placed)
    shop.pay(shop.read(placed.split("/")[3]))
    shop.deliver()
    paid = browser.get(placed)
    confirmation = browser.get(paid.location)

    assert page.status_code == 200
    assert paid.location.startswith("/till/orders/")
    assert confirmation.status_code == 200
    assert cart == "/till/cart"
    assert placed.startswith("/till/orders/")
    assert status is not None
    assert status["next"] == placed


@pytest.mark.parametrize("script_name", ["//evil.example", "https://evil.example", "/elsewhere"])
def test_no_header_chooses_the_path_of_the_store(shop: Shop, script_name: str) -> None:
    """As gunicorn hands it on: a header SCRIPT_NAME becomes the name that WSGI begins every address with."""
    browser = shop.browser()

    answer = browser.open("GET", "/cart/lines", environ_overrides={"SCRIPT_NAME": script_name})

    assert answer.location == "/cart"


def test_a_form_needs_its_token_and_no_referer(shop_with: Callable[..., Shop]) -> None:
    """A browser keeps the Referer to itself, and nginx passes on its own Host unless it is configured otherwise."""
    browser = shop_with(**LIVE).browser()
    https = {"X-Forwarded-Proto": "https", "Host": "127.0.0.1:8000"}
    page = browser.open("GET", "/products/cedar-pencil", headers=https).text
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    form = {"slug": "cedar-pencil", "quantity": "1"}

    taken = browser.open("POST", "/cart/lines", data={**form, "csrf_token": token}, headers=https)
    forged = browser.open("POST", "/cart/lines", data=form, headers=https)

    assert (taken.status_code, forged.status_code) == (303, 400)


def test_with_live_keys_browser_and_cookie_use_https_only(shop_with: Callable[..., Shop]) -> None:
    browser = shop_with(**LIVE).browser()
    https = {"X-Forwarded-Proto": "https"}

    answer = browser.open("GET", "/products/cedar-pencil", headers=https)

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "; Secure; HttpOnly;" in answer.headers["Set-Cookie"]


def test_a_shop_warns_at_start_when_its_proxy_is_not_configured(
    shop_with: Callable[..., Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    configured = shop_with(**LIVE)
    output = capsys.readouterr().err

    shop_with(**{name: value for name, value in LIVE.items() if name != "proxy_hops"})
    said = capsys.readouterr().err

    assert configured.services.settings.warnings == []
    assert "PROXY_HOPS" not in output
    assert "PROXY_HOPS is not set while STORE_URL is https" in said
