"""A running sandbox, a shop of another site that uses it, and a browser to look at both."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, render_template_string
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page
from playwright.sync_api import TimeoutError as TookTooLong
from werkzeug.serving import make_server

from harness.processes import SandboxProcess
from till_sandbox.app import create_app
from tools.headless import launched  # the repository's own way to find a Chromium

FILES = Path(__file__).parent / "shop"
KEY = "test_elements"
# The last thing that an Element said of what is typed into it, and whether that is a whole card.
CHANGED = "events.findLast(event => event.name === 'change')"
COMPLETE = f"() => {CHANGED}?.complete"
TOLD = "([name, times]) => events.filter(event => event.name === name).length >= times"
#: Keeps in `heard` whatever a page or a frame is sent in a message.
HEAR_MESSAGES = """
    const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data').get;
    globalThis.heard = [];
    Object.defineProperty(MessageEvent.prototype, 'data', {
      get() { const value = data.call(this); heard.push(JSON.stringify(value)); return value; },
    });
"""


@dataclass
class SandboxServer:
    """A sandbox on a port of its own, and its API for the shop's server."""

    origin: str
    app: Flask

    def post(self, path: str, **parameters: Any) -> dict[str, Any]:
        """POST with the secret key; the object made. Fails the test on any refusal but a decline."""
        answer = self.app.test_client().post(path, data=parameters, headers={"Authorization": f"Bearer sk_{KEY}"})
        assert answer.status_code in (200, 402), answer.get_data(as_text=True)
        made: dict[str, Any] = answer.get_json()
        return made

    def get(self, path: str) -> dict[str, Any]:
        """GET with the secret key."""
        answer = self.app.test_client().get(path, headers={"Authorization": f"Bearer sk_{KEY}"})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found

    def payment_intent(self, amount: int = 1234, currency: str = "usd", **parameters: Any) -> dict[str, Any]:
        """A PaymentIntent that takes cards. Dictionaries are written in bracket notation by the caller."""
        taken = {"allowed_payment_method_types[]": "card"}
        return self.post("/v1/payment_intents", amount=amount, currency=currency, **taken, **parameters)


@dataclass
class Shop:
    """The shop's page in one browser tab. `violations` holds what the browser refused under the page's policy."""

    page: Page
    url: str
    violations: list[str]
    warnings: list[str]

    def open(self, *, key: str = f"pk_{KEY}", options: object = None, elements: object = None) -> None:
        """Load the page and make a Stripe object and a group of Elements."""
        self.page.goto(self.url)
        self.start(key=key, options=options, elements=elements)

    def start(self, *, key: str = f"pk_{KEY}", options: object = None, elements: object = None) -> None:
        """Make another Stripe object and group of Elements on the page that is loaded."""
        self.page.evaluate("given => start(...given)", [key, options or {}, elements or {}])

    def mount(self, kind: str = "card", options: object = None) -> None:
        """Mount an Element and wait until it is ready."""
        self.page.evaluate("given => mount(...given)", [kind, options or {}])

    def frame(self, kind: str = "card") -> FrameLocator:
        return self.page.frame_locator(f"#{kind} iframe[name^=__privateStripeFrame]")

    def input(self, name: str, kind: str = "card") -> Locator:
        return self.frame(kind).locator(f"input[name={name}]")

    def fill_card(self, number: str = "4242424242424242", *, postal: str | None = "94107") -> None:
        """Type a whole card into the card Element, with its postal code where one is asked for."""
        self.input("cardnumber").click()
        self.input("cardnumber").fill("")
        self.page.keyboard.type(number)
        self.input("exp-date").fill("12 / 34")
        self.input("cvc").fill("123")
        if postal and self.input("postal").count():
            self.input("postal").fill(postal)

    def bank(self) -> FrameLocator:
        """The bank's page during 3-D Secure, in its frame inside Stripe's."""
        outer = self.page.frame_locator("body > div > iframe[name^=__privateStripeFrame][src*=three-ds-2-challenge]")
        return outer.frame_locator("iframe[name=stripe-challenge-frame]")

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of that name so far, oldest first."""
        events: list[dict[str, Any]] = self.page.evaluate("name => events.filter(event => event.name === name)", name)
        return events

    def told(self, name: str, times: int = 1) -> list[dict[str, Any]]:
        """The events of that name so far, once there are this many: a frame tells of them a moment after the key."""
        self.page.wait_for_function(TOLD, arg=[name, times])
        return self.events(name)

    def see_change(self, path: str, wanted: object) -> None:
        """Fail unless this is, within a while, what the last change says at that path, such as `error.code`."""
        found = f"({CHANGED})?.{path.replace('.', '?.')} ?? null"
        with suppress(TookTooLong):
            self.page.wait_for_function(f"wanted => ({found}) === wanted", arg=wanted)
        assert self.page.evaluate(f"() => {found}") == wanted

    def last_change(self) -> dict[str, Any]:
        return self.events("change")[-1]

    def completed(self) -> dict[str, Any]:
        """The last change, once the card is complete: the frame tells of it a moment after the key was pressed."""
        self.page.wait_for_function(COMPLETE)
        return self.last_change()

    def pay(self, secret: str, **options: Any) -> None:
        """Start paying with the card Element; `outcome` waits for the end."""
        self.page.evaluate("given => pay(...given)", [secret, None, options])

    def outcome(self) -> dict[str, Any]:
        result: dict[str, Any] = self.page.evaluate("() => payment")
        return result

    def refusal(self, expression: str) -> dict[str, str] | None:
        """What the JavaScript expression is refused with, thrown or rejected; None when it is not."""
        refused: dict[str, str] | None = self.page.evaluate(f"() => refusal(() => {expression})")
        return refused


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for every test of this process."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox in a process of its own, for what happens to connections."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox-process")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with listening() as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3", public_url=origin)
        with served(app, listener):
            yield SandboxServer(origin, app)
        app.extensions["sandbox"].stop()


@pytest.fixture(scope="session")
def shop_url(sandbox_server: SandboxServer) -> Iterator[str]:
    """A page on another site than the sandbox: localhost, not 127.0.0.1."""
    with serving(shop_app(FILES / "index.html", sandbox_server)) as url:
        yield url


def shop_app(page: Path, sandbox: SandboxServer) -> Flask:
    """A shop whose only page loads the sandbox's script, under as strict a policy as will do."""
    app = Flask(__name__, static_folder=FILES, static_url_path="")

    @app.get("/")
    def index() -> Response:
        text = render_template_string(page.read_text(encoding="utf-8"), script=f"{sandbox.origin}/endive/stripe.js")
        policy = (
            f"default-src 'none'; script-src 'self' {sandbox.origin}; frame-src {sandbox.origin}; "
            f"connect-src {sandbox.origin}; style-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        return Response(text, headers={"Content-Security-Policy": policy})

    return app


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The address of the app, on a free port of localhost."""
    with listening() as listener, served(app, listener):
        yield f"http://localhost:{listener.getsockname()[1]}/"


@pytest.fixture(scope="session")
def lasting_context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all tests, since neither a shop nor the sandbox stores anything in the browser: in it, all frames of the
    sandbox share a process, which is what takes time to start."""
    with opened_context(browser) as context:
        yield context


@pytest.fixture
def context(lasting_context: BrowserContext) -> Iterator[BrowserContext]:
    """Where a test may open tabs, which are closed afterwards."""
    before = list(lasting_context.pages)
    yield lasting_context
    for page in lasting_context.pages:
        if page not in before:
            page.close()


@contextmanager
def opened_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past, closed afterwards."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    fresh.set_default_timeout(10_000)
    yield fresh
    fresh.close()


@pytest.fixture
def shop(context: BrowserContext, shop_url: str) -> Iterator[Shop]:
    """A tab of the shop. Afterwards nothing may have broken in it or gone against its policy."""
    opened = tab(context, shop_url)
    yield opened
    assert opened.violations == []


@pytest.fixture(scope="session")
def lasting_shop(lasting_context: BrowserContext, shop_url: str) -> Shop:
    """A tab with a card Element that stays mounted: a page is loaded once for all tests that leave it as it was."""
    opened = tab(lasting_context, shop_url)
    opened.open()
    opened.mount()
    return opened


@pytest.fixture
def card(lasting_shop: Shop) -> Iterator[Shop]:
    """A shop with a card Element in which nothing was typed yet."""
    lasting_shop.page.evaluate("() => remount('card')")
    lasting_shop.warnings.clear()
    yield lasting_shop
    violations = [*lasting_shop.violations]
    lasting_shop.violations.clear()
    assert violations == []


@pytest.fixture(scope="session")
def console_tab(lasting_context: BrowserContext) -> Page:
    """The tab in which tests open the console, one after the other."""
    return lasting_context.new_page()


def tab(context: BrowserContext, url: str) -> Shop:
    """Another tab of the shop in the same browser."""
    opened = Shop(context.new_page(), url, [], [])
    opened.page.on("pageerror", lambda error: opened.violations.append(str(error)))
    opened.page.on(
        "console",
        lambda message: (
            opened.violations.append(message.text)
            if "Content Security Policy" in message.text
            else opened.warnings.append(message.text)
            if message.type == "warning"
            else None
        ),
    )
    return opened


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@contextmanager
def served(app: Flask, listener: socket.socket) -> Iterator[None]:
    host, port = listener.getsockname()
    server = make_server(host, port, app, threaded=True, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
