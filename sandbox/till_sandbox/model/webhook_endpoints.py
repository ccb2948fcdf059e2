"""Webhook endpoints: where an account wants its events sent, and the secrets they are signed with."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.details import check_web_url
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction

MOST = 16


def create(tx: Transaction, params: dict[str, Any], *, secrets: list[str] | None = None) -> Resource:
    """An enabled endpoint. Events are signed with each of `secrets`; without any, with a new one."""
    if len(tx.all("webhook_endpoint")) >= MOST:
        raise ApiError(f"You have reached the maximum of {MOST} test webhook endpoints.", param="url")
    return tx.insert(
        objects.new(
            tx,
            "webhook_endpoint",
            {
                "id": ids.new("we"),
                "api_version": params.get("api_version"),
                "description": params.get("description") or None,
                "enabled_events": _checked_events(params["enabled_events"]),
                "metadata": merged({}, params.get("metadata") or {}),
                "status": "enabled",
                "url": check_web_url(params["url"], "url"),
            },
            {"secrets": secrets or [f"whsec_{ids.random_text(32)}"]},
        )
    )


def update(tx: Transaction, endpoint: Resource, params: dict[str, Any]) -> Resource:
    if "url" in params:
        endpoint["url"] = check_web_url(params["url"], "url")
    if "enabled_events" in params:
        endpoint["enabled_events"] = _checked_events(params["enabled_events"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    if "description" in params:
        endpoint["description"] = params["description"] or None
    if "metadata" in params:
        endpoint["metadata"] = merged(endpoint["metadata"], params["metadata"])
    return tx.save(endpoint)


def delete(tx: Transaction, endpoint: Resource) -> None:
    """Delete it. Its pending deliveries fail."""
    tx.execute("UPDATE deliveries SET status = 'failed' WHERE endpoint = ? AND status = 'pending'", endpoint.id)
    tx.delete(endpoint)


def forward(tx: Transaction, url: str, secrets: list[str]) -> Resource:
    """Make sure exactly one endpoint has this address, gets every event, and signs with these secrets."""
    same = tx.all("webhook_endpoint", url=url)
    for extra in same[1:]:
        delete(tx, extra)
    if not same:
        return create(tx, {"url": url, "enabled_events": ["*"]}, secrets=secrets)
    endpoint = same[0]
    endpoint.private["secrets"] = secrets
    endpoint |= {"enabled_events": ["*"], "status": "enabled"}
    return tx.save(endpoint)


def _checked_events(names: list[str]) -> list[str]:
    if not names:
        raise ApiError("You must enable at least one event.", code="parameter_missing", param="enabled_events")
    for name in names:
        if name != "*" and name not in events.TYPES:
            raise ApiError(f"Invalid enabled_events: {name} is not an event type.", param="enabled_events")
    return names
