"""since when a card was declined on an order, so that counting declines reads no other orders

Adds a column; the program before this one runs on it, leaves it empty, and counts its declines without the old indexes.

Revision ID: 0034
Revises: 0033

"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

COLUMNS = {"address": "address_digest", "email": "email_digest"}


def upgrade() -> None:
    op.add_column("orders", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    # The digests are forgotten after two hours: none but these few orders count.
    op.execute(
        "UPDATE orders SET declined_at = placed_at WHERE (address_digest IS NOT NULL OR email_digest IS NOT NULL) "
        "AND id IN (SELECT order_id FROM payments WHERE declines > 0)"
    )
    _index("ix_orders_digests", "placed_at", "address_digest IS NOT NULL OR email_digest IS NOT NULL")
    for name, column in COLUMNS.items():
        _index(f"ix_orders_declined_{name}", column, "declined_at IS NOT NULL")
        op.drop_index(f"ix_orders_{column}", table_name="orders")


def downgrade() -> None:
    for name, column in COLUMNS.items():
        _index(f"ix_orders_{column}", column, f"{column} IS NOT NULL")
        op.drop_index(f"ix_orders_declined_{name}", table_name="orders")
    op.drop_index("ix_orders_digests", table_name="orders")
    op.drop_column("orders", "declined_at")


def _index(name: str, column: str, where: str) -> None:
    op.create_index(name, "orders", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
