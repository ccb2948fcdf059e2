"""Checkout: from a cart to one open order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models import Order
from store.domain.errors import OrderClosed
from store.domain.states import OrderState
from store.gateway.port import CancelReason
from store.services import card_testing, orders, payments
from store.services.card_testing import Shopper
from store.services.orders import Customer, Draft, ordinary
from store.services.services import Services


def place(
    services: Services,
    cart_id: str | None,
    browser_id: str,
    customer: Customer,
    now: datetime,
    shopper: Shopper | None = None,
) -> Order:
    """The open order of this cart for this customer: the same one however often it is asked for.

    An open order for other products or another address is closed first, its payment cancelled. If that one turns out to
    be paid, or the bank is deciding about it, nothing new is placed and OrderClosed names it. Of a `shopper`, the
    declines so far are looked at. Raises CartEmpty, OutOfStock, AmountOutOfRange, TooManyDeclines, PaymentUnavailable.
    """

    def draft(session: Session) -> Draft:
        if shopper is not None:
            card_testing.check(session, shopper, now, services.settings.declines_per_hour)
        return orders.draft(session, cart_id, browser_id, customer, now, services.hold, shopper)

    if services.shortcut and services.database.engine.dialect.name == "postgresql":
        with services.database.reading() as session:
            new = draft(session)
        if (order := ordinary.place(services.database, new)) is not None:
            return order
    while True:
        with services.database.transaction() as session:
            placed = orders.place(session, draft(session))
        if isinstance(placed, Order):
            return placed
        left = payments.close(services, placed.reference, CancelReason.REPLACED, now)
        if left not in (OrderState.CANCELLED, OrderState.EXPIRED):
            raise OrderClosed(placed.reference)


def cancel(services: Services, reference: str, now: datetime) -> None:
    """Close an unpaid order for the shopper. Raises OrderClosed when it is too late for that, and
    PaymentUnavailable.
    """
    if payments.close(services, reference, CancelReason.BY_SHOPPER, now) is not OrderState.CANCELLED:
        raise OrderClosed(reference)
