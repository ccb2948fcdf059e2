"""Runs of test cards: a real order that a card is tried on, and how it ended. Test mode only.

The order of a run is like any other: placed from a cart, paid at the payment service, and webhooks say what became of
it. What was expected and what was observed is kept in the order's own history. A run takes nothing from shoppers: it
orders the product that `shelf` names, the shelf gets its piece back once the result is kept, and a run that was not
paid is cancelled when the next one begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models import HistoryEntry, InboxEvent, Order, Payment
from store.domain.addresses import Address
from store.domain.errors import NotFound
from store.domain.states import OrderState, PaymentState, ReservationState
from store.gateway.port import CancelReason
from store.services import carts, checkout, history, payments, transitions
from store.services.history import Origin, Source
from store.services.orders import Customer
from store.services.payments import refunds
from store.services.services import Services
from store.testmode import shelf
from store.testmode.test_cards import Scenario, on_hosted_page, scenario

REMEMBERED = 100_000  # lines of history in which results are looked for
CLOCKS_DIFFER = timedelta(minutes=1)  # by no more than this, ours and the payment service's

# Sent for every payment before a card is tried.
OPENED = "payment_intent.created"

_PLACED, _NOTED = "test_card.placed", "test_card.noted"

ADDRESS = Address(
    full_name="Test Shopper",
    line1="1 Test Street",
    line2="",
    city="New York",
    region="NY",
    postal_code="10001",
    country="US",
)
CUSTOMER = Customer(shipping=ADDRESS, billing=ADDRESS, email="test-card@example.com")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How the order of a run stands. `events` are the kinds that followed since its payment was opened."""

    events: tuple[str, ...]
    order: OrderState
    payment: PaymentState
    disputed: bool
    needs_review: bool

    def matches(self, expected: Scenario) -> bool:
        """Whether all of it is as the scenario says; events in any order."""
        outcome = expected.expected
        return (
            Counter(self.events) == Counter(outcome.events)
            and (self.order, self.payment) == (outcome.order, outcome.payment)
            and (self.disputed, self.needs_review) == (outcome.disputed, outcome.needs_review)
        )


@dataclass(frozen=True, slots=True)
class Result:
    """How the last run of a scenario ended. `got` is what was observed: what the shopper read, and what followed."""

    reference: str
    browser_id: str
    at: datetime
    passed: bool
    got: Mapping[str, Any]


def place(services: Services, browser_id: str, chosen: Scenario, now: datetime, *, hosted: bool = False) -> Order:
    """An order for one piece, to be paid as the scenario says, `hosted` on the payment service's own page. This
    browser's last run is cancelled if it was not paid. Raises OutOfStock, PaymentUnavailable and PaymentMisconfigured.
    """
    _cancel_earlier(services, browser_id, now)
    with services.database.transaction() as session:
        cart_id = carts.add(session, None, shelf.plentiful(session), 1, now)
    order = checkout.place(services, cart_id, browser_id, CUSTOMER, now)
    with services.database.transaction() as session:
        data = {"scenario": chosen.key, **({"hosted": True} if hosted else {})}
        history.add_once(session, order, _PLACED, Origin(Source.STORE, now), _PLACED, data)
    return order


def scenario_of(session: Session, reference: str, browser_id: str | None) -> Scenario:
    """What the order of a run of this browser is to try. Raises NotFound for every other order."""
    detail = session.scalar(
        select(HistoryEntry.data)
        .join(Order)
        .where(Order.reference == reference, Order.browser_id == (browser_id or ""), HistoryEntry.dedupe_key == _PLACED)
    )
    found = scenario(detail["scenario"]) if detail else None
    if found is None:
        raise NotFound
    return on_hosted_page(found) if detail and detail.get("hosted") else found


def observe(services: Services, reference: str, acted_on: Collection[str]) -> RunStatus:
    """How the order stands. Of the kinds of events that the store acts on, only those count that have arrived.

    Raises NotFound, PaymentUnavailable and PaymentMisconfigured.
    """
    with services.database.reading() as session:
        before = _row(session, reference)
    since = before.placed_at - CLOCKS_DIFFER
    origin = services.gateway.events_for(before.provider_payment_id, since) if before.provider_payment_id else {}
    with services.database.reading() as session:
        arrived = session.scalars(
            select(InboxEvent.id).where(InboxEvent.id.in_(origin), InboxEvent.handled_at.is_not(None))
        ).all()
        row = _row(session, reference)
    waited_for = {event for event, kind in origin.items() if kind in acted_on} - set(arrived)
    events = tuple(sorted(kind for event, kind in origin.items() if kind != OPENED and event not in waited_for))
    return RunStatus(events, row.state, row.payment_state, row.disputed, row.needs_review)


def refund(services: Services, reference: str, now: datetime) -> None:
    """Return the whole payment, once. Raises RefundRefused, PaymentUnavailable and PaymentMisconfigured."""
    refunds.submit(services, reference, None, f"order-{reference}-refund-test-card", Origin(Source.STORE, now))


def note(
    services: Services, reference: str, tried: Scenario, passed: bool, got: Mapping[str, Any], now: datetime
) -> None:
    """Keep how the run ended, once, and put a piece back for one that went with the order."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        data = {"scenario": tried.key, "passed": passed, **got}
        first = history.add_once(session, order, _NOTED, Origin(Source.STORE, now), _NOTED, data)
        if first and order.reservation is ReservationState.COMMITTED:
            shelf.put_back(session, order.id)


def results(session: Session) -> dict[str, Result]:
    """How the last run of each scenario ended, by the scenario's key."""
    newest = session.scalar(select(func.max(HistoryEntry.id))) or 0
    rows = session.execute(
        select(HistoryEntry.data, HistoryEntry.at, Order.reference, Order.browser_id)
        .join(Order)
        .where(HistoryEntry.id > newest - REMEMBERED, HistoryEntry.type == _NOTED)
        .order_by(HistoryEntry.id)
    )
    return {
        row.data["scenario"]: Result(row.reference, row.browser_id, row.at, row.data["passed"], row.data)
        for row in rows
    }


def _cancel_earlier(services: Services, browser_id: str, now: datetime) -> None:
    with services.database.reading() as session:
        left = session.scalars(
            select(Order.reference)
            .join(HistoryEntry)
            .where(Order.browser_id == browser_id, HistoryEntry.dedupe_key == _PLACED)
            .where(Order.state == OrderState.AWAITING_PAYMENT)
        ).all()
    for reference in left:
        payments.close(services, reference, CancelReason.REPLACED, now)


def _row(session: Session, reference: str) -> Row[OrderState, bool, bool, datetime, PaymentState, str | None]:
    row = session.execute(
        select(
            Order.state,
            Order.disputed,
            Order.needs_review,
            Order.placed_at,
            Payment.state.label("payment_state"),
            Payment.provider_payment_id,
        )
        .join(Order.payment)
        .where(Order.reference == reference)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row
