"""/v1/account and /v1/accounts"""

from typing import Any

from till_sandbox.api.call import Call, Listing
from till_sandbox.api.keys import check_access
from till_sandbox.data import load
from till_sandbox.state import Page


def retrieve(call: Call) -> dict[str, Any]:
    """The account of the key: in the US, settled in dollars, nothing left to fill in."""
    return {**load("account")["account"], "id": call.tx.account}


def list_all(_call: Call) -> Listing:
    """Accounts that are connected to the key's own: none, as Connect is not imitated."""
    return Listing(Page([], has_more=False))


def retrieve_named(call: Call) -> dict[str, Any]:
    """The same by its id; a key has access to no other account."""
    check_access(call.tx.account, call.ids["account"])
    return retrieve(call)
