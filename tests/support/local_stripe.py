"""What tests of the sandbox hold in their hands: a clock they set, an endpoint that answers as told, the real SDK."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe
from flask import Flask
from flask.testing import FlaskClient
from requests.structures import CaseInsensitiveDict

from sandbox.webhooks import Answer, Outgoing

START = 1_800_000_000.0


class SetClock:
    """Stands still until it is told to go on. Starts in January 2027."""

    def __init__(self) -> None:
        self.seconds = START

    def now(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Endpoint:
    """Takes what the sandbox sends. Answers with the next of `answers`, or 200 when there are none left."""

    received: list[Outgoing] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> Answer:
        self.received.append(outgoing)
        return Answer(self.answers.pop(0) if self.answers else 200, "")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(outgoing.body) for outgoing in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class WithoutSocket(stripe.HTTPClient):
    """Lets the SDK talk to a WSGI application in the same process."""

    name = "without-socket"

    def __init__(self, application: Flask) -> None:
        super().__init__()
        self._client: FlaskClient = application.test_client()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        path = "/" + url.split("/", 3)[3]
        answer = self._client.open(path, method=method.upper(), headers=dict(headers or {}), data=post_data)
        return answer.text, answer.status_code, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """There is nothing to close."""


def sdk(application: Flask, key: str = "sk_test_contract") -> stripe.StripeClient:
    """The official client, on the application."""
    return stripe.StripeClient(
        key, base_addresses={"api": "http://127.0.0.1:4242"}, http_client=WithoutSocket(application)
    )
