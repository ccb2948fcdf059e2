"""What the payment page asks its store for: few requests, few bytes, and on the second visit the page alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.e2e import shop
from tests.support.processes import StoreProcess

FIRST_FLIGHT = 14_000  # bytes, compressed: about what a server may send before it hears that anything has arrived


@dataclass
class Traffic:
    """What went over the wire between a page and its store, by path: bytes of headers, and of the rest."""

    origin: str
    paths: dict[str, str] = field(default_factory=dict)
    headers: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)
    blocking: list[str] = field(default_factory=list)

    def hear_request(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith(self.origin):
            path = self.paths[event["requestId"]] = event["request"]["url"].removeprefix(self.origin)
            if event.get("renderBlockingBehavior") == "Blocking":
                self.blocking.append(path)

    def hear_response(self, event: dict[str, Any]) -> None:
        if path := self.paths.get(event["requestId"]):
            self.headers[path] = int(event["response"]["encodedDataLength"])

    def hear_end(self, event: dict[str, Any]) -> None:
        if (path := self.paths.get(event["requestId"])) and event["encodedDataLength"]:
            self.bodies[path] = int(event["encodedDataLength"]) - self.headers[path]

    def __str__(self) -> str:
        rows = [(size, self.headers[path], path) for path, size in self.bodies.items()]
        rows.append((sum(self.bodies.values()), sum(head for _, head, _ in rows), "in all"))
        return "".join(f"\n{size:>8} and {head:>5} of headers: {path}" for size, head, path in rows)


@contextmanager
def listening(page: Page, store: StoreProcess) -> Iterator[Traffic]:
    """The traffic of a block. What comes out of the browser's cache is none."""
    traffic = Traffic(store.url)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", traffic.hear_request)
    session.on("Network.responseReceived", traffic.hear_response)
    session.on("Network.loadingFinished", traffic.hear_end)
    yield traffic
    session.detach()


def test_the_payment_page_fits_into_the_first_flight(page: Page, browser: Browser, store: StoreProcess) -> None:
    payment_page = f"/orders/{shop.go_to_payment(page)}/pay"
    with_cookies = browser.new_context(base_url=store.url, storage_state=page.context.storage_state())
    first, second = with_cookies.new_page(), with_cookies.new_page()

    with listening(first, store) as visit:
        first.goto(payment_page)
        shop.see_card_form(first)
    with listening(second, store) as again:
        second.goto(payment_page)
        shop.see_card_form(second)

    with_cookies.close()
    assert len(visit.bodies) <= 3, str(visit)
    assert sum(size + visit.headers[path] for path, size in visit.bodies.items()) <= FIRST_FLIGHT, str(visit)
    assert [path.partition(".")[0] for path in visit.blocking] == ["/static/css/pages/payment"]
    assert list(again.bodies) == [payment_page], str(again)


def test_the_test_cards_are_loaded_when_they_are_opened(page: Page, store: StoreProcess) -> None:
    shop.go_to_payment(page)
    shop.see_card_form(page)
    drawer = page.get_by_role("dialog", name="Test cards")

    with listening(page, store) as opening:
        for _ in range(2):
            page.get_by_role("button", name="Test cards").click()
            expect(drawer).to_be_visible()
            page.keyboard.press("Escape")
            expect(drawer).to_be_hidden()

    loaded = sorted(path.partition(".")[0] for path in opening.bodies)
    assert loaded == ["/static/css/test_mode/drawer", "/static/js/test_mode/drawer", "/test-cards/drawer"], str(opening)


def test_test_cards_that_do_not_load_are_tried_again(page: Page) -> None:
    shop.go_to_payment(page)
    shop.see_card_form(page)
    page.route("**/test-cards/drawer", lambda route: route.abort())

    page.get_by_role("button", name="Test cards").click()
    expect(page.get_by_role("status").filter(has_text="The test cards did not load.")).to_be_visible()
    page.unroute("**/test-cards/drawer")
    page.get_by_role("button", name="Test cards").click()

    expect(page.get_by_role("dialog", name="Test cards")).to_be_visible()
