"""the entries of the balance at the payment service

Only adds: the program before this one runs on it.

Revision ID: 0031
Revises: 0030

"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

KINDS = ("sale", "refund", "dispute", "payout", "other")
OF_A_PAYMENT = "provider_payment_id IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "balance_entries",
        sa.Column("provider_entry_id", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind", sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=20), nullable=False
        ),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=True),
        sa.Column("provider_payment_id", sa.String(length=255), nullable=True),
        sa.CheckConstraint("net_minor = amount_minor - fee_minor", name=op.f("ck_balance_entries_net_adds_up")),
        sa.PrimaryKeyConstraint("provider_entry_id", name=op.f("pk_balance_entries")),
    )
    op.create_index(
        "ix_balance_entries_day",
        "balance_entries",
        ["account", "currency", "day", "kind", "amount_minor", "fee_minor", "net_minor"],
    )
    op.create_index("ix_balance_entries_at", "balance_entries", ["account", "at", "provider_entry_id"])
    op.create_index(
        "ix_balance_entries_payment",
        "balance_entries",
        ["provider_payment_id"],
        sqlite_where=sa.text(OF_A_PAYMENT),
        postgresql_where=sa.text(OF_A_PAYMENT),
    )
    op.create_table(
        "balance_marks",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("collected_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_entry", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_balance_marks")),
    )


def downgrade() -> None:
    op.drop_table("balance_marks")
    op.drop_table("balance_entries")
