"""The drawer of test cards beside the card form, the test-card page that tries each with a click, and `make cards`."""

import os
import re
import subprocess
import sys

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.e2e import shop
from tests.support.databases import ROOT, SETTINGS
from tests.support.processes import SandboxProcess, StoreProcess


def test_a_test_card_is_found_and_put_into_the_field(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reference = shop.go_to_payment(page)
    drawer = open_drawer(page)
    for words, found in [("mastercard prepaid", 1), ("4000 0000 0000 9995", 1), ("bank asks declines", 2), ("wat", 0)]:
        drawer.get_by_label("Search").fill(words)
        expect(drawer.get_by_role("status")).to_have_text(f"{found} found.")
        expect(drawer.get_by_role("listitem")).to_have_count(found)
    drawer.get_by_label("Search").fill("mastercard prepaid")

    drawer.get_by_role("button", name="5105 1051 0510 5100").click()

    expect(drawer).to_be_hidden()
    expect(page.get_by_text("is in the card field, and copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "5105 1051 0510 5100"
    expect(shop.card_field(page).locator("input[name=cardnumber]")).to_have_value("5105 1051 0510 5100")
    shop.pay(page)
    shop.see_paid(page, reference)


def test_the_drawer_is_used_with_the_keyboard_alone(page: Page) -> None:
    shop.go_to_payment(page)
    drawer = open_drawer(page)
    opener = page.get_by_role("button", name="Test cards")
    expect(drawer.get_by_label("Search")).to_be_focused()
    for _ in range(4):  # a link, then cards: the page under the drawer is out of reach
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('dialog') !== null")

    page.keyboard.press("Escape")

    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("insufficient")
    page.keyboard.press("Enter")
    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    expect(shop.card_field(page).locator("input[name=cardnumber]")).to_have_value("4000 0000 0000 9995")


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ("success-4242424242424242", "card"),
        ("decline-4000000000009995", "card"),
        ("3ds-4000002760003184-fail", "hosted"),
        ("dispute-4000000000000259", "hosted"),
    ],
)
def test_a_row_of_the_test_card_page_runs_with_a_click(page: Page, row: str, form: str) -> None:
    page.goto("/test-cards")
    page.get_by_label("Pay on").select_option("" if form == "card" else form)
    line = page.locator(f'[id="{row}"]')

    line.get_by_role("button", name="Run").click()

    expect(line).to_have_attribute("data-state", "passed", timeout=60_000)
    page.reload()
    expect(line).to_have_attribute("data-state", "passed")


def test_rows_of_a_group_run_one_after_the_other_until_they_are_stopped(page: Page) -> None:
    page.goto("/test-cards")
    page.get_by_label("Group").select_option("Mistyped")
    expect(rows(page)).to_have_count(4)
    page.get_by_label("Search").fill("month year")
    expect(page.get_by_role("button", name=re.compile("Run all"))).to_be_hidden()
    page.get_by_label("Search").fill("the year")
    page.get_by_role("button", name="Run all 1", exact=True).click()
    expect(rows(page).first).to_have_attribute("data-state", "passed", timeout=30_000)
    page.get_by_label("Search").fill("")

    page.get_by_role("button", name="Run all 4", exact=True).click()
    expect(page.get_by_role("progressbar", name="Run")).to_be_visible()
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("progressbar", name="Run")).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("button", name="Run all 4", exact=True)).to_be_focused()
    page.get_by_label("Last result").select_option("As expected")
    expect(rows(page)).to_have_count(2)  # the one that ran alone, and the one that was running
    page.get_by_label("Last result").select_option("None yet")
    expect(rows(page)).to_have_count(2)


def test_make_cards_says_what_differs(store: StoreProcess, sandbox: SandboxProcess) -> None:
    asked = {"target": "webhook", "kind": "drop", "match": "payment_intent.payment_failed", "times": 1}
    requests.post(f"{sandbox.url}/sandbox/faults", json=asked, timeout=5).raise_for_status()

    tried = make_cards("--store", store.url, "--hosted", "--timeout", "3", "4000 0000 0000 9979", "5555555555554444")

    assert tried.returncode == 1, tried.stderr
    assert "FAIL  4000 0000 0000 9979" in tried.stdout
    assert "events: expected charge.failed, payment_intent.payment_failed, got charge.failed" in tried.stdout
    assert "1 of 2 as expected." in tried.stdout


def test_make_cards_says_why_it_cannot_run() -> None:
    no_store = make_cards("--store", "http://127.0.0.1:9")

    assert no_store.returncode == 2
    assert "There is no store at http://127.0.0.1:9. Start it with `make run`." in no_store.stderr


def open_drawer(page: Page) -> Locator:
    shop.see_card_form(page)
    page.get_by_role("button", name="Test cards").focus()
    page.keyboard.press("Enter")
    return page.get_by_role("dialog", name="Test cards")


def rows(page: Page) -> Locator:
    """The rows of the test-card page that are shown."""
    return page.locator("[data-part=scenario]:visible")


def make_cards(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.cards", *words]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | SETTINGS, capture_output=True, text=True, check=False, timeout=120
    )
