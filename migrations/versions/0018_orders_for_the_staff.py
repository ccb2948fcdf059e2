"""what the staff finds orders by

Only adds: the program before this one runs on it. The keys of the orders that are there are written by the worker.

Revision ID: 0018
Revises: 0017

"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

HAS_CARD = "card_last4 IS NOT NULL"


def upgrade() -> None:
    key = sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql")
    op.create_table(
        "order_keys",
        sa.Column("key", key, nullable=False),
        sa.Column("minus_order_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "minus_order_id", name=op.f("pk_order_keys")),
    )
    op.create_table(
        "order_key_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_order_key_marks_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_key_marks")),
    )
    op.create_index("ix_orders_state", "orders", ["state", "id"])
    op.create_index(
        "ix_payments_card",
        "payments",
        ["card_last4", "order_id"],
        sqlite_where=sa.text(HAS_CARD),
        postgresql_where=sa.text(HAS_CARD),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_card", "payments")
    op.drop_index("ix_orders_state", "orders")
    op.drop_table("order_key_marks")
    op.drop_table("order_keys")
