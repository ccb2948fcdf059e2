"""A shopper's browser: the store's pages over HTTP, and Stripe.js' part at the sandbox."""

from __future__ import annotations

import html
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from tools.chaos.stack import PUBLISHABLE_KEY

PAGE_TIMEOUT = 90.0  # seconds a shopper keeps trying to get one page
RETRY_INTERVAL = 0.3  # between one try and the next
TIMEOUT = 40.0
TRY_AGAIN_LATER = (429, 503)
# What no shopper should ever see, whatever fails: a page that broke, or an order of their own that is not found.
BROKEN = (404, 500, 502)


class Tally:
    """What the crowd's browsers saw, counted. Once it is `over`, nobody waits for a page any more."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.statuses: Counter[str] = Counter()
        self.broken: list[str] = []
        self._lock = threading.Lock()

    def note(self, status: int | None, request: str) -> None:
        with self._lock:
            self.statuses[str(status or "no answer")] += 1
            if status in BROKEN:
                self.broken.append(f"{request} answered {status}")

    @property
    def requests(self) -> int:
        return self.statuses.total()


class PageTimeout(Exception):
    """No page came within the time that a shopper waits."""


class Browser:
    """Cookies, forms with their token, and a card. A page that says to try again later is loaded again."""

    def __init__(self, store: str, sandbox: str, tally: Tally) -> None:
        self._store, self._sandbox, self._tally = store, sandbox, tally
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy is asked about this machine
        self._token = ""
        self._tabs: list[Browser] = []

    def close(self) -> None:
        """Close its connections and those of its tabs."""
        for browser in (*self._tabs, self):
            browser._session.close()

    def tab(self) -> Browser:
        """Another tab: the same cookies."""
        other = Browser(self._store, self._sandbox, self._tally)
        other._session.cookies = self._session.cookies
        other._token = self._token
        self._tabs.append(other)
        return other

    def get(self, path: str) -> requests.Response:
        """The page at `path`, wherever that leads. Raises PageTimeout."""
        return self._load("GET", path)

    def post(self, path: str, form: Mapping[str, Any]) -> requests.Response:
        """Send a form, as often as it takes to get an answer. Raises PageTimeout."""
        if not self._token:
            page = self.get("/products/cedar-pencil").text
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
            self._token = found[1] if found else ""
        return self._load("POST", path, {**form, "csrf_token": self._token})

    def client_secret(self, reference: str) -> str | None:
        """From the payment page, or None when the order is not one to pay (any more)."""
        page = self.get(f"/orders/{reference}/pay")
        found = re.search(r'data-client-secret="([^"]+)"', page.text)
        return html.unescape(found[1]) if found else None

    def confirm(self, client_secret: str, card: str) -> dict[str, Any] | None:
        """What `confirmCardPayment` asks for: the PaymentIntent, {"error": …}, or None when no answer came."""
        intent = client_secret.partition("_secret_")[0]
        form = {
            "key": PUBLISHABLE_KEY,
            "client_secret": client_secret,
            "use_stripe_sdk": "true",
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": card,
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "2034",
            "payment_method_data[card][cvc]": "123",
        }
        try:
            answer = self._session.post(f"{self._sandbox}/v1/payment_intents/{intent}/confirm", form, timeout=TIMEOUT)
        except requests.RequestException:
            return None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None
        body: dict[str, Any] = answer.json()
        return body

    def hosted_page(self, reference: str) -> str | None:
        """Press “Pay on Stripe’s page instead”: the page's address, or None when the order is not one to pay there."""
        answer = self.post(f"/orders/{reference}/hosted", {})
        return answer.url if answer.ok and "/c/pay/" in answer.url else None

    def pay_on_page(self, address: str, card: str) -> dict[str, Any] | None:
        """What the hosted page is told: where to go, a challenge, or why not; None when no answer came."""
        typed = {"cardNumber": card, "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "Ada Shopper"}
        try:
            answer = self._session.post(f"{address.partition('#')[0]}/pay", json=typed, timeout=TIMEOUT)
        except requests.RequestException:
            return None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None
        body: dict[str, Any] = answer.json()
        return body

    def answer_challenge(self, url: str, outcome: str) -> bool:
        """Press `Complete` or `Fail` on the bank's page; False when the bank did not answer."""
        address = urlsplit(url)
        try:
            answer = self._session.post(
                f"{self._sandbox}{address.path}?{address.query}", {"outcome": outcome}, timeout=TIMEOUT
            )
        except requests.RequestException:
            return False
        return answer.ok

    def _load(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> requests.Response:
        deadline = time.monotonic() + PAGE_TIMEOUT
        while time.monotonic() < deadline and not self._tally.over.is_set():
            try:
                answer = self._session.request(method, f"{self._store}{path}", data=form, timeout=TIMEOUT)
            except requests.RequestException:
                self._tally.note(None, path)
            else:
                self._tally.note(answer.status_code, f"{method} {path}")
                if answer.status_code not in TRY_AGAIN_LATER:
                    return answer
            time.sleep(RETRY_INTERVAL)
        raise PageTimeout(path)
