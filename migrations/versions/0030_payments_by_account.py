"""payments by the account that they are recorded with

Only adds: the program before this one runs on it.

Revision ID: 0030
Revises: 0029

"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    named = sa.text("account <> ''")
    op.create_index("ix_payments_account", "payments", ["account"], sqlite_where=named, postgresql_where=named)


def downgrade() -> None:
    op.drop_index("ix_payments_account", "payments")
