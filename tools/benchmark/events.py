"""Webhooks built and signed before they are sent, so that sending one costs the load generator next to nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.benchmark import load
from tools.benchmark.numbering import event_id, payment_id, reference
from tools.benchmark.revision import WEBHOOK_SECRET


@dataclass(frozen=True)
class EventTemplate:
    """An event of the sandbox about one payment, to be sent for any payment of the same amount."""

    type: str
    amount: int
    body: str

    @classmethod
    def of(cls, event: dict[str, Any], payment: str, order_reference: str) -> EventTemplate:
        text = json.dumps(event, indent=2)  # Stripe sends its events indented
        text = text.replace(event["id"], "{event}").replace(payment, "{payment}").replace(order_reference, "{order}")
        return cls(event["type"], event["data"]["object"]["amount"], text)

    def requests(self, orders: Iterable[int]) -> list[bytes]:
        """One signed request for each order; good for five minutes, as long as a signature is."""
        return [_signed(self._text(order)) for order in orders]

    def request_for(self, order_reference: str, payment: str) -> bytes:
        """The signed request that pays an order that has other names than a numbered one."""
        text = self.body.replace("{event}", f"evt_{self.type}_{payment}").replace("{payment}", payment)
        return _signed(text.replace("{order}", order_reference).encode())

    def _text(self, order: int) -> bytes:
        text = self.body.replace("{event}", event_id(order)).replace("{payment}", payment_id(order))
        return text.replace("{order}", reference(order)).encode()


def _signed(body: bytes) -> bytes:
    at = str(int(time.time()))
    digest = hmac.new(WEBHOOK_SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Accept": "*/*; q=0.5, application/xml",
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-cache",
        "Stripe-Signature": f"t={at},v1={digest}",
    }
    return load.request("POST", "/webhooks/stripe", headers, body)
