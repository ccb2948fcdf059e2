"""The console in a browser: what happened in the sandbox, and the buttons that make more happen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.sandbox.conftest import SandboxServer

PAYMENT = {"amount": 4900, "currency": "usd", "confirm": "true"}


@pytest.fixture
def console(context: BrowserContext, sandbox_server: SandboxServer) -> Iterator[Page]:
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(f"{sandbox_server.origin}/sandbox/")
    yield page
    sandbox_server.app.test_client().delete("/sandbox/faults")
    assert broken == []


def row(console: Page, table: str, text: str) -> Locator:
    return console.locator(f"#{table} tbody tr", has_text=text).first


def test_a_payment_is_refunded_as_in_the_dashboard(console: Page, sandbox_server: SandboxServer) -> None:
    paid = sandbox_server.post("/v1/payment_intents", **PAYMENT, payment_method="pm_card_visa")

    expect(row(console, "payments", paid["id"])).to_contain_text("$49.00 USD")
    row(console, "payments", paid["id"]).get_by_role("button", name="Refund").click()

    expect(console.get_by_role("status")).to_have_text("Done.")
    assert sandbox_server.get(f"/v1/charges/{paid['latest_charge']}")["amount_refunded"] == 4900


def test_a_challenge_is_decided(console: Page, sandbox_server: SandboxServer) -> None:
    asked = sandbox_server.post("/v1/payment_intents", **PAYMENT, payment_method="pm_card_authenticationRequired")

    row(console, "challenges", asked["id"]).get_by_role("button", name="Complete").click()

    expect(row(console, "challenges", asked["id"])).to_contain_text("complete")
    assert sandbox_server.get(f"/v1/payment_intents/{asked['id']}")["status"] == "succeeded"


def test_the_next_call_is_made_to_fail(console: Page, sandbox_server: SandboxServer) -> None:
    console.get_by_label("only").first.fill("GET /v1/account")
    console.get_by_role("button", name="Make them fail").click()

    expect(row(console, "faults", "GET /v1/account")).to_contain_text("error, before the work")
    client = sandbox_server.app.test_client()
    answers = [client.get("/v1/account", headers={"Authorization": "Bearer sk_test_console"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 200]


def test_what_cannot_be_done_is_said(console: Page, sandbox_server: SandboxServer) -> None:
    paid = sandbox_server.post("/v1/payment_intents", **PAYMENT, payment_method="pm_card_visa")
    button = row(console, "payments", paid["id"]).get_by_role("button", name="Refund")

    button.click()
    expect(console.get_by_role("status")).to_have_text("Done.")
    button.click()

    expect(console.get_by_role("status")).to_contain_text("has already been refunded")


def test_no_other_page_may_frame_the_console(sandbox_server: SandboxServer) -> None:
    answer = sandbox_server.app.test_client().get("/sandbox/")

    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
