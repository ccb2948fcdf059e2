"""/v1/account"""

from typing import Any

from sandbox.api.call import Call
from sandbox.data import load


def retrieve(call: Call) -> dict[str, Any]:
    """The account of the key: in the US, settled in dollars, nothing left to fill in."""
    return {**load("account")["account"], "id": call.tx.account}
