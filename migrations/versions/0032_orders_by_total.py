"""orders by their total

Only adds: the program before this one runs on it.

Revision ID: 0032
Revises: 0031

"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_total", "orders", ["state", "total_minor", "id"])


def downgrade() -> None:
    op.drop_index("ix_orders_total", "orders")
