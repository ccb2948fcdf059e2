"""Other programs at the end of a notification: one that is asked in process, and checks what it gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from store.gateway.port import EndpointAnswer
from tests.support.shop import Shop


@dataclass
class Received:
    """A request that an endpoint got."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_with(self, secret: str) -> bool:
        """As a receiver checks it: by the text of Standard Webhooks, and with nothing of the store's."""
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        key = base64.b64decode(secret.removeprefix("whsec_"))
        ours = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return ours in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """Answers with what `answer` says: a status, or a failure that it raises."""

    answer: Callable[[str], EndpointAnswer] = lambda _url: EndpointAnswer(204, "")
    got: list[Received] = field(default_factory=list)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        self.got.append(Received(url, dict(headers), body))
        return self.answer(url)

    def told(self, url: str = "") -> list[str]:
        """Of what, in the order in which it came, at one address or at all."""
        return [each.told["type"] for each in self.got if url in ("", each.url)]


def receiver_of(shop: Shop) -> Receiver:
    """What the shop sends to endpoints arrives here."""
    receiver = Receiver()
    shop.services = replace(shop.services, endpoint_sender=receiver)
    shop.app.extensions["services"] = shop.services
    return receiver
