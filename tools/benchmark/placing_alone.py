"""The transaction that places an order, with nothing around it: a process of `placing` that is told when to begin.

    python -m tools.benchmark.placing_alone THREADS FIRST LAST

It drafts the orders of these carts, then places them, and prints in how many seconds.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from app import create_app
from store.domain.addresses import Address
from store.services import orders
from store.services.orders import Customer, Draft, ordinary
from tools.benchmark.carts import browser_id, cart_id

HOME = Address("Ada Shopper", "12 Market Street", "", "Springfield", "IL", "62701", "US", "")


def main(threads: int, first: int, last: int) -> None:
    services = create_app().extensions["services"]
    customer, now = Customer(HOME, HOME, "ada@example.com"), services.clock()

    def draft(number: int) -> Draft:
        with services.database.reading() as session:
            tariffs = services.tariffs.current(session, now)
            return orders.draft(
                session, cart_id(number), browser_id(number), customer, now, services.hold, None, tariffs
            )

    def place(new: Draft) -> None:
        if ordinary.place(services, new) is None:
            raise SystemExit("An order was not of the ordinary kind.")

    with ThreadPoolExecutor(threads) as pool:
        drafts = list(pool.map(draft, range(first, last + 1)))
        list(pool.map(place, drafts[:threads]))  # each thread opens its connection
        print("ready", flush=True)
        sys.stdin.readline()
        started = time.perf_counter()
        list(pool.map(place, drafts[threads:]))
        print(json.dumps({"seconds": time.perf_counter() - started, "orders": len(drafts) - threads}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
