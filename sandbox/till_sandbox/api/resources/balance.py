"""/v1/balance"""

from typing import Any

from till_sandbox.api.call import Call
from till_sandbox.model import balance


def retrieve(call: Call) -> dict[str, Any]:
    return balance.of_account(call.tx)
