"""invoices and credit notes, and what a tax was computed on

Only adds: the program before this one runs on it. A shop that has orders already issues documents for what happens from
now on, and for an older order when somebody asks for its invoice.

Revision ID: 0025
Revises: 0024

"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

INVOICE, REFUND = "kind = 'invoice'", "refund_id IS NOT NULL AND cancels_id IS NULL"
REFUSED = "what was issued is not changed"


def upgrade() -> None:
    op.add_column("order_adjustments", sa.Column("base_minor", sa.BigInteger(), nullable=True))
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("cancels_id", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_documents_number_positive")),
        sa.CheckConstraint("(kind = 'invoice') = (refund_id IS NULL)", name=op.f("ck_documents_refund_of_credit_note")),
        sa.CheckConstraint(
            "(cancels_id IS NOT NULL) = (total_minor < 0)", name=op.f("ck_documents_cancellation_negative")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_documents_order_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_documents_refund_id")),
        sa.ForeignKeyConstraint(["cancels_id"], ["documents.id"], name=op.f("fk_documents_cancels_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("kind", "number", name=op.f("uq_documents_kind_number")),
        sa.UniqueConstraint("cancels_id", name=op.f("uq_documents_cancels_id")),
    )
    op.create_index("ix_documents_order", "documents", ["order_id", "id"])
    for name, column, where in (
        ("uq_documents_invoice", "order_id", INVOICE),
        ("uq_documents_refund", "refund_id", REFUND),
    ):
        op.create_index(
            name, "documents", [column], unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "document_series",
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_document_series")),
    )
    op.create_table(
        "document_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("history_id", sa.BigInteger(), nullable=False),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_document_marks_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_marks")),
    )
    op.execute(
        "INSERT INTO document_marks (id, since, history_id, next_id, next_at) "
        "SELECT 1, CURRENT_TIMESTAMP, max(id), max(id), CURRENT_TIMESTAMP FROM history HAVING max(id) IS NOT NULL"
    )
    _refuse_changes()


def downgrade() -> None:
    for table in ("document_marks", "document_series", "documents"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_document")
    op.drop_column("order_adjustments", "base_minor")


def _kind() -> sa.Enum:
    return sa.Enum("invoice", "credit_note", name="kind", native_enum=False, create_constraint=True, length=20)


def _refuse_changes() -> None:
    """Whoever writes, a document stays as it was issued. Where a later migration of SQLite copies the table, it has to
    make these again.
    """
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER documents_stay_on_{event.lower()} BEFORE {event} ON documents "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change_of_document() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER documents_stay BEFORE UPDATE OR DELETE ON documents "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document()"
    )
