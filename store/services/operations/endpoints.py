"""The endpoint at the payment service to which the store's webhooks are sent: made, or put right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store.gateway.port import WebhookEndpoint
from store.services.services import Services


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What was done. `secret` signs the events of a new endpoint, and is shown this once; `disabled` are the ids of
    earlier endpoints at the same address, which describe things in another version of the API.
    """

    change: Change
    secret: str | None = None
    disabled: tuple[str, ...] = ()


def ensure(services: Services, url: str, types: frozenset[str], api_version: str) -> EndpointChange:
    """See to it that one enabled endpoint sends exactly these types of events to `url`, in this version of the API.
    Doing it twice changes nothing. Raises PaymentUnavailable and PaymentMisconfigured.
    """
    gateway = services.gateway
    there = [endpoint for endpoint in gateway.list_webhook_endpoints() if endpoint.url == url]
    right = [endpoint for endpoint in there if endpoint.api_version == api_version]
    kept = min(right, key=lambda endpoint: not endpoint.enabled, default=None)
    secret = None
    if kept is None:
        change, secret = Change.CREATED, gateway.create_webhook_endpoint(url, types, api_version)
    elif kept.types != types or not kept.enabled:
        gateway.update_webhook_endpoint(kept.provider_endpoint_id, types)
        change = Change.UPDATED
    else:
        change = Change.NONE
    return EndpointChange(change, secret, _disable_others(services, there, kept))


def _disable_others(services: Services, there: list[WebhookEndpoint], kept: WebhookEndpoint | None) -> tuple[str, ...]:
    """Every event would be sent twice otherwise, signed with two secrets."""
    others = [endpoint for endpoint in there if endpoint.enabled and endpoint is not kept]
    for endpoint in others:
        services.gateway.disable_webhook_endpoint(endpoint.provider_endpoint_id)
    return tuple(endpoint.provider_endpoint_id for endpoint in others)
