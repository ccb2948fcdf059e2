"""The back button, in a browser that restores pages from its cache: they ask the shop where they belong."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e import shop
from tests.support.processes import SandboxProcess, StoreProcess
from tools.browser import find
from tools.headless import ARGUMENTS

SAY_WHEN_RESTORED = "addEventListener('pageshow', (event) => event.persisted && console.log('restored'))"


@pytest.fixture
def keeping(browser: Browser, store: StoreProcess) -> Iterator[BrowserContext]:
    """A browser with its back-forward cache, which Playwright switches off."""
    own = browser.browser_type.launch(
        executable_path=find(), args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    yield own.new_context(base_url=store.url, locale="en-US")
    own.close()


def test_pages_that_come_back_ask_where_they_belong_and_keep_no_card(
    keeping: BrowserContext, sandbox: SandboxProcess
) -> None:
    first, other = keeping.new_page(), keeping.new_page()
    restored: list[str] = []
    first.on("console", lambda message: restored.append(message.text))
    first.add_init_script(SAY_WHEN_RESTORED)
    reference = shop.go_to_payment(first)
    shop.type_card(first)
    first.get_by_role("link", name="Shop", exact=True).click()
    expect(first.get_by_role("heading", level=1, name="Good things")).to_be_visible()
    other.route("**/status.json", lambda route: route.abort())

    other.goto(f"/orders/{reference}/pay")
    shop.type_card(other, shop.ANOTHER_THAT_PAYS)
    shop.pay(other)
    expect(other.get_by_text("Your payment went through. Do not pay again.")).to_be_visible()
    expect(shop.card_field(other).locator("input[name=cardnumber]")).to_have_value("")
    other.unroute("**/status.json")
    shop.see_paid(other, reference)
    first.go_back()
    shop.see_paid(first, reference)
    other.go_back()
    shop.see_paid(other, reference)

    assert "restored" in restored
    assert len(sandbox.charges_of(reference)) == 1
