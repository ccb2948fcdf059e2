"""A page that comes back from the browser's back-forward cache with its card Element."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as TookTooLong

from browser.conftest import COMPLETE, SandboxServer, Shop, opened_context, tab
from tools.browser import find
from tools.headless import ARGUMENTS

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(browser: Browser, shop_url: str) -> Iterator[Shop]:
    """A shop in a browser that keeps pages for when the shopper goes back, which Playwright switches off."""
    keeping = browser.browser_type.launch(
        executable_path=find(), args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    with opened_context(keeping) as context:
        yield tab(context, shop_url)
    keeping.close()


def test_a_field_cleared_on_leaving_comes_back_empty_and_takes_a_card(
    shop: Shop, shop_url: str, sandbox_server: SandboxServer
) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    shop.open()
    shop.mount()
    shop.fill_card()
    shop.page.evaluate("() => addEventListener('pageshow', ({persisted}) => { window.isFromCache = persisted; })")

    shop.page.evaluate("address => { card.clear(); location.assign(address); }", f"{shop_url}shop.css")
    shop.page.wait_for_url("**/shop.css")
    shop.page.go_back(wait_until="commit")  # a page from the cache is not loaded again

    assert shop.page.evaluate("() => window.isFromCache") is True
    shop.pay(secret)
    assert shop.outcome()["error"]["code"] == "incomplete_number"
    _type_again(shop)
    shop.pay(secret)
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"


def _type_again(shop: Shop) -> None:
    """Type a card. While a page comes back the browser may take the focus from a frame once more: keys that are typed
    then are lost, and are typed anew.
    """
    deadline, typed = time.monotonic() + 20, False
    while not typed:
        assert time.monotonic() < deadline
        shop.page.evaluate("() => { card.clear(); events.length = 0; card.focus(); }")
        shop.page.wait_for_function("() => events.some(event => event.name === 'focus')")
        shop.page.keyboard.type("5555555555554444123412394107")
        with suppress(TookTooLong):
            shop.page.wait_for_function(COMPLETE, timeout=2_000)
            typed = True
