"""What a browser loads for the payment page: requests, what blocks rendering, bytes, and the second visit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Page

from tools.benchmark.figures import Goal, Row
from tools.benchmark.revision import Revision
from tools.benchmark.run import SLUG, Run
from tools.benchmark.shopper import Shopper
from tools.benchmark.visited import VisitedStore
from tools.headless import launched

NAME = "what a browser loads"
SETTLES_WITHIN = 20_000  # milliseconds


@dataclass(slots=True)
class Visit:
    """What was asked for on the store's own address during one visit of a page."""

    paths: dict[str, str] = field(default_factory=dict)  # by the browser's number of the request
    cached: set[str] = field(default_factory=set)  # answered by the browser's own cache, with no request
    received: dict[str, float] = field(default_factory=dict)  # bytes on the wire, headers among them
    blocking: int = 0

    @property
    def requests(self) -> int:
        return len(self.paths) - len(self.cached)

    @property
    def kilobytes(self) -> float:
        return sum(self.received.values()) / 1000


def run(run: Run) -> Iterator[Row]:
    with run.only_here():
        first, second, catalogue = visits(run, run.ours)
        yield Row(NAME, "payment page: own requests", (first.requests,), Goal("≤", 6), _largest(first))
        yield Row(NAME, "… that block rendering", (first.blocking,), Goal("≤", 1))
        yield Row(NAME, "… kB on the wire", (first.kilobytes,), Goal("≤", 14), "with the headers of the answers")
        yield Row(NAME, "… requests of the second visit", (second.requests,), Goal("≤", 1))
        detail = f"{catalogue.kilobytes:.3g} kB"
        yield Row(NAME, "catalogue: own requests", (catalogue.requests,), None, detail)
        yield Row(NAME, "… that block rendering", (catalogue.blocking,))


def compared(run: Run, other: Revision) -> Iterator[Row]:
    """The payment page of another revision, beside ours."""
    with run.only_here():
        for revision in (run.ours, other):
            first, second, _catalogue = visits(run, revision)
            detail = f"{first.blocking} block rendering; {first.kilobytes:.3g} kB; second visit: {second.requests}"
            yield Row(NAME, f"payment page: {revision.name}", (first.requests,), None, detail)


def visits(run: Run, revision: Revision) -> tuple[Visit, Visit, Visit]:
    """The payment page in a new browser, again in the same one, and the catalogue in a new one."""
    store = VisitedStore(run, revision, "weight")
    with Shopper(store.server) as shopper, launched() as browser:
        shopper.fill_cart(SLUG)
        shopper.look("/cart")  # where a browser is led, and where it is said that the thing is in the cart
        path = f"/orders/{shopper.place()}/pay"
        name, _, value = shopper.cookie.partition("=")
        context = browser.new_context()
        context.add_cookies([{"name": name, "value": value, "url": store.server.url}])
        first, second = (_visit(context, store.server.url, path) for _ in range(2))
        context.close()
        context = browser.new_context()
        catalogue = _visit(context, store.server.url, "/")
        context.close()
    return first, second, catalogue


def _visit(context: BrowserContext, origin: str, path: str) -> Visit:
    """The page in a tab of its own, until nothing more is loaded."""
    page = context.new_page()
    with _watched(context, page, origin) as visit:
        page.goto(f"{origin}{path}", wait_until="load")
        page.wait_for_load_state("networkidle", timeout=SETTLES_WITHIN)
        visit.blocking = page.evaluate(BLOCKING, origin)
    page.close()
    return visit


# Which resources kept the browser from showing anything until they were there (Chromium's renderBlockingStatus).
BLOCKING = """origin => performance.getEntriesByType("resource")
    .filter(each => each.renderBlockingStatus === "blocking" && new URL(each.name).origin === origin).length"""


@contextmanager
def _watched(context: BrowserContext, page: Page, origin: str) -> Iterator[Visit]:
    visit = Visit()
    wire: CDPSession = context.new_cdp_session(page)

    def asked(event: dict[str, Any]) -> None:
        address = urlsplit(event["request"]["url"])
        if f"{address.scheme}://{address.netloc}" == origin:
            visit.paths[event["requestId"]] = address.path

    def answered(event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache") and event["requestId"] in visit.paths:
            visit.cached.add(event["requestId"])

    def from_memory(event: dict[str, Any]) -> None:
        if event["requestId"] in visit.paths:
            visit.cached.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in visit.paths:
            visit.received[event["requestId"]] = event["encodedDataLength"]

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.responseReceived", answered)
    wire.on("Network.requestServedFromCache", from_memory)
    wire.on("Network.loadingFinished", finished)
    wire.send("Network.enable")
    yield visit
    wire.detach()


def _largest(visit: Visit) -> str:
    largest = sorted(visit.received.items(), key=lambda item: -item[1])[:3]
    return "largest: " + ", ".join(f"{visit.paths[number]} {size / 1000:.3g} kB" for number, size in largest)
