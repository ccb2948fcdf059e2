"""The merchant's money: what Stripe's balance is made of, collected once each, adds up to the cent."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import FlaskGroup
from sqlalchemy import select, update

from models import BalanceEntry, BalanceMark, Order
from store.domain.balance import EntryKind
from store.domain.errors import PaymentUnavailable
from store.domain.money import Money
from store.domain.staff import Role
from store.gateway.port import BalanceEntrySnapshot
from store.gateway.stripe import balance as stripe_balance
from store.gateway.stripe.balance import entry_of
from store.services import balance
from store.services.balance import Period, figures
from store.services.history import Origin, Source
from store.services.orders import whole
from store.services.payments import accounts, refunds
from tests.support.concurrency import at_once
from tests.support.crash_points import Crashed, FaultPlan, Process
from tests.support.shop import NoAnswer, Shop
from tests.support.staff import staff

ENTRIES = "/v1/balance_transactions"
LOST = "4000000000000259"


def paid(shop: Shop, quantity: int = 1, number: str = "4242424242424242", slug: str = "cedar-pencil") -> Order:
    order = shop.order(quantity, slug)
    shop.pay(order, number)
    shop.deliver()
    return shop.read(order.reference)


def booked(shop: Shop, seconds: float = 2) -> None:
    """Stripe enters a charge into the balance a second after it, and decides disputes later."""
    shop.clock.forward(seconds=seconds)
    shop.deliver()


def refund(shop: Shop, order: Order, minor: int | None) -> None:
    amount, origin = (None if minor is None else Money(minor, "usd")), Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, amount, origin)
    refunds.submit(shop.services, order.reference, amount, key, origin)
    shop.deliver()


def collect(shop: Shop) -> None:
    assert balance.collect(shop.services, shop.clock())


def entries(shop: Shop) -> list[BalanceEntry]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(BalanceEntry).order_by(BalanceEntry.at, BalanceEntry.provider_entry_id)))


def named(shop: Shop) -> set[str]:
    return {entry.provider_entry_id for entry in entries(shop)}


def at_stripe(shop: Shop) -> dict[str, int]:
    """What Stripe says is there, by currency."""
    said = shop.stripe("GET", "/v1/balance")
    sums: dict[str, int] = {}
    for part in (*said["available"], *said["pending"]):
        sums[part["currency"]] = sums.get(part["currency"], 0) + part["amount"]
    return {currency: minor for currency, minor in sums.items() if minor}


def exported(shop: Shop) -> list[dict[str, str]]:
    browser = staff(shop)
    return list(csv.DictReader(io.StringIO(browser.get("/admin/money/export.csv").text)))


def pay_out(shop: Shop, amount: int) -> dict[str, Any]:
    return shop.stripe("POST", "/v1/payouts", {"amount": str(amount), "currency": "usd"})


def test_the_csv_adds_up_to_the_balance_whatever_happened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 3)
    monkeypatch.setattr(figures, "BATCH", 5)
    chance = random.Random(13)  # a story, not a secret
    for number in ["4242424242424242", "4000000000005126", "4242424242424242", LOST, LOST]:
        order = paid(shop, chance.randint(2, 4), number, "stoneware-mug")
        booked(shop)
        if number != LOST:
            refund(shop, order, chance.choice([100, 250]))
        if chance.random() < 0.3:
            collect(shop)
    found = shop.stripe("GET", "/v1/disputes")["data"]
    for dispute, said in zip(found, ["winning_evidence", "losing_evidence"], strict=True):
        shop.stripe("POST", f"/v1/disputes/{dispute['id']}", {"evidence[uncategorized_text]": said})
    shop.clock.forward(days=3)
    shop.deliver()
    sent, back = pay_out(shop, 1234), pay_out(shop, 200)
    shop.stripe("POST", f"/v1/payouts/{back['id']}/cancel")
    shop.clock.forward(days=3)
    shop.deliver()

    collect(shop)
    lines = exported(shop)

    assert {line["category"] for line in lines} == {
        *("charge", "refund", "refund_failure", "dispute", "dispute_reversal", "payout", "payout_reversal"),
    }
    assert len(lines) == len({line["id"] for line in lines}) == len(entries(shop))
    assert [line["created_at"] for line in lines] == sorted(line["created_at"] for line in lines)
    cents = sum(round(float(line["net"]) * 100) for line in lines)
    assert {"usd": cents} == at_stripe(shop)
    assert cents + sent["amount"] == sum(entry.net_minor for entry in entries(shop) if entry.kind != "payout")
    ordered = [line for line in lines if line["category"] in ("charge", "refund", "dispute")]
    assert all(line["order"] and line["payment"].startswith("pi_") for line in ordered)


def test_an_entry_is_kept_as_stripe_describes_it(shop: Shop) -> None:
    order = paid(shop, 5)  # $20.00
    booked(shop)
    shop.clock.forward(seconds=1)
    refund(shop, order, 500)
    collect(shop)

    sale, returned = entries(shop)
    rows = {row["id"]: row for row in shop.stripe("GET", ENTRIES)["data"]}
    said = rows[sale.provider_entry_id]
    assert (sale.kind, sale.category, sale.amount, sale.fee, sale.net) == (
        EntryKind.SALE,
        "charge",
        Money(2000, "usd"),
        Money(88, "usd"),
        Money(1912, "usd"),
    )
    assert (sale.at.timestamp(), sale.available_at.timestamp()) == (said["created"], said["available_on"])
    assert (sale.day, sale.account) == (sale.at.date(), accounts.known(shop.services))
    assert (sale.source, sale.provider_payment_id) == (said["source"], order.payment.provider_payment_id)
    (made,) = shop.refunds(order.reference)
    assert (returned.kind, returned.source, returned.net) == (
        EntryKind.REFUND,
        made.provider_refund_id,
        Money(-500, "usd"),
    )
    assert returned.provider_payment_id == order.payment.provider_payment_id


def test_collecting_goes_on_where_a_crash_left_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    for _ in range(5):
        paid(shop)
    booked(shop)
    process, plan = Process(shop), 0
    while True:
        plan += 1
        try:
            with process.under(FaultPlan(crashes_at=plan)):
                collect(shop)
            break
        except Crashed:
            assert len(entries(shop)) <= 5

    assert plan > 3
    assert len(entries(shop)) == 5
    assert balance.collect(shop.services, shop.clock())
    assert len(entries(shop)) == 5


def test_a_long_history_is_collected_some_pages_at_a_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    shop.clock.stop()
    for _ in range(5):
        paid(shop)
    booked(shop)
    began = shop.clock()
    account = accounts.known(shop.services)

    def mark() -> tuple[Any, ...]:
        with shop.services.database.reading() as session:
            row = session.get_one(BalanceMark, account)
            return row.collected_until, row.began_at, row.last_entry

    first = balance.collect(shop.services, began, most_pages=1)
    after_one, listed = mark(), [row["id"] for row in shop.stripe("GET", ENTRIES)["data"]]
    second = balance.collect(shop.services, began + timedelta(minutes=1), most_pages=2)

    assert (first, second) == (False, True)
    assert after_one == (None, began, listed[1])
    assert mark() == (began, None, None)
    assert named(shop) == set(listed)
    shop.clock.forward(hours=2)
    collect(shop)  # once more from an hour before the last run on
    paid(shop)
    booked(shop)
    shop.transport.requests.clear()
    assert balance.collect(shop.services, shop.clock())
    assert (len(entries(shop)), mark()) == (6, (shop.clock(), None, None))
    assert sum(1 for _method, path in shop.transport.requests if path.startswith(ENTRIES)) == 1


@pytest.mark.on_both_databases
def test_processes_that_collect_at_once_keep_each_entry_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    monkeypatch.setattr(figures, "BATCH", 2)
    for _ in range(5):
        paid(shop)
    booked(shop)
    accounts.ask(shop.services)

    at_once(3, lambda _number: balance.collect(shop.services, shop.clock()))
    collect(shop)

    lines = exported(shop)
    assert len(entries(shop)) == 5
    assert sum(round(float(line["net"]) * 100) for line in lines) == at_stripe(shop)["usd"]
    assert [line["id"] for line in lines] == [entry.provider_entry_id for entry in entries(shop)]


def test_without_an_answer_nothing_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_balance, "PAGE", 2)
    for _ in range(3):
        paid(shop)
    booked(shop)
    asked: list[str] = []

    def break_the_second(_method: str, path: str) -> None:
        asked.append(path)
        if len(asked) == 2:
            raise NoAnswer

    shop.transport.before = break_the_second
    with pytest.raises(PaymentUnavailable):
        balance.collect(shop.services, shop.clock())
    halfway = len(entries(shop))
    collect(shop)

    assert (halfway, len(entries(shop))) == (2, 3)
    assert len(asked) == 3


def plant(shop: Shop, at: datetime, kind: EntryKind, amount: int, fee: int = 0, currency: str = "usd") -> None:
    """An entry as if it had been collected."""
    account = accounts.ask(shop.services)
    with shop.services.database.transaction() as session:
        number = len(session.scalars(select(BalanceEntry)).all())
        session.add(
            BalanceEntry(
                provider_entry_id=f"txn_{number:03}",
                account=account,
                at=at,
                day=at.date(),
                available_at=at,
                kind=kind,
                category=kind.value,
                currency=currency,
                amount_minor=amount,
                fee_minor=fee,
                net_minor=amount - fee,
                source=f"po_{number}" if kind is EntryKind.PAYOUT else None,
            )
        )


def told(found: list[figures.PeriodFigures]) -> list[tuple[date | int, ...]]:
    return [
        (
            row.first,
            *(
                money.minor
                for money in (row.sales, row.refunds, row.disputes, row.other, row.fees, row.net, row.payouts)
            ),
        )
        for row in found
    ]


def two_months(shop: Shop) -> None:
    last = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    plant(shop, last, EntryKind.SALE, 1000, 59)
    plant(shop, first, EntryKind.SALE, 2000, 88)
    plant(shop, first, EntryKind.SALE, 3000, 117)
    plant(shop, first, EntryKind.REFUND, -500)
    plant(shop, first, EntryKind.DISPUTE, -2000, 1500)
    plant(shop, first + timedelta(days=1), EntryKind.OTHER, -25)
    plant(shop, first + timedelta(days=1), EntryKind.PAYOUT, -700)
    plant(shop, first + timedelta(days=29, hours=23), EntryKind.PAYOUT, 300, 2)
    plant(shop, first, EntryKind.SALE, 7, 1, "eur")


@pytest.mark.on_both_databases
def test_days_and_months_add_up_to_what_happened_in_them(shop: Shop) -> None:
    two_months(shop)
    account = accounts.known(shop.services)
    october = date(2026, 10, 1)
    november = date(2026, 11, 1)

    with shop.services.database.reading() as session:
        days = balance.of_period(session, account, "usd", Period(2026, 11))
        months = balance.of_period(session, account, "usd", Period(2026))
        paid_out = balance.payouts(session, account, "usd", Period(2026, 11))
        known, held = balance.currencies(session, account), balance.totals(session, account)
        elsewhere = balance.of_period(session, "live:acct_other", "usd", Period(2026))

    assert told(days) == [
        (date(2026, 11, 30), 0, 0, 0, 0, 0, 0, 298),
        (date(2026, 11, 2), 0, 0, 0, -25, 0, -25, -700),
        (november, 5000, -500, -2000, 0, 1705, 795, 0),
    ]
    assert told(months) == [
        (november, 5000, -500, -2000, -25, 1705, 770, -402),
        (october, 1000, 0, 0, 0, 59, 941, 0),
    ]
    assert told([figures.total_of(days, Period(2026, 11), "usd")]) == told(months)[:1]
    assert [entry.net_minor for entry in paid_out] == [298, -700]
    assert (known, held) == (["eur", "usd"], [Money(6, "eur"), Money(770 - 402 + 941, "usd")])
    assert elsewhere == []


@pytest.mark.parametrize(
    ("period", "previous", "following"),
    [
        (Period(2026, 1), Period(2025, 12), Period(2026, 2)),
        (Period(2026, 12), Period(2026, 11), Period(2027, 1)),
        (Period(2026), Period(2025), Period(2027)),
    ],
)
def test_periods_follow_each_other(period: Period, previous: Period, following: Period) -> None:
    assert (period.previous, period.next) == (previous, following)
    assert (period.first, period.end) == (date(period.year, period.month or 1, 1), following.first)


def test_the_owner_sees_a_month_by_days_and_a_year_by_months(shop: Shop) -> None:
    two_months(shop)
    owner = staff(shop)

    month, year = (owner.get(f"/admin/money?period={period}").text for period in ("2026-11", "2026"))
    euros = owner.get("/admin/money?period=2026-11&currency=eur").text
    odd = [owner.get(f"/admin/money?period={period}&currency=xxx").status_code for period in ("x", "2026-13", "9999")]

    assert "Mon, 30 Nov" in month
    for amount in ("$50.00", "-$5.00", "-$20.00", "$17.05", "$7.95", "-$4.02"):
        assert amount in month
    assert 'href="/admin/money?currency=usd&amp;period=2026-10"' in month
    assert "October" in year
    assert "$9.41" in year
    assert "€0.07" in euros
    assert odd == [200, 200, 200]


def test_an_order_shows_its_fees_and_net_once_they_are_collected(shop: Shop) -> None:
    order, other = paid(shop, 5), paid(shop)
    booked(shop)
    refund(shop, order, 500)
    service = staff(shop, Role.SERVICE)
    before = service.get(f"/admin/orders/{order.reference}").text
    answer = staff(shop).post("/admin/money/collect", {}, page="/admin/money")
    after = service.get(f"/admin/orders/{order.reference}").text

    assert answer.status_code == 303
    assert "Fees and net" not in before
    for amount in ("$0.88", "$19.12", "-$5.00", "$14.12"):
        assert amount in after
    assert "Fees and net" not in staff(shop, Role.PACKING).get(f"/admin/orders/{order.reference}").text
    with shop.services.database.reading() as session:
        found = balance.of_order(session, whole.read(session, other.reference).order)
        assert balance.net_of(found) == [Money(400 - 42, "usd")]


def test_a_process_that_does_not_know_its_account_shows_the_last(shop: Shop) -> None:
    plant(shop, shop.clock(), EntryKind.SALE, 1000)
    ours = accounts.known(shop.services)
    with shop.services.database.transaction() as session:
        session.add(BalanceMark(account=ours, collected_until=shop.clock()))
        session.add(BalanceMark(account="test:acct_old", collected_until=shop.clock() - timedelta(days=1)))
        session.add(BalanceMark(account="live:acct_other", collected_until=shop.clock() + timedelta(days=1)))
        session.add(BalanceMark(account="test:acct_new"))

    class Unasked:
        def known_account_id(self) -> str:
            return ""

    unasked: Any = Unasked()
    with shop.services.database.reading() as session:
        assert balance.account(session, shop.services) == ours
        assert balance.account(session, replace(shop.services, gateway=unasked)) == ours


def test_the_command_says_what_is_there_and_whether_stripe_agrees(shop: Shop) -> None:
    paid(shop, 5)
    booked(shop)
    run = CliRunner()
    group = FlaskGroup(create_app=lambda: shop.app)

    agreed = run.invoke(group, ["money"])
    with shop.services.database.transaction() as session:
        session.execute(update(BalanceEntry).values(amount_minor=2001, net_minor=1913))
    differs = run.invoke(group, ["money"])

    assert (agreed.exit_code, agreed.output) == (0, "USD  19.12\n")
    assert differs.exit_code == 1
    assert differs.output == (
        "USD  19.13\n"
        "  USD: 19.13 here, 19.12 at Stripe. Run `flask money` again: something may have come in meanwhile.\n"
    )


def row(category: str, source: Any) -> dict[str, Any]:
    times = {"created": 1_700_000_000, "available_on": 1_700_086_400}
    return {"id": "txn_1", "amount": 100, "fee": 3, "currency": "usd", **times, "reporting_category": category} | {
        "source": source
    }


@pytest.mark.parametrize(
    ("category", "source", "kind", "names"),
    [
        ("charge", {"id": "ch_1", "payment_intent": "pi_1"}, EntryKind.SALE, ("ch_1", "pi_1")),
        ("refund_failure", {"id": "re_1", "payment_intent": {"id": "pi_2"}}, EntryKind.REFUND, ("re_1", "pi_2")),
        ("dispute_reversal", {"id": "du_1", "payment_intent": None}, EntryKind.DISPUTE, ("du_1", None)),
        ("payout", "po_1", EntryKind.PAYOUT, ("po_1", None)),
        ("fee", None, EntryKind.OTHER, (None, None)),
        ("something_new", None, EntryKind.OTHER, (None, None)),
    ],
)
def test_a_balance_transaction_is_read(category: str, source: Any, kind: EntryKind, names: tuple[Any, Any]) -> None:
    assert entry_of(row(category, source)) == BalanceEntrySnapshot(
        provider_entry_id="txn_1",
        at=datetime.fromtimestamp(1_700_000_000, UTC),
        available_at=datetime.fromtimestamp(1_700_086_400, UTC),
        kind=kind,
        category=category,
        amount=Money(100, "usd"),
        fee=Money(3, "usd"),
        source=names[0],
        provider_payment_id=names[1],
    )
