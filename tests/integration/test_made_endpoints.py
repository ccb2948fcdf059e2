"""The endpoint at Stripe for the store's webhooks: made once, put right, and the only one at its address."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from store.gateway.port import WebhookEndpoint
from store.services.operations import endpoints
from store.services.operations.endpoints import Change, EndpointChange
from tests.support.shop import Shop

URL, TYPES, VERSION = "https://shop.example/webhooks/stripe", frozenset({"charge.refunded"}), "2026-10"
RIGHT = WebhookEndpoint("we_1", URL, enabled=True, api_version=VERSION, types=TYPES)


@dataclass
class Stripe:
    """A Stripe with these endpoints, that notes what is done to them."""

    there: list[WebhookEndpoint]
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def list_webhook_endpoints(self) -> list[WebhookEndpoint]:
        return self.there

    def create_webhook_endpoint(self, url: str, types: frozenset[str], api_version: str) -> str:
        self.done.append(("create", url, types, api_version))
        return "whsec_1"

    def update_webhook_endpoint(self, name: str, types: frozenset[str]) -> None:
        self.done.append(("update", name, types))

    def disable_webhook_endpoint(self, name: str) -> None:
        self.done.append(("disable", name))


@pytest.mark.parametrize(
    ("there", "change", "done"),
    [
        ([], EndpointChange(Change.CREATED, "whsec_1"), [("create", URL, TYPES, VERSION)]),
        ([RIGHT], EndpointChange(Change.NONE), []),
        ([replace(RIGHT, url="https://shop.example/other")], EndpointChange(Change.CREATED, "whsec_1"),
         [("create", URL, TYPES, VERSION)]),
        ([replace(RIGHT, types=frozenset())], EndpointChange(Change.UPDATED), [("update", "we_1", TYPES)]),
        ([replace(RIGHT, enabled=False)], EndpointChange(Change.UPDATED), [("update", "we_1", TYPES)]),
        ([replace(RIGHT, api_version="2020-01")], EndpointChange(Change.CREATED, "whsec_1", ("we_1",)),
         [("create", URL, TYPES, VERSION), ("disable", "we_1")]),
        ([replace(RIGHT, provider_endpoint_id="we_0", enabled=False), RIGHT], EndpointChange(Change.NONE), []),
        ([RIGHT, replace(RIGHT, provider_endpoint_id="we_2"), replace(RIGHT, provider_endpoint_id="we_3")],
         EndpointChange(Change.NONE, None, ("we_2", "we_3")), [("disable", "we_2"), ("disable", "we_3")]),
    ],
)  # fmt: skip
def test_one_endpoint_sends_what_the_store_handles(
    usual_shop: Shop, there: list[WebhookEndpoint], change: EndpointChange, done: list[tuple[Any, ...]]
) -> None:
    stripe = Stripe(there)

    made = endpoints.ensure(replace(usual_shop.services, gateway=cast("Any", stripe)), URL, TYPES, VERSION)

    assert (made, stripe.done) == (change, done)
