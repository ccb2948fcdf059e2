"""Fixtures: a running store and sandbox, a webhook proxy between them, and browsers to shop with.

One store, one sandbox and one Chromium serve all browser tests of a test process, on ports of its own; every test shops
in browsers of its own and places orders of its own.
"""

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, expect

from tests.support.databases import ROOT, Databases
from tests.support.processes import SandboxProcess, StoreProcess
from tests.support.webhook_proxy import WebhookProxy
from tools.headless import launched
from tools.programs import free_port

HERE = Path(__file__).parent
RESULTS = ROOT / "test-results"
POLL_INTERVAL = 10_000  # milliseconds for what happens at once on an idle machine

# Opens another browser: cookies of its own, nothing in its cart. Takes Playwright's options for a context.
NewBrowser = Callable[..., BrowserContext]


@dataclass(frozen=True)
class Stack:
    """Everything that runs beside the browser."""

    store: StoreProcess
    sandbox: SandboxProcess
    webhook_proxy: WebhookProxy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        for number, page in enumerate(_open_pages(item)):
            RESULTS.mkdir(exist_ok=True)
            name = re.sub(r"[^\w.-]+", "-", item.nodeid.removeprefix("tests/e2e/"))
            page.screenshot(path=RESULTS / f"{name}-{number}.png", full_page=True)
            report.sections.append((f"page {number}", f"{page.url}\n{page.locator('body').inner_text()}"))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Tests open their own windows in it with `new_browser`."""
    expect.set_options(timeout=POLL_INTERVAL)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    port, sandbox_port = free_port(), free_port()
    store = StoreProcess(folder, port, sandbox_port, databases.create("sqlite"))
    store.flask("seed")
    # Enough for every test; what is scarce or sold out stays so.
    store.change("UPDATE products SET stock = stock + 1000 WHERE stock > 5")
    with WebhookProxy(f"{store.url}/webhooks/stripe") as webhook_proxy:
        sandbox = SandboxProcess(folder, sandbox_port, forward_to=webhook_proxy.url)
        try:
            sandbox.start()
            store.start()
            yield Stack(store, sandbox, webhook_proxy)
        finally:  # at once: a browser that is still open would be waited for
            store.kill()
            sandbox.kill()


@pytest.fixture
def store(stack: Stack) -> StoreProcess:
    return stack.store


@pytest.fixture
def sandbox(stack: Stack) -> SandboxProcess:
    return stack.sandbox


@pytest.fixture
def webhook_proxy(stack: Stack) -> WebhookProxy:
    return stack.webhook_proxy


@pytest.fixture
def new_browser(browser: Browser, store: StoreProcess) -> Iterator[NewBrowser]:
    """No page may throw, or try what its Content-Security-Policy forbids, in any test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def hear_error(error: WebError) -> None:
        complaints.append(f"{error.page.url if error.page else 'a page'}: {error.error}")

    def hear_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def new(**options: object) -> BrowserContext:
        context = browser.new_context(**({"base_url": store.url, "locale": "en-US"} | options))  # type: ignore[arg-type]  # passed on as they are
        context.set_default_timeout(POLL_INTERVAL)
        context.on("weberror", hear_error)
        context.on("console", hear_console)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_browser: NewBrowser) -> Page:
    """A page in a browser that has never been to the shop."""
    return new_browser().new_page()


def _open_pages(item: pytest.Item) -> list[Page]:
    browser = getattr(item, "funcargs", {}).get("browser")
    return [page for context in browser.contexts for page in context.pages] if browser else []
