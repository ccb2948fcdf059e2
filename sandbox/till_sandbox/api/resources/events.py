"""/v1/events"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.errors import ApiError
from till_sandbox.model import events
from till_sandbox.state import Resource

#: Days Stripe keeps an event for.
KEPT_DAYS = 30
#: Types that can be asked for at once.
MOST_TYPES = 20

_UNDELIVERED = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = objects.id AND d.status != 'delivered')"


def retrieve(call: Call) -> Resource:
    return call.tx.get("event", call.ids["id"])


def list_all(call: Call) -> Listing:
    params = call.params
    if "type" in params and "types" in params:
        raise ApiError(
            "You may pass either `type` or `types`, but not both.", code="parameters_exclusive", param="types"
        )
    types = [params["type"]] if "type" in params else params.get("types", [])
    if len(types) > MOST_TYPES:
        raise ApiError(f"Invalid array: at most {MOST_TYPES} types can be asked for at once", param="types")
    where, values = " AND created > ?", [call.tx.now - KEPT_DAYS * 24 * 3600]
    if types:
        tests = [_type_test(name, values) for name in types]
        where += f" AND ({' OR '.join(tests)})"
    if "delivery_success" in params:
        where += f" AND {'NOT ' if params['delivery_success'] else ''}{_UNDELIVERED}"
    return listing(call, "event", {}, also=(where, tuple(values)))


def retry(call: Call) -> Resource:
    """Send it again: to the endpoint named, or to every one that is enabled and asked for its type."""
    event = retrieve(call)
    wanted = call.params.get("webhook_endpoint")
    if wanted is not None:
        endpoints = [call.tx.get("webhook_endpoint", wanted, param="webhook_endpoint", status=400)]
    else:
        endpoints = [it for it in call.tx.enabled_endpoints() if events.wants(it, event["type"])]
    for endpoint in endpoints:
        events.deliver(call.tx, event, endpoint)
    return event


def _type_test(name: str, values: list[Any]) -> str:
    """`charge.*` means every type that begins with `charge.`."""
    if name.endswith(".*"):
        values.append(name[:-1].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
        return "json_extract(body, '$.type') LIKE ? ESCAPE '\\'"
    values.append(name)
    return "json_extract(body, '$.type') = ?"
