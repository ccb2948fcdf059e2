"""What tests of the sandbox hold in their hands: a clock they set, an endpoint that answers as told, the real SDK."""

import json
from dataclasses import dataclass, field
from typing import Any

import stripe
from flask import Flask

from tests.support.in_process import InProcessStripe
from till_sandbox.webhooks import Answer, Outgoing

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


def sdk(application: Flask, key: str = "sk_test_contract") -> stripe.StripeClient:
    """The official client, on the application."""
    return stripe.StripeClient(
        key, base_addresses={"api": "http://127.0.0.1:4242"}, http_client=InProcessStripe(application)
    )
