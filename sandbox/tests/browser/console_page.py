"""The console as its tests use it."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page

from browser.conftest import SandboxServer

PAYMENT = {"amount": 4900, "currency": "usd", "confirm": "true", "allowed_payment_method_types[]": "card"}


def opened(page: Page, address: str) -> Iterator[Page]:
    """The console of the sandbox at `address` in the tab. Afterwards nothing may have broken in it."""
    broken: list[str] = []

    def hear_error(error: object) -> None:
        broken.append(str(error))

    def hear_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:  # a refusal is logged as that
            broken.append(message.text)

    page.on("pageerror", hear_error)
    page.on("console", hear_console)
    page.goto(f"{address}/sandbox/")
    yield page
    page.remove_listener("pageerror", hear_error)
    page.remove_listener("console", hear_console)
    assert broken == []


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
