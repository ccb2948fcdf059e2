"""Changing how an order is paid: on the store's own page, or on a hosted one. Of the two, one can be paid at a time.

The order counts on the new payment first, then the one before is ended, and only then the new one is asked for. A crash
between any two is repaired by asking again; the worker ends what an order does not count on any more.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import OrderClosed
from store.domain.states import OrderState, PaymentKind
from store.services import history, transitions
from store.services.history import Origin, Source
from store.services.payments.closing import cancel_leftovers, count_on_undecided
from store.services.payments.recording import DECIDED, TAKES_NO_CARD
from store.services.services import Services


def change_kind(services: Services, reference: str, kind: PaymentKind, now: datetime) -> None:
    """Let an order count on a new payment of this kind, and end the one before. Tabs that come together do it once.

    Raises OrderClosed where that one turns out to be paid, or the bank is deciding about it; PaymentUnavailable and
    PaymentMisconfigured, after which the same may be asked again.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.payment.kind is not kind:
            replace(session, order, kind, Origin(Source.SHOPPER, now))
    end_replaced(services, reference, now)


def replace(session: Session, order: Order, kind: PaymentKind, origin: Origin) -> None:
    """Let an order that waits for its payment count on a new one; nothing, where the bank decides about the old one."""
    before = order.payment
    if order.state is not OrderState.AWAITING_PAYMENT or before.state in (*DECIDED, *TAKES_NO_CARD):
        return
    transitions.write(session, before, {"live": False})
    values = {"order_id": order.id, "kind": kind, "amount_minor": order.total_minor, "replaces_id": before.id}
    session.execute(insert(Payment).values(values))
    history.add(session, order, "payment.replaced", origin, data={"kind": kind})
    session.expire(order, ["payment"])


def end_replaced(services: Services, reference: str, now: datetime) -> None:
    """End what an order counted on before. Raises as `change_kind` does."""
    cancel_leftovers(services, reference, now, Source.STORE)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        count_on_undecided(session, order)
        takes_none = order.payment.state in (*DECIDED, *TAKES_NO_CARD)
    if takes_none or order.state is not OrderState.AWAITING_PAYMENT:
        raise OrderClosed(reference)
