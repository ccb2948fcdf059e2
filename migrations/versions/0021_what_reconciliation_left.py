"""what the last reconciliation left for a person

Only adds: the program before this one runs on it.

Revision ID: 0021
Revises: 0020

"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reconciliations", sa.Column("unresolved", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("reconciliations", "unresolved")
