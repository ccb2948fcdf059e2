"""For your own tests: a sandbox in the same process, the official Python library on it, and a clock that you set.

    application = create_app(tmp_path / "sandbox.sqlite3", clock=ManualClock(), send=Endpoint())
    client = connect(application)
    client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})
    application.extensions["sandbox"].deliver_due()  # webhooks, and what Stripe does a while later

Needs stripe-python 16, which the sandbox itself does not: `pip install till-sandbox[testing]`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import stripe
from flask import Flask
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client
from werkzeug.wrappers import Response

from till_sandbox.webhooks import Outgoing, WebhookResponse

START = 1_800_000_000.0


class ManualClock:
    """Stands still until it is advanced. Starts in January 2027."""

    def __init__(self) -> None:
        self.seconds = START

    def now(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Endpoint:
    """Takes what the sandbox sends. Answers with the next of `answers` (None: no answer), or 200 when none is left."""

    received: list[Outgoing] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> WebhookResponse:
        self.received.append(outgoing)
        return WebhookResponse(self.answers.pop(0) if self.answers else 200, "")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(outgoing.body) for outgoing in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class InProcessStripe(stripe.HTTPClient):
    """Answers stripe-python from the application, with no socket and no port.

    `before` and `after` are called around each request with its method and path; they may raise what a broken
    connection raises. `requests` lists what was asked.
    """

    name = "in-process"

    def __init__(self, application: Flask) -> None:
        super().__init__()
        self.application = application
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.after: Callable[[str, str], None] = lambda _method, _path: None
        self.requests: list[tuple[str, str]] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        self.requests.append((method.upper(), parts.path))
        self.before(method.upper(), parts.path)
        try:
            answer = Client(self.application, Response, use_cookies=False).open(
                parts.path, method=method.upper(), query_string=parts.query, headers=dict(headers or {}), data=post_data
            )
        except (ConnectionResetError, TimeoutError) as broken:  # a fault that the sandbox was asked for
            raise stripe.APIConnectionError(str(broken), should_retry=True) from broken  # type: ignore[no-untyped-call]  # the SDK types it not
        self.after(method.upper(), parts.path)
        return answer.get_data(as_text=True), answer.status_code, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """Nothing is kept open."""


def connect(application: Flask, key: str = "sk_test_contract") -> stripe.StripeClient:
    """The official client on the application, with the secret key of any account."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": "http://127.0.0.1:4242", "files": "http://127.0.0.1:4242"},
        http_client=InProcessStripe(application),
    )
