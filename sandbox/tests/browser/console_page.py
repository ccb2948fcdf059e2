"""The console as its tests use it."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page

from browser.conftest import SandboxServer

PAYMENT = {"amount": 4900, "currency": "usd", "confirm": "true", "allowed_payment_method_types[]": "card"}


def opened(context: BrowserContext, address: str) -> Iterator[Page]:
    """The console of the sandbox at `address`. Afterwards nothing may have broken in it."""
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/sandbox/")
    yield page
    page.close()
    assert [line for line in broken if "Failed to load resource" not in line] == []  # a refusal is logged as that


def refresh(console: Page) -> None:
    """Have the console look now, as it does when its tab is turned to, instead of within the second."""
    console.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')); }")


def row(console: Page, listing: str, text: str) -> Locator:
    """The newest row of a list that has the text in it."""
    refresh(console)
    return console.locator(f"[data-list={listing}] > [data-key]", has_text=text).first


def press(within: Locator | Page, button: str) -> None:
    within.get_by_role("button", name=button).first.click()


def said(console: Page) -> Locator:
    """What the console says about the last thing that was done."""
    return console.locator("#notice")


def pay(sandbox: SandboxServer, card: str = "pm_card_visa") -> dict[str, Any]:
    return sandbox.post("/v1/payment_intents", **PAYMENT, payment_method=card)
