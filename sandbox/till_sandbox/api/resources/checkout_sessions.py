"""/v1/checkout/sessions"""

from till_sandbox.api.call import Call, Listing, listing, slice_of
from till_sandbox.model.checkout import sessions
from till_sandbox.state import Resource

_EQUAL = ("customer", "customer_account", "payment_intent", "payment_link", "status", "subscription")


def create(call: Call) -> Resource:
    return sessions.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _session(call)


def update(call: Call) -> Resource:
    return sessions.update(call.tx, _session(call), call.params)


def expire(call: Call) -> Resource:
    return sessions.expire(call.tx, _session(call))


def list_all(call: Call) -> Listing:
    params = call.params
    equal = {name: params.get(name) for name in _EQUAL}
    equal |= {f"customer_details.{name}": value for name, value in params.get("customer_details", {}).items()}
    return listing(call, sessions.KIND, equal)


def list_line_items(call: Call) -> Listing:
    """In their own order, a page at a time."""
    found = sessions.line_items(call.tx, _session(call))
    return slice_of(call, "item", found)


def _session(call: Call) -> Resource:
    return call.tx.get(sessions.KIND, call.ids["session"], param="session")
