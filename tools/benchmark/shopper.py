"""A shopper over HTTP: what a benchmark prepares before it measures, in whichever revision of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import requests

from tools.benchmark.revision import SECRET_KEY, Server

DETAILS = {
    "email": "ada@example.com",
    "full_name": "Ada Shopper",
    "address_line1": "12 Market Street",
    "address_line2": "",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62701",
    "country": "US",
    "phone": "",
}
TIMEOUT = 60.0


class ShopFailed(Exception):
    """The store or the sandbox answered something else than a benchmark needs; the message says what."""


class Shopper:
    """A browser's cookies, and the forms that lead to an order."""

    def __init__(self, store: Server) -> None:
        self._store, self._token = store, ""
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy is asked about this machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)

    @property
    def token(self) -> str:
        return self._token

    def look(self, path: str) -> str:
        """The page at a path; its form's token, if it has a form, is kept. Raises ShopFailed."""
        page = self._ask("GET", path).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        self._token = found[1] if found else self._token
        return page

    def send(self, path: str, form: Mapping[str, str]) -> None:
        """Send a form of the page that was looked at. Raises ShopFailed."""
        self._ask("POST", path, form)

    def add_to_cart(self, slug: str) -> None:
        """Needs the token of a page that was looked at. Raises ShopFailed."""
        self._ask("POST", "/cart/lines", {"slug": slug, "quantity": "1"})

    def fill_cart(self, slug: str) -> None:
        """One piece, from the product's page. Raises ShopFailed."""
        self.look(f"/products/{slug}")
        self.add_to_cart(slug)

    def place(self) -> str:
        """The reference of an order for what is in the cart. Raises ShopFailed."""
        answer = self._ask("POST", "/checkout", DETAILS)
        found = re.search(r"/orders/([A-Z0-9-]+)/pay", answer.headers.get("Location", ""))
        if not found:
            raise ShopFailed(f"POST /checkout was answered {answer.status_code}, with no order to pay.")
        return found[1]

    def open_payment_page(self, reference: str) -> str:
        """The payment's id, once the page was shown. Raises ShopFailed."""
        page = self._ask("GET", f"/orders/{reference}/pay").text
        found = re.search(r'data-client-secret="(pi_[^"]+?)_secret_', page)
        if not found:
            raise ShopFailed("The payment page has no client secret.")
        return found[1]

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> requests.Response:
        data = None if form is None else {**form, "csrf_token": self._token}
        answer = self._session.request(
            method, f"{self._store.url}{path}", data=data, timeout=TIMEOUT, allow_redirects=False
        )
        if answer.status_code >= 400:
            raise ShopFailed(f"{method} {path} was answered {answer.status_code}; see {self._store.log}.")
        return answer


def pay_at(sandbox: Server, payment: str) -> list[dict[str, Any]]:
    """Pay at the sandbox; returns the events that it would send about this payment, oldest first. Raises ShopFailed."""
    with requests.Session() as api:
        api.trust_env = False
        api.auth = (SECRET_KEY, "")
        paid = api.post(
            f"{sandbox.url}/v1/payment_intents/{payment}/confirm", {"payment_method": "pm_card_visa"}, timeout=TIMEOUT
        )
        with suppress(ValueError, KeyError):
            if paid.json()["status"] == "succeeded":
                events = api.get(f"{sandbox.url}/v1/events", params={"limit": "100"}, timeout=TIMEOUT).json()["data"]
                about = [event["data"]["object"] for event in events]
                its = [payment in (each["id"], each.get("payment_intent")) for each in about]
                return [event for event, belongs in zip(events, its, strict=True) if belongs][::-1]
    raise ShopFailed(f"The sandbox did not take the payment: {paid.text[:300]}")
