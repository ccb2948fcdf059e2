"""The time that a customer lives by: its test clock's if it has one, else the sandbox's own.

A customer with a test clock, and what bills it, are dated and move by that clock. PaymentIntents, charges and
PaymentMethods are dated by the sandbox's time all the same, as Stripe's are.
"""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.state import Resource, Transaction

CLOCK = "test_helpers.test_clock"


def now_of(tx: Transaction, customer: Resource) -> int:
    """Seconds since 1970."""
    clock = clock_of(tx, customer)
    return tx.now if clock is None else int(clock["frozen_time"])


def clock_of(tx: Transaction, customer: Resource) -> Resource | None:
    clock = customer["test_clock"]
    return None if clock is None else tx.get(CLOCK, clock)


def schedule(tx: Transaction, customer: Resource, due_at: float, action: str, subject: str, **detail: Any) -> None:
    """Have something done to an object when it is `due_at` for the customer (an action of `model.schedule`)."""
    tx.schedule_at(due_at, action, subject, clock=customer["test_clock"], **detail)


def check_still(clock: Resource | None) -> None:
    """While a clock advances, what lives by it cannot be changed: Stripe's 429."""
    if clock is not None and clock["status"] == "advancing":
        raise ApiError("Test clock advancement underway - cannot perform modifications", status=429)
