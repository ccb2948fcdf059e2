"""/v1/customers"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.resources.legacy import refuse_cards
from till_sandbox.api.search import search as find
from till_sandbox.model import customers
from till_sandbox.model.customer_time import CLOCK
from till_sandbox.state import Page, Resource


def create(call: Call) -> Resource:
    refuse_cards(call.params)
    return customers.create(call.tx, call.params)


def retrieve(call: Call) -> Resource | dict[str, Any]:
    """A deleted customer is three keys, not an error."""
    customer_id = call.ids["customer"]
    if call.tx.was_deleted("customer", customer_id):
        return {"id": customer_id, "object": "customer", "deleted": True}
    return _customer(call)


def update(call: Call) -> Resource:
    refuse_cards(call.params)
    return customers.update(call.tx, _customer(call), call.params)


def delete(call: Call) -> dict[str, Any]:
    return customers.delete(call.tx, _customer(call))


def list_all(call: Call) -> Listing:
    """Customers with a test clock are listed only when that clock is asked for."""
    clock = call.params.get("test_clock")
    if clock is not None:
        call.tx.get(CLOCK, clock, param="test_clock", status=400)
    unclocked = ("" if clock else " AND json_extract(body, '$.test_clock') IS NULL", ())
    return listing(call, "customer", {"email": call.params.get("email"), "test_clock": clock}, also=unclocked)


def list_sources(call: Call) -> Listing:
    """Cards and bank accounts from before PaymentMethods: no customer of the sandbox has any."""
    _customer(call)
    return Listing(Page([], has_more=False))


def search(call: Call) -> dict[str, Any]:
    return find(call, "customer")


def _customer(call: Call) -> Resource:
    return call.tx.get("customer", call.ids["customer"])
