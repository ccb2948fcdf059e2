"""taxes that Stripe computes: which calculation an order has, and what was recorded of it

Only adds: the program before this one runs on it.

Revision ID: 0017
Revises: 0016

"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DUE = "tax_calculation IS NOT NULL AND paid_at IS NOT NULL AND tax_recorded_at IS NULL"


def upgrade() -> None:
    op.add_column("orders", sa.Column("tax_calculation", sa.String(length=255), nullable=True))
    op.add_column("orders", sa.Column("tax_recorded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_orders_tax_due", "orders", ["id"], sqlite_where=sa.text(DUE), postgresql_where=sa.text(DUE))
    op.create_table(
        "tax_transactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("provider_transaction_id", sa.String(length=255), nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_tax_transactions_order_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["tax_transactions.id"], name=op.f("fk_tax_transactions_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_transactions")),
        sa.UniqueConstraint("key", name=op.f("uq_tax_transactions_key")),
        sa.UniqueConstraint("provider_transaction_id", name=op.f("uq_tax_transactions_provider_transaction_id")),
    )
    op.create_index(op.f("ix_tax_transactions_order_id"), "tax_transactions", ["order_id"])


def downgrade() -> None:
    op.drop_table("tax_transactions")
    op.drop_index("ix_orders_tax_due", "orders")
    op.drop_column("orders", "tax_recorded_at")
    op.drop_column("orders", "tax_calculation")
