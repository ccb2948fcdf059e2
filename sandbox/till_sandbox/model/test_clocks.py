"""Test clocks: a time that stands still until it is advanced, for up to three customers.

Facts: docs.stripe.com/billing/testing/test-clocks, stripe-python's types, and what others report of Stripe's test mode.
"""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import customers, events, objects
from till_sandbox.model.customer_time import CLOCK, check_still
from till_sandbox.state import Resource, Transaction

#: What is scheduled for when a clock has been advanced.
ARRIVE = "arrive"
#: Seconds that advancing takes, however far it is.
ADVANCES_FOR = 2.0
#: The furthest that a clock is advanced at once, and how long after it was made it is deleted: two years, 30 days.
FURTHEST, KEPT = 2 * 365 * 24 * 3600, 30 * 24 * 3600


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A clock that stands at `frozen_time`, in the past or in the future. Emits test_helpers.test_clock.created.

    A `customer` that is given lives by it from now on.
    """
    given = {
        "id": ids.new("clock"),
        "deletes_after": tx.now + KEPT,
        "frozen_time": params["frozen_time"],
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    clock = tx.insert(objects.new(tx, CLOCK, given))
    if "customer" in params:
        customer = tx.get("customer", params["customer"], param="customer", status=400)
        customers.set_clock(tx, customer, clock)
        tx.save(customer)
    events.emit(tx, "test_helpers.test_clock.created", clock)
    tx.schedule("delete_test_clock", clock.id, after=KEPT)
    return clock


def advance(tx: Transaction, clock: Resource, frozen_time: int) -> Resource:
    """Begin to move it forward; until it is there it shows the old time. Emits test_helpers.test_clock.advancing."""
    check_still(clock)
    if frozen_time <= clock["frozen_time"]:
        raise ApiError("A test clock can only be advanced to a later time.", param="frozen_time")
    if frozen_time > clock["frozen_time"] + FURTHEST:
        raise ApiError("A test clock can be advanced by at most two years at once.", param="frozen_time")
    clock |= {"status": "advancing", "status_details": {"advancing": {"target_frozen_time": frozen_time}}}
    tx.save(clock)
    events.emit(tx, "test_helpers.test_clock.advancing", clock)
    tx.schedule(ARRIVE, clock.id, after=ADVANCES_FOR)
    return clock


def target(clock: Resource) -> int:
    """The time that an advancing clock is on its way to."""
    return int(clock["status_details"]["advancing"]["target_frozen_time"])


def step(tx: Transaction, clock: Resource, frozen_time: float) -> None:
    """An advancing clock passes a time at which something is due."""
    clock["frozen_time"] = max(clock["frozen_time"], int(frozen_time))
    tx.save(clock)


def finish(tx: Transaction, clock: Resource) -> None:
    """It has arrived. Emits test_helpers.test_clock.ready."""
    clock |= {"frozen_time": target(clock), "status": "ready", "status_details": {}}
    tx.save(clock)
    events.emit(tx, "test_helpers.test_clock.ready", clock)


def delete(tx: Transaction, clock: Resource) -> dict[str, Any]:
    """Delete it, its customers and what was scheduled by it. Emits test_helpers.test_clock.deleted."""
    check_still(clock)
    for customer in tx.all("customer", test_clock=clock.id):
        customers.delete(tx, customer)
    tx.execute_beside("DELETE FROM scheduled WHERE clock = ?", clock.id)
    tx.delete(clock)
    events.emit(tx, "test_helpers.test_clock.deleted", clock)
    return {"id": clock.id, "object": CLOCK, "deleted": True}
