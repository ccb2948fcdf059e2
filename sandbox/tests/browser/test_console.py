"""The console in a browser: what happened in the sandbox, and the buttons that make more happen.

Each button is held against what it does at the API.
"""

import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from browser.conftest import KEY, SandboxServer
from browser.console_page import PAYMENT, opened, pay, press, refresh, row, said
from harness.processes import SandboxProcess


@pytest.fixture
def console(console_tab: Page, sandbox_server: SandboxServer) -> Iterator[Page]:
    sandbox_server.app.test_client().post("/sandbox/reset", json={})
    yield from opened(console_tab, sandbox_server.origin)


def test_a_payment_is_refunded_whole_or_in_part_as_in_the_dashboard(
    console: Page, sandbox_server: SandboxServer
) -> None:
    paid = pay(sandbox_server)
    line = row(console, "payments", paid["id"])

    expect(line).to_contain_text("$49.00 USD")
    line.get_by_role("button", name=paid["id"], exact=True).click()
    line.get_by_label("amount in the smallest unit").fill("900")
    press(line, "Refund that much")

    expect(said(console)).to_contain_text("900 of 4900")
    charge = f"/v1/charges/{paid['latest_charge']}"
    assert sandbox_server.get(charge)["amount_refunded"] == 900
    press(line, "Refund:")
    expect(said(console)).to_contain_text("4000 of 4900")
    assert sandbox_server.get(charge)["amount_refunded"] == 4900
    press(line, "Refund:")
    expect(said(console)).to_contain_text("has already been refunded")


def test_a_checkout_session_is_looked_at_and_paid(console: Page, sandbox_server: SandboxServer) -> None:
    line_item = {"price_data][currency": "usd", "price_data][unit_amount": "900", "quantity": "1"}
    line_item["price_data][product_data][name"] = "Tea"
    form = {f"line_items[0][{name}]": value for name, value in line_item.items()}
    made = sandbox_server.post("/v1/checkout/sessions", mode="payment", success_url="http://shop.example/", **form)
    line = row(console, "checkout_sessions", made["id"][:20])

    expect(line).to_contain_text("$9.00 USD")
    expect(line.get_by_role("link", name="Open its page")).to_have_attribute("href", made["url"])
    press(line, "Pay")

    expect(line.get_by_text("complete", exact=True)).to_be_visible()
    expect(line.get_by_role("link")).to_have_count(0)
    assert sandbox_server.get(f"/v1/checkout/sessions/{made['id']}")["payment_status"] == "paid"


def test_a_payment_is_disputed(console: Page, sandbox_server: SandboxServer) -> None:
    paid = pay(sandbox_server)
    line = row(console, "payments", paid["id"])

    line.get_by_role("button", name=paid["id"], exact=True).click()
    line.get_by_role("combobox", name="as", exact=True).select_option("product not received")
    press(line, "Open that dispute")

    expect(said(console)).to_contain_text("product not received")
    (dispute,) = sandbox_server.get(f"/v1/disputes?payment_intent={paid['id']}")["data"]
    assert dispute["reason"] == "product_not_received"


def test_a_challenge_is_completed_failed_or_abandoned(console: Page, sandbox_server: SandboxServer) -> None:
    for button, challenge, payment in [
        ("Complete", "complete", "succeeded"),
        ("Fail", "failed", "requires_payment_method"),
        ("Abandon", "abandoned", "requires_action"),
    ]:
        asked = pay(sandbox_server, "pm_card_authenticationRequired")
        line = row(console, "challenges", asked["id"])

        press(line, button)

        expect(line.get_by_text(challenge, exact=True)).to_be_visible()
        expect(line.get_by_role("button")).to_have_count(0)
        focused = console.evaluate("document.activeElement.textContent")
        assert focused.startswith(asked["id"]), "the reader loses the row"
        assert sandbox_server.get(f"/v1/payment_intents/{asked['id']}")["status"] == payment


def test_a_request_shows_what_was_sent_why_it_failed_and_what_followed(
    console: Page, sandbox_server: SandboxServer
) -> None:
    pay(sandbox_server, "pm_card_chargeDeclined")
    line = row(console, "requests", "POST /v1/payment_intents")
    expect(line).to_contain_text("402")
    expect(line).to_contain_text("card_declined")

    line.get_by_role("button", name="POST /v1/payment_intents").click()

    expect(line.get_by_text("Your card was declined.", exact=True)).to_be_visible()
    expect(line).to_contain_text("with a secret key")
    expect(line).to_contain_text('"payment_method": "pm_card_chargeDeclined"')
    expect(line).to_contain_text('"allowed_payment_method_types": [')
    expect(line).to_contain_text('"decline_code": "generic_decline"')
    followed = line.get_by_role("listitem")
    assert "payment_intent.payment_failed" in " ".join(followed.all_inner_texts())


def test_a_request_that_fails_on_purpose_says_so(console: Page, sandbox_server: SandboxServer) -> None:
    client = sandbox_server.app.test_client()
    client.post("/sandbox/faults", json={"target": "api", "kind": "rate_limit", "times": 1})

    client.get("/v1/account", headers={"Authorization": f"Bearer sk_{KEY}"})

    line = row(console, "requests", "GET /v1/account")
    expect(line).to_contain_text("rate limit")
    expect(line.locator(".badge")).to_have_attribute("data-tone", "bad")


def test_the_next_calls_are_refused_before_or_after_their_work(console: Page, sandbox_server: SandboxServer) -> None:
    form = console.get_by_role("form", name="The next API calls")
    client, headers = sandbox_server.app.test_client(), {"Authorization": f"Bearer sk_{KEY}"}

    for kind, when, status, made in [
        ("a server error (500)", "before the work is done", 500, 1),
        ("a server error (500)", "after the work is done", 500, 3),
        ("too many requests (429)", "before the work is done", 429, 1),
    ]:
        form.get_by_label("fail with").select_option(kind)
        form.get_by_label("when").select_option(when)
        form.get_by_label("how many").fill("2")
        form.get_by_label("only calls").fill("POST /v1/customers")
        press(form, "Make them fail")
        expect(row(console, "faults", "The next 2 API calls (POST /v1/customers)")).to_be_visible()

        before = len(sandbox_server.get("/v1/customers")["data"])
        answers = [client.post("/v1/customers", headers=headers).status_code for _ in range(3)]

        assert answers == [status, status, 200]
        assert len(sandbox_server.get("/v1/customers")["data"]) - before == made
        refresh(console)
        expect(console.get_by_text("Nothing is to go wrong.")).to_be_visible()


@pytest.mark.parametrize("kind", ["a connection reset", "a time-out"])
def test_the_connection_breaks(console_tab: Page, sandbox: SandboxProcess, kind: str) -> None:
    for console in opened(console_tab, sandbox.url):
        form = console.get_by_role("form", name="The next API calls")
        form.get_by_label("fail with").select_option(kind)
        if kind == "a time-out":
            form.get_by_label("after seconds").fill("1")
        form.get_by_label("only calls").fill("GET /v1/account")
        press(form, "Make them fail")
        expect(row(console, "faults", "GET /v1/account")).to_be_visible()

        started = time.monotonic()
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sandbox.url}/v1/account", auth=("sk_test_broken_line", ""), timeout=20)

        assert (time.monotonic() - started >= 1) == (kind == "a time-out")
        assert requests.get(f"{sandbox.url}/v1/account", auth=("sk_test_broken_line", ""), timeout=20).ok


def test_faults_are_taken_back_one_by_one_or_all(console: Page, sandbox_server: SandboxServer) -> None:
    form = console.get_by_role("form", name="The next API calls")
    form.get_by_label("until it is taken back").check()
    for path in ("GET /v1/account", "GET /v1/events", "GET /v1/charges"):
        form.get_by_label("only calls").fill(path)
        press(form, "Make them fail")
        expect(row(console, "faults", f"All API calls ({path})")).to_be_visible()

    press(row(console, "faults", "GET /v1/events"), "Take back")
    expect(row(console, "faults", "GET /v1/events")).to_have_count(0)

    assert sandbox_server.get("/v1/events")["data"] == []
    press(console, "Let everything work again")
    refresh(console)
    expect(console.get_by_text("Nothing is to go wrong.")).to_be_visible()
    assert sandbox_server.get("/v1/charges")["data"] == []


def test_what_comes_in_leaves_the_reader_where_they_are(console: Page, sandbox_server: SandboxServer) -> None:
    paid = pay(sandbox_server)
    line = row(console, "payments", paid["id"])
    line.get_by_role("button", name=paid["id"], exact=True).click()
    line.get_by_label("amount in the smallest unit").fill("12")

    for number in (2, 5):  # while the payment is among those that are shown, and after
        newest = [pay(sandbox_server) for _ in range(number)][-1]
        expect(row(console, "payments", newest["id"])).to_be_visible()

        expect(line.get_by_label("amount in the smallest unit")).to_be_focused()
        expect(line.get_by_label("amount in the smallest unit")).to_have_value("12")
    expect(console.locator("[data-list=payments] > [data-key]")).to_have_count(6)
    press(console, "Show more payments")
    expect(console.locator("[data-list=payments] > [data-key]")).to_have_count(8)


def test_one_account_or_one_payment_is_looked_at_alone(console: Page, sandbox_server: SandboxServer) -> None:
    ours = pay(sandbox_server)
    theirs = sandbox_server.app.test_client().post(
        "/v1/payment_intents",
        data=PAYMENT | {"payment_method": "pm_card_visa"},
        headers={"Authorization": "Bearer sk_test_theirs"},
    )
    expect(row(console, "payments", theirs.get_json()["id"])).to_be_visible()

    console.get_by_label("Account").fill(f"sk_{KEY}")
    console.keyboard.press("Enter")
    console.keyboard.press("Tab")

    expect(row(console, "payments", theirs.get_json()["id"])).to_have_count(0)
    expect(console.get_by_label("Account")).not_to_have_value(f"sk_{KEY}")
    another = pay(sandbox_server)
    line = row(console, "payments", ours["id"])
    line.get_by_role("button", name=ours["id"], exact=True).click()
    press(line, "Only its requests, events and deliveries")
    expect(row(console, "events", ours["id"])).to_be_visible()
    expect(row(console, "requests", "POST /v1/payment_intents")).to_be_visible()
    for listing in ("events", "requests"):
        expect(console.locator(f"[data-list={listing}]")).not_to_contain_text(another["id"])
    expect(console.locator("[data-list=requests] > [data-key]")).to_have_count(1)


def test_no_secret_is_shown(console: Page, sandbox_server: SandboxServer) -> None:
    asked = pay(sandbox_server, "pm_card_authenticationRequired")
    line = row(console, "payments", asked["id"])

    line.get_by_role("button", name=asked["id"], exact=True).click()
    press(row(console, "events", "payment_intent.created"), "payment_intent.created")

    expect(line.locator("pre")).to_contain_text("three_d_secure_redirect")
    shown = console.locator("body").inner_text()
    assert f"{asked['id']}_secret_…" in shown
    assert asked["client_secret"] not in shown
    assert asked["next_action"]["use_stripe_sdk"]["stripe_js"].partition("client_secret=")[2] not in shown


def test_everything_is_forgotten_when_one_is_sure(console: Page, sandbox_server: SandboxServer) -> None:
    paid = pay(sandbox_server)
    expect(row(console, "payments", paid["id"])).to_be_visible()

    console.once("dialog", lambda dialog: dialog.dismiss())
    press(console, "Forget everything")
    assert sandbox_server.get("/v1/payment_intents")["data"]
    console.once("dialog", lambda dialog: dialog.accept())
    press(console, "Forget everything")

    expect(console.get_by_text("No payment yet.")).to_be_visible()
    assert sandbox_server.get("/v1/payment_intents")["data"] == []


def test_a_sandbox_that_is_away_is_said_and_so_is_its_return(console: Page) -> None:
    connection = console.locator("#connection")
    expect(connection).to_have_text("Live")

    console.context.set_offline(True)
    expect(connection).to_contain_text("does not answer")

    console.context.set_offline(False)
    expect(connection).to_have_text("Live")


def test_no_other_page_may_frame_the_console(sandbox_server: SandboxServer) -> None:
    answer = sandbox_server.app.test_client().get("/sandbox/")

    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
