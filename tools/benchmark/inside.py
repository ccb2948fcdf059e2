"""What runs without the web, timed inside one process of the store: a round of the worker, a window of the
reconciliation, the audit.

It reads the name of one after the other from its input and prints the seconds that it took. The payment service of the
reconciliation knows nothing and answers at once, so what is timed is the store and its database.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from app import create_app
from store.gateway.port import PaymentGateway
from store.services import reconciliation
from store.services.operations import audit, worker
from store.services.services import Services

WINDOW = timedelta(hours=1)


class EmptyPaymentService:
    """Lists nothing and finds nothing; all else is the real gateway's."""

    def __init__(self, real: PaymentGateway) -> None:
        self._real = real

    def list_payments(self, _since: datetime) -> Iterator[object]:
        return iter(())

    list_refunds = list_disputes = list_payments

    def find_payment(self, _name: str) -> None:
        return None

    find_refund = find_dispute = find_payment

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def worker_round(services: Services) -> None:
    worker.run(services, services.clock())


def reconcile_window(services: Services) -> None:
    alone = replace(services, gateway=cast(PaymentGateway, EmptyPaymentService(services.gateway)))
    reconciliation.compare(alone, services.clock() - WINDOW)


def whole_audit(services: Services) -> None:
    with services.database.reading() as session:
        deque(audit.run(session, services.clock()), maxlen=0)


JOBS = {"worker": worker_round, "reconcile": reconcile_window, "audit": whole_audit}


def main() -> None:
    services: Services = create_app().extensions["services"]
    for line in sys.stdin:
        started = time.perf_counter()
        JOBS[line.strip()](services)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
