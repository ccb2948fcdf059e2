"""/v1/webhook_endpoints"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model import webhook_endpoints
from till_sandbox.state import Resource


def create(call: Call) -> dict[str, Any]:
    """The only answer that shows the secret."""
    endpoint = webhook_endpoints.create(call.tx, call.params)
    return {**endpoint, "secret": endpoint.private["secrets"][0]}


def retrieve(call: Call) -> Resource:
    return call.tx.get("webhook_endpoint", call.ids["webhook_endpoint"], param="webhook_endpoint")


def update(call: Call) -> Resource:
    return webhook_endpoints.update(call.tx, retrieve(call), call.params)


def delete(call: Call) -> dict[str, Any]:
    endpoint = retrieve(call)
    webhook_endpoints.delete(call.tx, endpoint)
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def list_all(call: Call) -> Listing:
    return listing(call, "webhook_endpoint", {})
