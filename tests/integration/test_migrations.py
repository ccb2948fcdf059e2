"""A database full of orders, as the program wrote them before its orders could grow, is taken along whole.

`data/orders_at_0003.json` holds every table of such a database at revision 0003: orders in every state, refunds,
disputes, orders in review, late payments, e-mails, webhooks that came too early.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    bindparam,
    inspect,
    select,
    text,
)
from sqlalchemy.orm import Session, selectinload

from app import create_app
from config import Settings
from models import Base, Dispute, Order, Payment, Refund, Review, UnmatchedEvent, UtcDateTime
from store.cli.findings import problem_of
from store.domain.states import OrderState
from store.services import Services
from store.services.operations import audit
from tests.support.databases import SETTINGS, Databases

BEFORE = json.loads((Path(__file__).parent / "data" / "orders_at_0003.json").read_text("utf-8"))
LAST = datetime.fromisoformat(BEFORE["reconciliations"]["rows"][0][1]).replace(tzinfo=UTC)
RESERVATIONS = {"held": "reserved", "sold": "committed", "free": "released"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrated(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """That database, migrated as far as it goes. Its tests share it, so they write nothing that they commit."""
    url = databases.create(request.param)
    engine = migrate(store_before(url, tmp_path_factory.mktemp("migrated")))
    yield engine
    engine.dispose()
    databases.drop(url)


def store_before(database_url: str, folder: Path) -> Flask:
    """A store on a database at revision 0003 with all its rows."""
    settings = Settings.load(_env_file=None, database_url=database_url, **{k.lower(): v for k, v in SETTINGS.items()})
    app = create_app(settings, instance=folder)
    engine = engine_of(app)
    forget(engine)
    migrate(app, "0003")
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name in BEFORE:
                fill(connection, table)
    return app


def engine_of(app: Flask) -> Engine:
    services: Services = app.extensions["services"]
    return services.database.engine


def migrate(app: Flask, revision: str = "head") -> Engine:
    with app.app_context():
        upgrade(revision=revision)
    return engine_of(app)


def forget(engine: Engine) -> None:
    tables = MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)


def fill(connection: Connection, table: Table) -> None:
    columns = BEFORE[table.name]["columns"]
    rows = [
        {column: value(table, column, stored) for column, stored in zip(columns, row, strict=True)}
        for row in BEFORE[table.name]["rows"]
    ]
    connection.execute(table.insert(), rows)


def value(table: Table, column: str, stored: Any) -> Any:
    """A value as SQLite keeps it, for whichever database this is."""
    match table.c[column].type:
        case _ if stored is None:
            return None
        case Boolean():
            return bool(stored)
        case JSON():
            return json.loads(stored)
        case DateTime() as kind:
            at = datetime.fromisoformat(stored)
            return at.replace(tzinfo=UTC) if kind.timezone else at
    return stored


def before(table: str, *columns: str) -> list[tuple[Any, ...]]:
    places = [BEFORE[table]["columns"].index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in BEFORE[table]["rows"]]


def test_a_migration_adds_no_audit_findings(migrated: Engine) -> None:
    with Session(migrated) as session:
        found = [str(problem_of(finding)).split(" ", 2)[2] for finding in audit.run(session, LAST)]

    assert Counter(sentence.split(":")[0].split(".")[0] for sentence in found) == {
        "waits for a person": 4,
        "waits for a refund that was not made": 1,
    }


def test_a_migration_keeps_state_money_and_stock_of_every_order(migrated: Engine) -> None:
    with Session(migrated) as session:
        orders = session.scalars(select(Order).order_by(Order.id).options(selectinload(Order.payment))).all()
        money = [
            (order.id, order.payment.state, order.payment.provider_payment_id, order.payment.received_minor,
             order.payment.refunded_minor, order.payment.refund_due, order.payment.declines)
            for order in orders
        ]  # fmt: skip
    assert [(order.id, order.state, order.total_minor, order.reservation) for order in orders] == [
        (number, state, total, RESERVATIONS[goods])
        for number, state, total, goods in before("orders", "id", "state", "total_minor", "goods")
    ]
    assert money == sorted(
        before(
            "payments", "order_id", "state", "intent_id", "received_minor", "refunded_minor", "refund_due", "declines"
        )
    )


def test_an_order_is_billed_to_where_it_was_shipped(migrated: Engine) -> None:
    with Session(migrated) as session:
        orders = session.scalars(select(Order).order_by(Order.id)).all()
    assert all(order.shipping == order.billing for order in orders)
    assert [(order.shipping.full_name, order.shipping.line2, order.shipping.phone) for order in orders] == before(
        "orders", "full_name", "address_line2", "phone"
    )


def test_a_closed_order_says_why_it_was_closed(migrated: Engine) -> None:
    with Session(migrated) as session:
        reasons = Counter(
            (state, reason) for state, reason in session.execute(select(Order.state, Order.closed_because))
        )
    assert reasons[OrderState.CANCELLED, "by_shopper"] == 2
    assert reasons[OrderState.CANCELLED, "replaced"] == 1
    assert reasons[OrderState.CANCELLED, "card_testing"] == 1
    assert reasons[OrderState.PAID, None] == 14


def test_a_migrated_order_keeps_its_open_or_resolved_review(migrated: Engine) -> None:
    with Session(migrated) as session:
        reviews = session.execute(
            select(Review.reason, Review.subject, Review.note, Order.needs_review).join(Order).order_by(Review.id)
        ).all()
        waiting = session.scalars(select(Order.id).where(Order.needs_review).order_by(Order.id)).all()
    assert waiting == [number for number, flag in before("orders", "id", "needs_review") if flag]
    assert Counter((reason, note is not None) for reason, _subject, note, _open in reviews) == {
        ("refund_failed", False): 2,
        ("refund_failed", True): 1,
        ("wrong_amount_received", False): 1,
        ("another_payment", False): 1,
        ("another_payment", True): 1,
    }
    assert {subject for reason, subject, _note, _open in reviews if reason == "another_payment"} == {
        "pi_second",
        "pi_third",
    }


def test_refunds_and_disputes_belong_to_the_payment_of_their_order(migrated: Engine) -> None:
    with Session(migrated) as session:
        refunds = session.execute(
            select(Refund.provider_refund_id, Payment.order_id, Refund.state).join(Payment).order_by(Refund.id)
        ).all()
        disputes = session.execute(
            select(Dispute.provider_dispute_id, Payment.order_id, Dispute.state).join(Payment)
        ).all()
        kept = session.scalars(select(UnmatchedEvent.provider_payment_id)).all()
    assert refunds == before("refunds", "refund_id", "order_id", "state")
    assert sorted(disputes) == sorted(before("disputes", "dispute_id", "order_id", "state"))
    assert kept == ["pi_elsewhere"]


def test_a_migrated_history_is_complete_and_in_the_new_terms(migrated: Engine) -> None:
    types = {"order.needs_review": "review.opened", "order.settled": "review.resolved"}
    sources = {"upkeep": "worker", "merchant": "staff", "look-up": "lookup"}

    with migrated.connect() as connection:
        rows = connection.execute(text("SELECT id, type, source FROM history ORDER BY id")).all()

    assert rows == [
        (number, types.get(what, what), sources.get(told_by, told_by))
        for number, what, told_by in before("history", "id", "what", "told_by")
    ]


@pytest.mark.on_both_databases
def test_an_order_that_was_fulfilled_has_one_shipment_of_all_its_pieces(database_url: str, tmp_path: Path) -> None:
    app = store_before(database_url, tmp_path)
    paid = [number for number, state in before("orders", "id", "state") if state == "paid"]
    sent_at = LAST.replace(microsecond=0)
    sent = text("UPDATE orders SET state = 'fulfilled', fulfilled_at = :at, tracking = :tracking WHERE id = :id")
    with migrate(app, "0026").begin() as connection:
        for number, tracking in ((paid[0], "1Z 1"), (paid[1], None)):
            values = {"id": number, "at": sent_at, "tracking": tracking}
            connection.execute(sent.bindparams(bindparam("at", type_=UtcDateTime)), values)

    engine = migrate(app)

    with Session(engine) as session:
        of_three = Order.id.in_(paid[:3])
        orders = session.scalars(select(Order).where(of_three).order_by(Order.id)).all()
        told = [
            [(each.number, each.shipped_at, each.tracking, each.actor) for each in order.shipments] for order in orders
        ]
        assert told == [[(1, sent_at, "1Z 1", None)], [(1, sent_at, None, None)], []]
        assert [order.shipped_at for order in orders] == [sent_at, sent_at, None]
        for order in orders:
            pieces = {line.product_id: line.quantity for line in order.lines} if order.shipments else {}
            assert {line.product_id: line.shipped for line in order.lines if line.shipped} == pieces
            assert {each.product_id: each.quantity for shipment in order.shipments for each in shipment.lines} == pieces


def test_rows_added_after_a_migration_follow_the_old_ones(migrated: Engine) -> None:
    with Session(migrated) as session:
        payment = Payment(order_id=before("orders", "id")[0][0], amount_minor=1, live=False)
        session.add(payment)
        session.flush()
        assert payment.id > max(number for (number,) in before("orders", "id"))


def test_the_migrations_make_the_tables_that_the_models_describe(migrated: Engine) -> None:
    with migrated.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        found = inspect(connection)
        checks = {check["name"] for table in Base.metadata.tables for check in found.get_check_constraints(table)}

    assert differences == []
    assert checks == {
        f"{constraint.name}"
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
