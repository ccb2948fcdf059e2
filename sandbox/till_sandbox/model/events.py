"""Telling the account that something happened, and its webhook endpoints with it."""

from typing import Any

from till_sandbox import ids
from till_sandbox.data import load
from till_sandbox.json_text import compact
from till_sandbox.state import Resource, Transaction

API_VERSION: str = load("sdk")["api_version"]
TYPES: frozenset[str] = frozenset(load("event-types")["types"])


def emit(tx: Transaction, event_type: str, subject: Resource, before: dict[str, Any] | None = None) -> None:
    """Record an event about `subject` as it is now, due for delivery to every endpoint that asked for its type.

    `before` is a snapshot of the subject, for `*.updated`: what differs from it becomes `previous_attributes`. If
    nothing does, nothing has happened.
    """
    changed = {} if before is None else difference(before, subject)
    if before is not None and not changed:
        return
    endpoints = [endpoint for endpoint in tx.enabled_endpoints() if wants(endpoint, event_type)]
    data = {"object": dict(subject)} | ({"previous_attributes": changed} if before is not None else {})
    event = Resource(
        {
            "id": ids.new("evt")
            if not subject.id.startswith(("pi_3", "ch_3", "re_3"))
            else ids.related("evt", subject.id),
            "object": "event",
            "api_version": API_VERSION,
            "created": tx.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": tx.cause.request, "idempotency_key": tx.cause.idempotency_key},
            "type": event_type,
        }
    )
    event.text = compact(event)  # as of now: its object goes on changing
    tx.insert(event)
    tx.emitted.append((event.id, event_type))
    for endpoint in endpoints:
        deliver(tx, event, endpoint)


def deliver(tx: Transaction, event: Resource, endpoint: Resource) -> None:
    """Have the event sent to the endpoint as soon as this transaction has committed."""
    tx.execute_beside(
        "INSERT INTO deliveries (account, event, endpoint, created, due_at) VALUES (?, ?, ?, ?, ?)",
        tx.account,
        event.id,
        endpoint.id,
        tx.exact_now,
        tx.exact_now,
    )


def wants(endpoint: Resource, event_type: str) -> bool:
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The old values of what changed, as deep as the change is."""
    changed: dict[str, Any] = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        changed[name] = difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return changed
