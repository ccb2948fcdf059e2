"""orders that grow: fill the new columns, remove the old ones, and name everything by the field's terms

Contracts what 0004 expanded; the program before that one does not run on this any more. What it wrote meanwhile is
taken along. Every order's one payment becomes its live payment, under the order's id.

Revision ID: 0005
Revises: 0004

"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADDRESS = {
    "full_name": "full_name",
    "address_line1": "line1",
    "address_line2": "line2",
    "city": "city",
    "region": "region",
    "postal_code": "postal_code",
    "country": "country",
    "phone": "phone",
}
RESERVATIONS = {"held": "reserved", "sold": "committed", "free": "released"}
SOURCES = {"upkeep": "worker", "merchant": "staff", "look-up": "lookup"}
SETTLED, SET_ASIDE = "order.settled", "order.needs_review"
HISTORY_TYPES = {SETTLED: "review.resolved", SET_ASIDE: "review.opened"}
DISPUTE_STATES = ("new", "inquiry", "closed", "needs_response", "under_review", "won", "lost")
PAYMENT_STATES = (
    *("unopened", "open", "declined", "action_required", "processing"),
    *("paid", "cancelled", "refunded"),
)
REFUND_STATES = ("requested", "pending", "succeeded", "failed", "cancelled")


def upgrade() -> None:
    _write_down_why_orders_were_closed()
    _turn_history_into_reviews()
    _rewrite_products()
    _rewrite_orders()
    _rewrite_payments()
    _rewrite_refunds()
    _rewrite_disputes()
    _rewrite_unmatched_events()
    _rewrite_mails()
    _rewrite_history()
    op.execute("ALTER TABLE webhook_events RENAME COLUMN kind TO type")


def downgrade() -> None:
    raise RuntimeError(
        "0005 cannot be undone: an order has several payments after it, and had one before. Restore a backup."
    )


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _states(*values: str, name: str = "state") -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def _write_down_why_orders_were_closed() -> None:
    history = sa.table(
        "history", sa.column("id"), sa.column("order_id"), sa.column("what"), sa.column("detail", sa.JSON())
    )
    orders = sa.table("orders", sa.column("id"), sa.column("state"), sa.column("closed_because"))
    reason = (
        sa.select(history.c.detail["reason"].as_string())
        .where(history.c.order_id == orders.c.id, history.c.what.in_(("order.cancelled", "order.expired")))
        .order_by(history.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    op.execute(orders.update().where(orders.c.state.in_(("cancelled", "expired"))).values(closed_because=reason))


def _turn_history_into_reviews() -> None:
    """Every time that an order was set aside is a review; the next time that a person settled the order resolved it."""
    connection = op.get_bind()
    reviews = sa.table(
        "reviews",
        *(sa.column(name) for name in ("order_id", "reason", "subject", "opened_at", "resolved_at")),
        *(sa.column(name) for name in ("resolved_by", "note")),
        sa.column("data", sa.JSON()),
    )
    for order_id, entries in _looked_into(connection):
        opened: dict[tuple[str, str], dict[str, Any]] = {}
        for entry in entries:
            if entry["what"] == SET_ASIDE:
                facts = dict(entry["detail"])
                reason = facts.pop("reason")
                subject = str(next((facts.pop(kind) for kind in ("payment", "refund", "dispute") if kind in facts), ""))
                row = {"order_id": order_id, "reason": reason, "subject": subject, "data": facts}
                row |= {"opened_at": entry["at"], "resolved_at": None, "resolved_by": None, "note": None}
                opened.setdefault((reason, subject), row)
                continue
            for row in opened.values():
                row |= {"resolved_at": entry["at"], "resolved_by": "staff", "note": entry["detail"].get("note")}
                connection.execute(reviews.insert().values(row))
            opened = {}
        for row in opened.values():
            connection.execute(reviews.insert().values(row))


def _looked_into(connection: sa.Connection) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The orders that were ever set aside, with the entries of their history that say so."""
    rows = connection.execute(
        sa.text(
            "SELECT order_id, at, what, detail FROM history WHERE what IN (:aside, :settled) ORDER BY order_id, id"
        ).bindparams(aside=SET_ASIDE, settled=SETTLED)
    ).all()
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        detail = json.loads(row.detail) if isinstance(row.detail, str) else row.detail
        found.setdefault(row.order_id, []).append({"at": row.at, "what": row.what, "detail": detail})
    yield from found.items()


def _rewrite_products() -> None:
    with op.batch_alter_table("products") as batch:
        batch.drop_constraint(op.f("ck_products_held_within_stock"), type_="check")
        batch.alter_column("held", new_column_name="reserved")
    with op.batch_alter_table("products") as batch:
        batch.create_check_constraint(op.f("ck_products_reserved_within_stock"), "reserved >= 0 AND reserved <= stock")


def _rewrite_orders() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.drop_constraint(op.f("ck_orders_goods"), type_="check")
    for old, new in RESERVATIONS.items():
        op.execute(sa.text("UPDATE orders SET goods = :new WHERE goods = :old").bindparams(new=new, old=old))
    for old, new in ADDRESS.items():
        op.execute(f"UPDATE orders SET billing_{new} = {old}")  # noqa: S608  # names of columns
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("goods", new_column_name="reservation")
        batch.drop_column("needs_review")
        for old, new in ADDRESS.items():
            batch.alter_column(old, new_column_name=f"shipping_{new}")
            batch.alter_column(f"billing_{new}", server_default=None)
    with op.batch_alter_table("orders") as batch:
        allowed = ", ".join(f"'{value}'" for value in RESERVATIONS.values())
        batch.create_check_constraint(op.f("ck_orders_reservation"), f"reservation IN ({allowed})")


def _rewritten(table: str, new: str, columns: list[sa.schema.SchemaItem], copied: dict[str, str]) -> None:
    """Make `table` anew as `new`, with `columns`, its rows copied: a new column from an expression of the old ones."""
    op.execute(f"CREATE TABLE copied_rows AS SELECT * FROM {table}")  # noqa: S608  # names of tables
    op.drop_table(table)
    op.create_table(new, *columns)
    names, expressions = ", ".join(copied), ", ".join(copied.values())
    op.execute(f"INSERT INTO {new} ({names}) SELECT {expressions} FROM copied_rows")  # noqa: S608  # names of columns
    op.drop_table("copied_rows")
    if _postgresql() and "id" in copied:
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{new}', 'id'), coalesce(max(id), 0) + 1, false) FROM {new}"  # noqa: S608
        )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _mapped(column: str, words: dict[str, str]) -> str:
    """A column of words in SQL, some of them replaced."""
    whens = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in words.items())
    return f"CASE {column} {whens} ELSE {column} END"


def _rewrite_payments() -> None:
    copied = _same(
        *("state", "amount_minor", "received_minor", "refunded_minor", "refund_due", "declines", "last_decline"),
        *("card_brand", "card_last4", "awaited_since", "looked_up_at", "order_id"),
    )
    true = "true" if _postgresql() else "1"
    copied |= {"id": "order_id", "kind": "'card'", "live": true, "account": "''"}
    copied |= {"provider_payment_id": "intent_id", "create_attempt": "open_attempt"}
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", _states("card", name="kind"), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("state", _states(*PAYMENT_STATES), nullable=False),
        sa.Column("provider_payment_id", sa.String(length=255), nullable=True),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_due", sa.Boolean(), nullable=False),
        sa.Column("declines", sa.Integer(), nullable=False),
        sa.Column("last_decline", sa.String(length=80), nullable=True),
        sa.Column("card_brand", sa.String(length=40), nullable=True),
        sa.Column("card_last4", sa.String(length=4), nullable=True),
        sa.Column("create_attempt", sa.Integer(), nullable=False),
        sa.Column("awaited_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('paid', 'refunded') OR received_minor > 0", name=op.f("ck_payments_paid_means_received")
        ),
        sa.CheckConstraint("received_minor >= 0", name=op.f("ck_payments_received_not_negative")),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= received_minor",
            name=op.f("ck_payments_refunded_within_received"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("provider_payment_id", name=op.f("uq_payments_provider_payment_id")),
    ]
    _rewritten("payments", "payments", columns, copied)
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"])
    _partial_index("uq_payments_live", "payments", "order_id", "live", unique=True)
    _partial_index("ix_payments_refund_due", "payments", "order_id", "refund_due")
    _partial_index("ix_payments_not_live", "payments", "order_id", "NOT live")


def _partial_index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _rewrite_refunds() -> None:
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("state", _states(*REFUND_STATES), nullable=False),
        sa.Column("provider_refund_id", sa.String(length=255), nullable=True),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount_positive")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("key", name=op.f("uq_refunds_key")),
        sa.UniqueConstraint("provider_refund_id", name=op.f("uq_refunds_provider_refund_id")),
    ]
    copied = _same("id", "state", "key", "attempt", "amount_minor")
    copied |= {"payment_id": "order_id", "provider_refund_id": "refund_id", "requested_at": "asked_at"}
    _rewritten("refunds", "refunds", columns, copied)
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"])
    _partial_index("ix_refunds_requested", "refunds", "requested_at", "state = 'requested'")


def _rewrite_disputes() -> None:
    columns = [
        sa.Column("provider_dispute_id", sa.String(length=255), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("state", _states(*DISPUTE_STATES), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_disputes_payment_id")),
        sa.PrimaryKeyConstraint("provider_dispute_id", name=op.f("pk_disputes")),
    ]
    copied = _same("state", "amount_minor", "opened_at")
    copied |= {"provider_dispute_id": "dispute_id", "payment_id": "order_id"}
    _rewritten("disputes", "disputes", columns, copied)
    op.create_index(op.f("ix_disputes_payment_id"), "disputes", ["payment_id"])


def _rewrite_unmatched_events() -> None:
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_payment_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmatched_events")),
    ]
    copied = _same("id", "kind") | {"provider_payment_id": "payment_id", "data": "facts", "received_at": "told_at"}
    _rewritten("early_news", "unmatched_events", columns, copied)
    op.create_index(op.f("ix_unmatched_events_provider_payment_id"), "unmatched_events", ["provider_payment_id"])
    op.create_index(op.f("ix_unmatched_events_received_at"), "unmatched_events", ["received_at"])


def _rewrite_mails() -> None:
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedupe_key", sa.String(length=300), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_mails_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mails_message_id")),
        sa.UniqueConstraint("order_id", "dedupe_key", name=op.f("uq_mails_order_id_dedupe_key")),
    ]
    copied = _same("id", "order_id", "kind", "message_id", "written_at", "due_at", "sent_at", "attempts")
    copied |= {"dedupe_key": "once", "data": "detail"}
    _rewritten("mails", "mails", columns, copied)
    _partial_index("ix_mails_unsent", "mails", "due_at", "sent_at IS NULL")


def _rewrite_history() -> None:
    """What was noted of test cards is left behind: it is in other words now, and only developers read it."""
    op.execute("DELETE FROM history WHERE what IN ('bench.placed', 'bench.noted')")
    columns = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("from_state", sa.String(length=20), nullable=True),
        sa.Column("to_state", sa.String(length=20), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_history_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        sa.UniqueConstraint("order_id", "dedupe_key", name=op.f("uq_history_order_id_dedupe_key")),
    ]
    copied = _same("id", "order_id", "at", "from_state", "to_state", "actor") | {"data": "detail"}
    copied |= {"type": _mapped("what", HISTORY_TYPES), "source": _mapped("told_by", SOURCES), "dedupe_key": "once"}
    _rewritten("history", "history", columns, copied)
