"""The console's buttons for webhooks, held against what an endpoint hears."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stripe
from playwright.sync_api import Page, expect

from browser.conftest import KEY, SandboxServer, listening, served
from browser.console_page import opened, press, refresh, row
from till_sandbox.app import create_app
from till_sandbox.webhooks.sending import Outgoing, WebhookResponse

SECRET = "whsec_console"


@dataclass
class Shop:
    """The other end of the webhooks. `heard` has every event that came, with whether it was signed with our secret."""

    heard: list[tuple[str, bool]] = field(default_factory=list)
    answers: int = 200
    sandbox: SandboxServer = field(init=False)

    def hear(self, outgoing: Outgoing) -> WebhookResponse:
        signature = outgoing.headers["Stripe-Signature"]
        try:
            signed = stripe.WebhookSignature.verify_header(outgoing.body.decode(), signature, SECRET)
        except stripe.SignatureVerificationError:
            signed = False
        self.heard.append((json.loads(outgoing.body)["type"], signed))
        return WebhookResponse(self.answers, "as the shop says")

    def listen(self) -> list[tuple[str, bool]]:
        """What has come since the last time, once everything that is due was sent."""
        self.heard.clear()
        while self.sandbox.app.extensions["sandbox"].deliver_due():
            pass
        return self.heard


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a sandbox of its own, which tells it every event."""
    shop = Shop()
    with listening() as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(tmp_path / "sandbox.sqlite3", public_url=origin, send=shop.hear)
        shop.sandbox = SandboxServer(origin, app)
        app.extensions["sandbox"].forward(f"sk_{KEY}", "http://shop.example/webhooks", [SECRET])
        with served(app, listener):
            yield shop
        app.extensions["sandbox"].stop()


@pytest.fixture
def console(console_tab: Page, shop: Shop) -> Iterator[Page]:
    yield from opened(console_tab, shop.sandbox.origin)


def test_the_next_webhook_is_lost_doubled_signed_wrongly_or_late(console: Page, shop: Shop) -> None:
    form = console.get_by_role("form", name="The next webhooks")

    for kind, heard in [
        ("lost", []),
        ("sent twice", [("customer.created", True)] * 2),
        ("signed wrongly", [("customer.created", False)]),
        ("delayed", []),
    ]:
        form.get_by_role("combobox", name="are", exact=True).select_option(kind)
        if kind == "delayed":
            form.get_by_label("by seconds").fill("60")
        press(form, "Make them go wrong")
        expect(row(console, "faults", "The next webhook")).to_be_visible()

        shop.sandbox.post("/v1/customers")

        assert shop.listen() == heard
        refresh(console)
        expect(console.get_by_text("Nothing is to go wrong.")).to_be_visible()
    press(console, "An hour later")
    expect(console.locator("#ahead")).to_have_text("1 hour ahead")
    assert shop.listen() == [("customer.created", True)]


def test_a_webhook_is_overtaken(console: Page, shop: Shop) -> None:
    form = console.get_by_role("form", name="The next webhooks")
    form.get_by_role("combobox", name="are", exact=True).select_option("overtaken by what comes next")
    press(form, "Make them go wrong")
    expect(row(console, "faults", "overtaken")).to_be_visible()

    customer = shop.sandbox.post("/v1/customers")
    shop.sandbox.post(f"/v1/customers/{customer['id']}", name="Ada")

    first = list(shop.listen())
    shop.sandbox.app.test_client().post("/sandbox/clock", json={"advance": 10})
    assert (first, shop.listen()) == ([("customer.updated", True)], [("customer.created", True)])


def test_a_delivery_is_sent_once_more_in_every_way(console: Page, shop: Shop) -> None:
    rightly, wrongly = ("customer.created", True), ("customer.created", False)
    shop.sandbox.post("/v1/customers")
    shop.listen()
    line = row(console, "deliveries", "customer.created")
    first = line.get_attribute("data-key")
    line = console.locator(f"[data-list=deliveries] > [data-key='{first}']")
    line.get_by_role("button", name="customer.created", exact=True).click()

    for button, heard, later in [
        ("Send again", [rightly], []),
        ("Send twice", [rightly, rightly], []),
        ("Send signed wrongly", [wrongly], []),
        ("Send and lose", [], []),
        ("Send 10 seconds late", [], [rightly]),
        ("Send after what comes next", [], [rightly]),
    ]:
        there = console.locator("[data-list=deliveries] > [data-key]").count()
        press(line, button)
        expect(console.locator("[data-list=deliveries] > [data-key]")).to_have_count(there + max(len(heard), 1))

        assert shop.listen() == heard, button
        shop.sandbox.app.test_client().post("/sandbox/clock", json={"advance": 10})
        assert shop.listen() == later, button


def test_a_delivery_shows_its_request_and_every_attempt(console: Page, shop: Shop) -> None:
    shop.answers = 503
    shop.sandbox.post("/v1/customers", email="ada@example.com")
    shop.listen()
    line = row(console, "deliveries", "customer.created")
    expect(line).to_contain_text("http://shop.example/webhooks")

    line.get_by_role("button", name="customer.created", exact=True).click()

    attempts = line.get_by_role("list").get_by_role("listitem")
    expect(attempts).to_have_count(1)
    expect(attempts.first).to_contain_text("503")
    expect(attempts.first).to_contain_text("as the shop says")
    expect(line).to_contain_text("POST http://shop.example/webhooks")
    expect(line).to_contain_text('"email": "ada@example.com"')
    shop.answers = 200
    shop.sandbox.app.test_client().post("/sandbox/clock", json={"advance": 60})
    shop.listen()
    expect(attempts).to_have_count(2)
    expect(line.get_by_text("delivered", exact=True)).to_be_visible()
