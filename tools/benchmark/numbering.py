"""How the orders of a benchmark are named: each by a number of seven digits, which is in all of its names.

So an order's rows can be made in bulk, its events can be signed beforehand, and a statement that was sent for one order
becomes one for any order by exchanging its number.
"""

from __future__ import annotations

FIRST_ORDER = 3_000_000
PRODUCTS = range(87_000, 87_016)  # the numbers of the products: each order is for one piece of one of them


def product_of(order: int) -> int:
    """The number of the product that an order is for."""
    return PRODUCTS[order % len(PRODUCTS)]


def reference(order: int) -> str:
    """An order's reference in the database."""
    return f"TEST-{order}"


def payment_id(order: int) -> str:
    """What the payment service calls an order's payment."""
    return f"pi_3Benchmark{order}"


def event_id(order: int) -> str:
    """What the payment service calls the event that an order was paid."""
    return f"evt_3Benchmark{order}"
