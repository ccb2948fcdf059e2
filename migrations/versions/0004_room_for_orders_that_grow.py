"""room for orders that grow: adjustments, reviews, several payments, billing addresses

Expands only: what stood before is untouched, so that the program before this one runs on. 0005 fills the new columns
and removes the old ones.

Revision ID: 0004
Revises: 0003

"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ADDRESS = {"full_name": 120, "line1": 200, "line2": 200, "city": 120, "region": 120, "postal_code": 20}
ADDRESS |= {"country": 2, "phone": 40}


def upgrade() -> None:
    op.create_table(
        "order_adjustments",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("shipping", "discount", "tax", name="kind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_adjustments_order_id")),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_order_adjustments")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=80), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_reviews_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_order_id"), "reviews", ["order_id"])
    op.create_index(
        "uq_reviews_open",
        "reviews",
        ["order_id", "reason", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    # Columns that may be empty, or have a constant default, are added in place: no table is copied.
    op.add_column("orders", sa.Column("closed_because", sa.String(length=20), nullable=True))
    op.add_column("orders", sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("orders", sa.Column("tracking", sa.String(length=120), nullable=True))
    for field, length in ADDRESS.items():
        column = sa.Column(f"billing_{field}", sa.String(length=length), nullable=False, server_default="")
        op.add_column("orders", column)
    op.add_column("payments", sa.Column("id", sa.Integer(), nullable=True))
    op.add_column("refunds", sa.Column("payment_id", sa.Integer(), nullable=True))
    op.add_column("disputes", sa.Column("payment_id", sa.Integer(), nullable=True))
    op.add_column("history", sa.Column("actor", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("history", "actor")
    op.drop_column("disputes", "payment_id")
    op.drop_column("refunds", "payment_id")
    op.drop_column("payments", "id")
    for field in ADDRESS:
        op.drop_column("orders", f"billing_{field}")
    op.drop_column("orders", "tracking")
    op.drop_column("orders", "fulfilled_at")
    op.drop_column("orders", "closed_because")
    op.drop_table("reviews")
    op.drop_table("order_adjustments")
