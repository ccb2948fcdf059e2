"""/v1/account and /v1/accounts"""

from typing import Any

from sandbox.api.call import Call
from sandbox.data import load
from sandbox.errors import ApiError


def retrieve(call: Call) -> dict[str, Any]:
    """The account of the key: in the US, settled in dollars, nothing left to fill in."""
    return {**load("account")["account"], "id": call.tx.account}


def retrieve_named(call: Call) -> dict[str, Any]:
    """The same by its id; a key has access to no other account."""
    asked = call.ids["account"]
    if asked != call.tx.account:
        raise ApiError(
            f"The provided key does not have access to account '{asked}' (or that account does not exist). Application "
            "access may have been revoked.",
            status=403,
            code="account_invalid",
        )
    return retrieve(call)
