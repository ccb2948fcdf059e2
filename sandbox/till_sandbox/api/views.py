"""What an answer shows, and to whom: browsers, with their publishable key, see less."""

from typing import Any

from till_sandbox.api.call import Listing

_PAYMENT_INTENT = (
    "id",
    "object",
    "amount",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "status",
)
_SETUP_INTENT = (
    "id",
    "object",
    "cancellation_reason",
    "client_secret",
    "created",
    "description",
    "last_setup_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "status",
    "usage",
)
_PAYMENT_METHOD = (
    "id",
    "object",
    "allow_redisplay",
    "billing_details",
    "card",
    "created",
    "customer",
    "livemode",
    "type",
)

#: The fields browsers get to see of each object they can reach.
_PUBLISHABLE = {"payment_intent": _PAYMENT_INTENT, "setup_intent": _SETUP_INTENT, "payment_method": _PAYMENT_METHOD}


def present(result: Any, path: str) -> dict[str, Any]:
    """The answer's body: an object, or a list with its envelope."""
    if isinstance(result, Listing):
        data = [dict(item) for item in result.page.data]
        body: dict[str, Any] = {"object": "list", "data": data, "has_more": result.page.has_more, "url": path}
        return body if result.count is None else {**body, "count": result.count}
    return {**result, "url": path} if result.get("object") == "search_result" else dict(result)


def for_browser(body: Any) -> Any:
    """The same with everything removed that a publishable key may not see, however deep."""
    if isinstance(body, list):
        return [for_browser(item) for item in body]
    if not isinstance(body, dict):
        return body
    kind = body.get("object")
    names = _PUBLISHABLE.get(kind) if isinstance(kind, str) else None
    shown = {name: for_browser(body[name]) for name in (names or body) if name in body}
    if "fingerprint" in shown and "last4" in shown:
        del shown["fingerprint"]
    return shown
