"""Webhooks as Stripe sends them: their signature, and which of them are events for this store."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import stripe
import structlog

from store.domain.errors import SignatureInvalid, WebhookUnreadable
from store.gateway.port import SignedEvent, WebhookEvent
from store.gateway.stripe.mapping import event_of, is_of_own_account

log = structlog.get_logger(__name__)

SIGNATURE_TOLERANCE = 300  # seconds; an older signature is refused as a replay
THIN_EVENT = "v2.core.event"  # names its object but does not carry it; every event of API v2 is one
TEST_EVENT = "till.test"  # a type that Stripe does not have and no handler takes


def verify(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """Check a webhook's signature and age against each secret. Raises SignatureInvalid.

    `construct_event` would do the same, and then build SDK objects that nobody needs.
    """
    if not signature.isascii():  # the SDK cannot even compare it
        raise SignatureInvalid
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        raise SignatureInvalid from failure
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE)
        except stripe.SignatureVerificationError:
            continue
        return
    raise SignatureInvalid


def parse(body: bytes, types: Collection[str]) -> WebhookEvent | None:
    """The event in a verified body; None where it is of none of these types, of another account, or thin. Raises
    WebhookUnreadable for what is no event.
    """
    try:
        event = json.loads(body)
        if event["object"] == THIN_EVENT:
            return None
        if event["object"] != "event":
            raise WebhookUnreadable
        # The type comes first: the object of an event that nobody handles may look like anything.
        if event["type"] not in types:
            return None
        if not is_of_own_account(event):
            log.info("webhook of another account", event_id=event["id"], type=event["type"])
            return None
        return event_of(event)
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise WebhookUnreadable from failure


def readable(event: Mapping[str, Any]) -> WebhookEvent | None:
    """An event of Stripe's list; None, and a line in the log, for one that cannot be read: it stops no other."""
    try:
        return event_of(event)
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        log.warning("event not readable", event_id=event.get("id"), failure=type(failure).__name__)
        return None


def shown(event: Mapping[str, Any]) -> str:
    """An event as a person reads it. What opens a payment to whoever has it is left out."""

    def without_secrets(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: "…" if "secret" in name else without_secrets(each) for name, each in value.items()}
        return [without_secrets(each) for each in value] if isinstance(value, list) else value

    return json.dumps(without_secrets(event), indent=2, ensure_ascii=False)


def sign_test_event(at: datetime, secret: str) -> SignedEvent:
    """An event about nothing, as Stripe would sign it with this secret at that moment."""
    seconds = int(at.timestamp())
    event = {"id": "evt_test", "object": "event", "type": TEST_EVENT, "livemode": False, "created": seconds}
    body = json.dumps({**event, "data": {"object": {"object": "test"}}})
    signature = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=seconds)
    return SignedEvent(body.encode(), signature)
