"""/v1/test_helpers/test_clocks"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.model import test_clocks
from till_sandbox.model.customer_time import CLOCK
from till_sandbox.state import Resource


def create(call: Call) -> Resource:
    return test_clocks.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return call.tx.get(CLOCK, call.ids["test_clock"], param="test_clock")


def advance(call: Call) -> Resource:
    return test_clocks.advance(call.tx, retrieve(call), call.params["frozen_time"])


def delete(call: Call) -> dict[str, Any]:
    return test_clocks.delete(call.tx, retrieve(call))


def list_all(call: Call) -> Listing:
    return listing(call, CLOCK, {})
