"""What the entries of the balance come to: by day and month, for an order, and all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from models import BalanceEntry, Order, Payment
from store.domain.balance import EntryKind
from store.domain.money import Money
from store.services.services import Services

BATCH = 1000  # entries that are read at once


@dataclass(frozen=True, slots=True)
class Period:
    """A month, whose days are shown, or a year, whose months are."""

    year: int
    month: int | None = None

    @property
    def first(self) -> date:
        return date(self.year, self.month or 1, 1)

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.next.first

    @property
    def next(self) -> Self:
        if self.month is None:
            return replace(self, year=self.year + 1)
        return replace(self, year=self.year + self.month // 12, month=self.month % 12 + 1)

    @property
    def previous(self) -> Self:
        if self.month is None:
            return replace(self, year=self.year - 1)
        return replace(self, year=self.year - (self.month == 1), month=(self.month - 2) % 12 + 1)


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """What came in and went out from `first` on, for a day or a month. `fees` are positive, what went out is negative;
    `net` is all of it but the payouts.
    """

    first: date
    sales: Money
    refunds: Money
    disputes: Money
    other: Money
    fees: Money
    net: Money
    payouts: Money


def of_period(session: Session, account: str, currency: str, period: Period) -> list[PeriodFigures]:
    """The days or months of a period in which anything happened, the newest first."""
    day, kind = BalanceEntry.day, BalanceEntry.kind
    query = (
        select(
            day,
            kind,
            func.sum(BalanceEntry.amount_minor).label("amount"),
            func.sum(BalanceEntry.fee_minor).label("fee"),
            func.sum(BalanceEntry.net_minor).label("net"),
        )
        .where(BalanceEntry.account == account, BalanceEntry.currency == currency)
        .where(day >= period.first, day < period.end)
        .group_by(day, kind)
    )
    sums: dict[date, dict[str, int]] = {}
    for row in session.execute(query):
        first = row.day if period.month is not None else row.day.replace(day=1)
        of_this = sums.setdefault(first, dict.fromkeys(("fees", "net", *EntryKind), 0))
        if row.kind is EntryKind.PAYOUT:
            of_this[EntryKind.PAYOUT] += int(row.net)
            continue
        of_this[row.kind] += int(row.amount)
        of_this["fees"] += int(row.fee)
        of_this["net"] += int(row.net)
    return [_figures(first, sums[first], currency) for first in sorted(sums, reverse=True)]


def total_of(found: Sequence[PeriodFigures], period: Period, currency: str) -> PeriodFigures:
    """All of a period's days or months together."""
    names = ("sales", "refunds", "disputes", "other", "fees", "net", "payouts")
    sums = {name: Money.sum((getattr(each, name) for each in found), currency) for name in names}
    return PeriodFigures(period.first, **sums)


def payouts(session: Session, account: str, currency: str, period: Period) -> Sequence[BalanceEntry]:
    """What was paid out in a period, and what of that came back, the newest first."""
    query = select(BalanceEntry).where(
        BalanceEntry.account == account,
        BalanceEntry.currency == currency,
        BalanceEntry.kind == EntryKind.PAYOUT,
        BalanceEntry.day >= period.first,
        BalanceEntry.day < period.end,
    )
    return session.scalars(query.order_by(BalanceEntry.at.desc(), BalanceEntry.provider_entry_id.desc())).all()


def currencies(session: Session, account: str) -> list[str]:
    """Those in which there are entries: each is found by the index without reading the entries of the one before."""
    found: list[str] = []
    while True:
        query = select(func.min(BalanceEntry.currency)).where(BalanceEntry.account == account)
        if found:
            query = query.where(BalanceEntry.currency > found[-1])
        following = session.scalar(query)
        if following is None:
            return found
        found.append(following)


def first_day(session: Session, account: str, currency: str) -> date | None:
    """When the first entry is from."""
    query = select(func.min(BalanceEntry.day)).where(BalanceEntry.account == account, BalanceEntry.currency == currency)
    return session.scalar(query)


def totals(session: Session, account: str) -> list[Money]:
    """What all entries come to, in each currency: what is at the payment service."""
    query = select(BalanceEntry.currency, func.sum(BalanceEntry.net_minor).label("net"))
    query = query.where(BalanceEntry.account == account).group_by(BalanceEntry.currency)
    return [Money(int(row.net), row.currency) for row in session.execute(query.order_by(BalanceEntry.currency))]


def of_order(session: Session, order: Order) -> Sequence[BalanceEntry]:
    """The entries about the payments of an order, their refunds and disputes, the oldest first."""
    names = [payment.provider_payment_id for payment in order.payments if payment.provider_payment_id]
    about = select(BalanceEntry).where(BalanceEntry.provider_payment_id.in_(names))
    return session.scalars(about.order_by(BalanceEntry.at, BalanceEntry.provider_entry_id)).all() if names else []


def net_of(entries: Sequence[BalanceEntry]) -> list[Money]:
    """What they come to, in each currency."""
    currencies = sorted({entry.currency for entry in entries})
    return [Money.sum((each.net for each in entries if each.currency == one), one) for one in currencies]


def stream(services: Services, account: str) -> Iterator[tuple[BalanceEntry, str | None]]:
    """Every entry with the reference of its order, the oldest first, read in parts, each in a transaction of its
    own.
    """
    after: tuple[datetime, str] | None = None
    place = tuple_(BalanceEntry.at, BalanceEntry.provider_entry_id)
    while True:
        query = (
            select(BalanceEntry, Order.reference)
            .outerjoin(Payment, Payment.provider_payment_id == BalanceEntry.provider_payment_id)
            .outerjoin(Order, Order.id == Payment.order_id)
            .where(BalanceEntry.account == account)
        )
        if after is not None:
            query = query.where(place > after)
        with services.database.reading() as session:
            rows = session.execute(query.order_by(BalanceEntry.at, BalanceEntry.provider_entry_id).limit(BATCH)).all()
        for row in rows:
            yield row.BalanceEntry, row.reference
        if len(rows) < BATCH:
            return
        after = (rows[-1].BalanceEntry.at, rows[-1].BalanceEntry.provider_entry_id)


def _figures(first: date, sums: dict[str, int], currency: str) -> PeriodFigures:
    def money(name: str) -> Money:
        return Money(sums[name], currency)

    return PeriodFigures(
        first,
        sales=money(EntryKind.SALE),
        refunds=money(EntryKind.REFUND),
        disputes=money(EntryKind.DISPUTE),
        other=money(EntryKind.OTHER),
        fees=money("fees"),
        net=money("net"),
        payouts=money(EntryKind.PAYOUT),
    )
