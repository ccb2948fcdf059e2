"""A day in figures: what was ordered, paid, refunded and declined in the last 24 hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from models import HistoryEntry, Order, Payment, Refund
from store.domain.money import Money
from store.services.payments.refunds import RETURNING

DAY, HOURS = timedelta(hours=24), 24


@dataclass(frozen=True, slots=True)
class DayFigures:
    """`paid_by_hour` are the amounts of the orders that were placed in each hour and paid, the earliest first;
    `declined` is how often a card was declined, by the code of the reason, the most frequent first.
    """

    placed: int
    paid: int
    received: Money
    refunded: Money
    declined: Sequence[tuple[str, int]]
    paid_by_hour: Sequence[Money]

    @property
    def paid_percent(self) -> int | None:
        """How many of a hundred orders were paid; None where none was placed."""
        return round(self.paid * 100 / self.placed) if self.placed else None


def of_day(session: Session, now: datetime, currency: str) -> DayFigures:
    """The figures up to `now`, of the orders in `currency`. Refunds and declines count when they were made."""
    since = now - DAY
    placed = session.scalar(select(func.count(Order.id)).where(Order.placed_at >= since)) or 0
    hours, paid = [0] * HOURS, 0
    for hour, count, received in session.execute(_paid_by_hour(since, currency)):
        hours[hour], paid = int(received), paid + count
    refunded = session.scalar(
        select(func.sum(Refund.amount_minor))
        .join(Payment)
        .join(Order)
        .where(Refund.requested_at >= since, Refund.state.in_(RETURNING), Order.currency == currency)
    )
    return DayFigures(
        placed,
        paid,
        Money(sum(hours), currency),
        Money(int(refunded or 0), currency),
        _declined(session, since),
        [Money(minor, currency) for minor in hours],
    )


def _paid_by_hour(since: datetime, currency: str) -> Select[int, int, int]:
    """How many orders were placed in each hour and are paid, and what was received for them. A row for each hour: the
    database adds up what may be thousands of orders.
    """
    later = [(Order.placed_at >= since + timedelta(hours=hour), hour) for hour in range(HOURS - 1, 0, -1)]
    # The orders of the day come first, and the payment of each: a planner that joins them may begin at the payments.
    received = select(Payment.received_minor).where(Payment.order_id == Order.id, Payment.live).scalar_subquery()
    return (
        select(case(*later, else_=0).label("hour"), func.count(), func.sum(received))
        .where(Order.placed_at >= since, Order.paid_at.is_not(None), Order.currency == currency)
        .group_by("hour")
    )


def _declined(session: Session, since: datetime) -> Sequence[tuple[str, int]]:
    entries = select(HistoryEntry.data).where(HistoryEntry.at >= since, HistoryEntry.type == "payment.declined")
    return Counter(data.get("decline_code") or "unknown" for data in session.scalars(entries)).most_common()
