"""whose declines count: digests of the network address and the e-mail address of an order, kept for two hours

Only adds columns and indexes: the program before this one runs on it, and leaves the columns empty.

Revision ID: 0007
Revises: 0006

"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("address_digest", "email_digest"):
        op.add_column("orders", sa.Column(column, sa.String(length=32), nullable=True))
        known = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_orders_{column}", "orders", [column], sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    for column in ("email_digest", "address_digest"):
        op.drop_index(f"ix_orders_{column}", table_name="orders")
        op.drop_column("orders", column)
