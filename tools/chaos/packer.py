"""The merchant where cards are charged when orders are shipped: ships what is authorised, while everything fails.

A fifth of the orders is charged in part, and a tenth is left until its authorisation ends.
"""

from __future__ import annotations

import threading
from types import TracebackType

import structlog
from sqlalchemy.exc import DBAPIError

from models import Order
from store.domain.errors import StoreError
from store.domain.money import Money
from store.services import orders
from store.services.history import Origin, Source
from store.services.orders import listing
from store.services.services import Services

AT_ONCE = 50
PAUSE = 0.5  # seconds

log = structlog.get_logger(__name__)


def ship_all(services: Services) -> None:
    """Try once to ship each order that is authorised and not left to its end."""
    try:
        with services.database.reading() as session:
            wanted = listing.OrderFilter(listing.Show.AUTHORISED, oldest_first=True)
            waiting = listing.find(session, wanted, most=AT_ONCE).orders
    except (StoreError, DBAPIError) as failure:
        log.warning("packer waits", failure=type(failure).__name__)
        return
    for order in waiting:
        if order.id % 10:
            _ship(services, order)


def _ship(services: Services, order: Order) -> None:
    part = Money(max(order.total.minor // 2, 1), order.currency) if order.id % 10 in (1, 2) else None
    origin = Origin(Source.STAFF, services.clock(), actor="packer")
    try:
        orders.fulfil(services, order.reference, None, origin, capture=part)
    except (StoreError, DBAPIError) as failure:
        log.warning("packer put off", order=order.reference, failure=type(failure).__name__)


class Packer:
    """Ships in a thread of its own until the block ends."""

    def __init__(self, services: Services) -> None:
        self._services, self._over = services, threading.Event()
        self._thread = threading.Thread(target=self._work, name="packer")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, _type: type[BaseException] | None, _failure: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(PAUSE):
            ship_all(self._services)
