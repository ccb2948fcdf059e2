"""The transaction that places an order, with no web around it: a process of `placing` that is told when to begin.

    python -m tools.benchmark.placing_alone THREADS FIRST LAST

It places the orders of these carts and prints in how many seconds.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from app import create_app
from store.domain.addresses import Address
from store.services import checkout
from store.services.orders import Customer
from tools.benchmark.carts import browser_id, cart_id

HOME = Address("Ada Shopper", "12 Market Street", "", "Springfield", "IL", "62701", "US", "")


def main(threads: int, first: int, last: int) -> None:
    services = create_app().extensions["services"]
    customer = Customer(HOME, HOME, "ada@example.com")

    def place(number: int) -> None:
        checkout.place(services, cart_id(number), browser_id(number), customer, services.clock())

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(place, range(first, first + threads)))  # each thread opens its connection
        print("ready", flush=True)
        sys.stdin.readline()
        started = time.perf_counter()
        list(pool.map(place, range(first + threads, last + 1)))
        print(json.dumps({"seconds": time.perf_counter() - started, "orders": last + 1 - first - threads}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
