"""What the store asks again and again goes by an index, so that it costs the same with a million orders."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text

from models import BalanceEntry, Document, DocumentSeries, Order
from store.domain.balance import EntryKind
from store.domain.documents import DocumentKind
from store.services import balance, carts, documents, reconciliation
from store.services.balance import Period
from store.services.operations import figures, health, work_list, worker
from store.services.orders import listing, reviews, search, whole
from store.services.orders.listing import OrderFilter, Show
from store.services.orders.sorting import Sort
from store.services.payments import accounts
from store.webhooks import deliveries, inbox
from tests.support.databases import Databases
from tests.support.query_plans import PlanRecorder, forget_statistics
from tests.support.shop import Shop, open_shop
from tools.fill_orders import fill


def pay_an_order(shop: Shop) -> None:
    shop.pay(shop.order())
    shop.deliver()


def decline_a_card(shop: Shop) -> None:
    shop.pay(shop.order(), "4000000000000002")
    shop.deliver()


def look_at_an_order(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    for path in (f"/orders/{reference}/pay", "/orders", f"/orders/{reference}/status.json"):
        assert browser.get(path).status_code == 200
    browser.post(f"/orders/{reference}/cancel", {}, page=f"/orders/{reference}/pay")
    assert browser.get(f"/orders/{reference}").status_code == 200


def let_the_worker_go_round(shop: Shop) -> None:
    shop.pay(shop.order())
    shop.deliver()
    shop.order()
    shop.clock.forward(minutes=31)
    assert worker.run(shop.services, shop.clock()) > 0


def reconcile(shop: Shop) -> None:
    shop.pay(shop.order())
    reconciliation.run_since_last(shop.services, inbox.catch_up, shop.clock())


def list_orders(shop: Shop) -> None:
    """As the staff does: everything that can be asked for, the first page and the next."""
    now = shop.clock()
    while search.write_keys(shop.services, now):
        pass
    reference = shop.order().reference
    asked = [OrderFilter(show, oldest_first=oldest) for show in Show for oldest in (False, True)]
    asked += [OrderFilter(show, sort=sort) for show in Show for sort in (Sort.TOTAL, Sort.STATE)]
    asked += [OrderFilter(search=search.parse(typed)) for typed in ("ad", "@example", "4242", "pi_1", "re_1", "AB-C2")]
    asked += [OrderFilter(Show.PAID, since=now - timedelta(days=9), until=now - timedelta(days=1))]
    with shop.services.database.reading() as session:
        for wanted in asked:
            first = listing.find(session, wanted, most=2)
            if first.after is not None:
                listing.find(session, wanted, first.after, most=2)
        whole.read(session, reference)


def look_at_today(shop: Shop) -> None:
    with shop.services.database.reading() as session:
        work_list.read(session, shop.clock())
        figures.of_day(session, shop.clock(), "usd")
        first = deliveries.find(session)
        assert first.after is not None
        deliveries.find(session, after=first.after)
        deliveries.find(session, failed=True)


def look_after_the_store(shop: Shop) -> None:
    assert health.problems(shop.services) == []
    with shop.services.database.reading() as session:
        reviews.waiting(session)
        assert accounts.count_foreign(session, accounts.known(shop.services)) == 0


def look_at_money(shop: Shop) -> None:
    order = shop.order()
    month, account = Period(shop.clock().year, shop.clock().month), accounts.known(shop.services)
    with shop.services.database.reading() as session:
        assert balance.currencies(session, account) == ["usd"]
        assert balance.of_period(session, account, "usd", month)
        balance.payouts(session, account, "usd", month)
        balance.of_order(session, whole.read(session, order.reference).order)
        balance.first_day(session, account, "usd")
        documents.of_order(session, 1)
    assert len(list(balance.stream(shop.services, account))) == 2000


def plant_entries(shop: Shop, number: int) -> None:
    """One for each of the last days."""
    account, now = accounts.known(shop.services), shop.clock()
    rows = [
        {
            "provider_entry_id": f"txn_{each}",
            "account": account,
            "at": now - timedelta(days=each),
            "day": (now - timedelta(days=each)).date(),
            "available_at": now,
            "kind": EntryKind.PAYOUT if each % 10 == 0 else EntryKind.SALE,
            "category": "charge",
            "currency": "usd",
            "amount_minor": 100,
            "fee_minor": 33,
            "net_minor": 67,
            "provider_payment_id": f"pi_{each}",
        }
        for each in range(number)
    ]
    with shop.services.database.transaction() as session:
        session.execute(insert(BalanceEntry), rows)


def plant_invoices(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        paid = session.scalars(select(Order.id).where(Order.paid_at.is_not(None)).order_by(Order.id)).all()
        fixed = {"kind": DocumentKind.INVOICE, "issued_at": shop.clock(), "currency": "usd", "content": {}}
        rows = [{**fixed, "order_id": each, "number": n, "total_minor": 1} for n, each in enumerate(paid, 1)]
        session.execute(insert(Document), rows)
        session.add(DocumentSeries(kind=DocumentKind.INVOICE, last_number=len(rows)))


def analyze(engine: Engine, tables: str) -> None:
    """Have PostgreSQL know how many rows it has got."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"ANALYZE {tables}"))


WORK = (
    pay_an_order,
    decline_a_card,
    look_at_an_order,
    look_after_the_store,
    list_orders,
    look_at_today,
    look_at_money,
    reconcile,
    let_the_worker_go_round,
)


@pytest.mark.on_both_databases
def test_no_statement_goes_through_every_row(shop: Shop) -> None:
    engine = shop.services.database.engine
    fill(engine, 2000, seed=1, now=shop.clock() - timedelta(days=2))
    plant_entries(shop, 2000)
    plant_invoices(shop)
    analyze(engine, "documents, balance_entries")
    forget_statistics(engine)
    plans = PlanRecorder(engine)

    with plans.recording():
        for work in WORK:
            work(shop)

    assert plans.count > 50
    assert plans.through_every_row() == []


def test_a_cart_is_read_the_same_however_many_orders_its_products_have(databases: Databases, tmp_path: Path) -> None:
    """PostgreSQL is tempted to begin at the orders of a product when a sale begins: it knows of one order yet. So the
    database is a new one, of which it knows nothing else.
    """
    address = databases.create("postgresql")
    with closing(open_shop(address, tmp_path)) as shop:
        shop.order()
        engine = shop.services.database.engine
        analyze(engine, "orders, order_lines")
        for _ in range(20):
            shop.order()
        cart, plans = shop.cart(), PlanRecorder(engine)

        with plans.recording(), shop.services.database.reading() as session:
            assert [item.quantity for item in carts.items(session, cart)] == [1]

        assert plans.count == 1
        assert plans.most_rows("orders", "order_lines") <= 1
    databases.drop(address)


def test_scripts_go_by_indexes_as_they_were_planned_when_all_was_empty(databases: Databases, tmp_path: Path) -> None:
    """A plan is kept while the tables grow: it must not go through all orders of others, however few it expected."""
    address = databases.create("postgresql")
    with closing(open_shop(address, tmp_path)) as shop:
        _browser, reference = shop.browser_with_order()
        shop.pay(shop.read(reference))
        shop.deliver()
        assert shop.read(reference).state == "paid"
        plans = plans_of_scripts(shop.services.database.engine)
    databases.drop(address)

    steps = [step for plan in plans for step in steps_of(plan)]
    read = {step["Relation Name"] for step in steps if step["Node Type"].startswith("Index")}
    assert len(plans) == 7  # the cart's one, and three for an order and for its payment
    assert read >= {"cart_lines", "orders", "order_lines", "payments", "products", "webhook_events"}
    assert [step for step in steps if step["Node Type"] == "Seq Scan"] == []
    assert [step for step in steps if "Index Name" in step and "Index Cond" not in step] == []


NOTHING = {"json": "'[]'", "text": "'nobody'", "timestamp with time zone": "now()"}


def plans_of_scripts(engine: Engine) -> list[dict[str, Any]]:
    """The plans that the connection which is used next has kept."""
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT name, parameter_types::text[] FROM pg_prepared_statements WHERE name LIKE 'till%'")
        plans = []
        for name, types in cursor.fetchall():
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({', '.join(NOTHING[each] for each in types)})")
            (((plan,),),) = cursor.fetchall()
            plans.append(plan["Plan"])
        return plans


def steps_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from steps_of(child)
