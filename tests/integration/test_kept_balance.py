"""The entries of the balance as they are kept and added up: whole rows, edges of periods, and what is beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from models import BalanceEntry, BalanceMark
from store.domain.balance import EntryKind
from store.domain.money import Money
from store.gateway.stripe import balance as stripe_balance
from store.services import balance
from store.services.balance import Period, PeriodFigures, figures
from store.services.orders import whole
from store.services.payments import accounts
from tests.support.shop import Shop

NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
LAST_OF_OCTOBER, LAST_OF_NOVEMBER = NOVEMBER - timedelta(seconds=1), DECEMBER - timedelta(seconds=1)
OURS, OTHERS = "test:acct_ours", "test:acct_others"
SALE, PAYOUT = EntryKind.SALE, EntryKind.PAYOUT


def plant(shop: Shop, *entries: tuple[datetime, EntryKind, int], fee: int = 0, **values: Any) -> None:
    """Entries as if they had been collected, named in the order in which they are planted."""
    with shop.services.database.transaction() as session:
        there = len(session.scalars(select(BalanceEntry.provider_entry_id)).all())
        for number, (at, kind, amount) in enumerate(entries, there):
            sums = {"amount_minor": amount, "fee_minor": fee, "net_minor": amount - fee}
            row = {"account": OURS, "category": kind.value, "currency": "usd", "kind": kind, **sums, **values}
            times = {"at": at, "day": at.date(), "available_at": at}
            session.execute(insert(BalanceEntry).values(provider_entry_id=f"txn_{number:02}", **times, **row))


def sums(
    first: date,
    *,
    sales: int = 0,
    refunds: int = 0,
    disputes: int = 0,
    other: int = 0,
    fees: int = 0,
    net: int = 0,
    payouts: int = 0,
) -> PeriodFigures:
    amounts = (sales, refunds, disputes, other, fees, net, payouts)
    return PeriodFigures(first, *(Money(minor, "usd") for minor in amounts))


def test_what_happens_day_after_day_is_added_up_for_the_month(shop: Shop) -> None:
    for kind, amount in ((SALE, 1000), (EntryKind.REFUND, -100), (EntryKind.DISPUTE, -10), (EntryKind.OTHER, -1)):
        plant(shop, (NOVEMBER, kind, amount), (LAST_OF_NOVEMBER, kind, 2 * amount), fee=3)
    plant(shop, (NOVEMBER, PAYOUT, -500), (LAST_OF_NOVEMBER, PAYOUT, -700))
    plant(shop, (LAST_OF_OCTOBER, SALE, 7), (DECEMBER, SALE, 8), (NOVEMBER.replace(month=1), SALE, 9))
    plant(shop, (NOVEMBER.replace(year=2027, month=1), SALE, 10), (datetime(2025, 12, 31, tzinfo=UTC), SALE, 11))
    plant(shop, (NOVEMBER, SALE, 12), account=OTHERS)
    plant(shop, (NOVEMBER, SALE, 13), currency="eur")

    with shop.services.database.reading() as session:
        days = balance.of_period(session, OURS, "usd", Period(2026, 11))
        months = balance.of_period(session, OURS, "usd", Period(2026))

    first, last = NOVEMBER.date(), LAST_OF_NOVEMBER.date()
    once = {"sales": 1000, "refunds": -100, "disputes": -10, "other": -1}
    assert days == [
        sums(last, **{name: 2 * amount for name, amount in once.items()}, fees=12, net=1778 - 12, payouts=-700),
        sums(first, **once, fees=12, net=889 - 12, payouts=-500),
    ]
    whole = sums(first, sales=3000, refunds=-300, disputes=-30, other=-3, fees=24, net=2667 - 24, payouts=-1200)
    assert months == [
        sums(DECEMBER.date(), sales=8, net=8),
        whole,
        sums(date(2026, 10, 1), sales=7, net=7),
        sums(date(2026, 1, 1), sales=9, net=9),
    ]
    assert balance.total_of(days, Period(2026, 11), "usd") == whole
    assert balance.total_of([], Period(2026), "usd") == sums(date(2026, 1, 1))


def test_payouts_are_listed_from_the_first_day_to_the_last(shop: Shop) -> None:
    times = (NOVEMBER, NOVEMBER, LAST_OF_NOVEMBER, LAST_OF_OCTOBER, DECEMBER)
    plant(shop, *((at, PAYOUT, -100) for at in times), (NOVEMBER, SALE, 100))
    plant(shop, (NOVEMBER, PAYOUT, -100), account=OTHERS)
    plant(shop, (NOVEMBER, PAYOUT, -100), currency="eur")

    with shop.services.database.reading() as session:
        month = balance.payouts(session, OURS, "usd", Period(2026, 11))
        year = balance.payouts(session, OURS, "usd", Period(2026))

    assert [each.provider_entry_id for each in month] == ["txn_02", "txn_01", "txn_00"]
    assert [each.provider_entry_id for each in year] == ["txn_04", "txn_02", "txn_01", "txn_00", "txn_03"]


def test_the_balance_is_of_one_account_in_each_of_its_currencies(shop: Shop) -> None:
    plant(shop, (DECEMBER, SALE, 300), (NOVEMBER, PAYOUT, -100), fee=1)
    plant(shop, (NOVEMBER, SALE, 7), currency="eur")
    plant(shop, (LAST_OF_NOVEMBER, SALE, 8), currency="jpy")
    plant(shop, (LAST_OF_OCTOBER, SALE, 9), account=OTHERS)
    plant(shop, (LAST_OF_OCTOBER, SALE, 9), account=OTHERS, currency="gbp")

    with shop.services.database.reading() as session:
        known = balance.currencies(session, OURS)
        held = balance.totals(session, OURS)
        first = [balance.first_day(session, OURS, currency) for currency in ("usd", "jpy", "gbp")]
        none = balance.currencies(session, "test:acct_nobody"), balance.totals(session, "test:acct_nobody")

    assert known == ["eur", "jpy", "usd"]
    assert held == [Money(7, "eur"), Money(8, "jpy"), Money(198, "usd")]
    assert first == [NOVEMBER.date(), LAST_OF_NOVEMBER.date(), None]
    assert none == ([], [])


def test_the_entries_about_an_order_are_those_of_its_payments(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    names = [shop.open(each).snapshot.provider_payment_id for each in (order, other)]
    plant(shop, (DECEMBER, EntryKind.REFUND, -100), (NOVEMBER, SALE, 400), fee=5, provider_payment_id=names[0])
    plant(shop, (NOVEMBER, SALE, 30), provider_payment_id=names[0], currency="eur")
    plant(shop, (NOVEMBER, SALE, 900), provider_payment_id=names[1])
    plant(shop, (NOVEMBER, SALE, 900))
    unopened = shop.order()

    with shop.services.database.reading() as session:
        found, none = (
            balance.of_order(session, whole.read(session, each.reference).order) for each in (order, unopened)
        )

    assert [each.provider_entry_id for each in found] == ["txn_01", "txn_02", "txn_00"]
    assert balance.net_of(found) == [Money(30, "eur"), Money(400 - 5 - 100 - 5, "usd")]
    assert (none, balance.net_of([])) == ([], [])


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_every_entry_is_streamed_once_with_the_order_it_is_about(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(figures, "BATCH", batch)
    order = shop.order()
    name = shop.open(order).snapshot.provider_payment_id
    plant(shop, (DECEMBER, SALE, 1))
    plant(shop, (NOVEMBER, SALE, 2), provider_payment_id=name)
    plant(shop, (NOVEMBER, SALE, 3), provider_payment_id="pi_of_nobody")
    plant(shop, (NOVEMBER, SALE, 4), account=OTHERS)
    plant(shop, (LAST_OF_OCTOBER, PAYOUT, -5))

    streamed = [(entry.provider_entry_id, about) for entry, about in balance.stream(shop.services, OURS)]

    assert streamed == [("txn_04", None), ("txn_01", order.reference), ("txn_02", None), ("txn_00", None)]


def marks(shop: Shop) -> dict[str, tuple[Any, ...]]:
    with shop.services.database.reading() as session:
        rows = session.scalars(select(BalanceMark)).all()
        return {row.account: (row.collected_until, row.began_at, row.last_entry) for row in rows}


def booked(shop: Shop, number: int) -> None:
    for _ in range(number):
        shop.pay(shop.order())
    shop.clock.forward(seconds=2)
    shop.deliver()


@pytest.mark.parametrize("pages", [1, 2], ids=["at the first page", "at the last page"])
@pytest.mark.parametrize("said", ["ended", "further", "anew"])
def test_what_another_process_has_noted_meanwhile_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, pages: int, said: str
) -> None:
    """While this one waits for a page, another has ended the run, is further in it, or has begun the next one."""
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    shop.clock.stop()
    booked(shop, 3)
    now, ours = shop.clock(), accounts.ask(shop.services)
    later = now + timedelta(minutes=1)
    ways: dict[str, dict[str, Any]] = {
        "ended": {"began_at": None, "last_entry": None, "collected_until": later},
        "further": {"last_entry": "txn_further"},
        "anew": {"began_at": later, "last_entry": None, "collected_until": now},
    }
    asked: list[str] = []
    after: list[dict[str, tuple[Any, ...]]] = []

    def another_notes(_method: str, path: str) -> None:
        asked.append(path)
        if len(asked) == pages:
            with shop.services.database.transaction() as session:
                session.execute(update(BalanceMark).values(ways[said]))
            after.append(marks(shop))

    shop.transport.before = another_notes
    balance.collect(shop.services, now, most_pages=pages)

    assert marks(shop) == after[0]
    assert set(after[0]) == {ours}


def test_a_run_is_noted_for_its_account_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    shop.clock.stop()
    booked(shop, 3)
    now, ours = shop.clock(), accounts.ask(shop.services)
    with shop.services.database.transaction() as session:
        session.add(BalanceMark(account=OTHERS, began_at=now))

    collected: list[datetime | None] = []
    for most in (1, 1):
        balance.collect(shop.services, now, most_pages=most)
        with shop.services.database.reading() as session:
            collected.append(balance.collected_until(session, ours))

    assert collected == [None, now]
    assert marks(shop) == {OTHERS: (None, now, None), ours: (now, None, None)}
    with shop.services.database.reading() as session:
        assert balance.collected_until(session, "test:acct_nobody") is None


def test_a_new_run_asks_from_an_hour_before_the_last_one_on(shop: Shop) -> None:
    booked(shop, 1)
    balance.collect(shop.services, shop.clock())
    (entry,) = entries(shop)
    kept = []
    for late in (timedelta(seconds=1), timedelta()):
        until = entry.at + timedelta(hours=1) + late
        with shop.services.database.transaction() as session:
            session.execute(delete(BalanceEntry))
            session.execute(update(BalanceMark).values(collected_until=until, last_entry="txn_of_the_last_run"))
        balance.collect(shop.services, shop.clock())
        kept.append(entries(shop))

    (after,) = kept[1]
    assert kept[0] == []
    assert row_of(after) == row_of(entry)


def test_a_process_that_knows_its_mode_alone_shows_what_was_collected_last(shop: Shop) -> None:
    class Unasked:
        def known_account_id(self) -> str:
            return ""

    unasked: Any = Unasked()
    services, now = replace(shop.services, gateway=unasked), shop.clock()
    with shop.services.database.reading() as session:
        none = balance.account(session, services)
    ago = {"test:acct_1": 2, "test:acct_2": 1, "test:acct_3": 3, "live:acct_4": 0}
    with shop.services.database.transaction() as session:
        session.add(BalanceMark(account="test:acct_0"))
        session.add_all(BalanceMark(account=each, collected_until=now - timedelta(days=ago[each])) for each in ago)
        found = balance.account(session, services)

    assert (none, found) == ("test:", "test:acct_2")


def entries(shop: Shop) -> list[BalanceEntry]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(BalanceEntry)))


def row_of(entry: BalanceEntry) -> dict[str, Any]:
    return {each.key: getattr(entry, each.key) for each in BalanceEntry.__table__.columns}
