"""mails that end unsent: refused for good by the mail server, or not true any more when they were to be sent

Only adds columns: the program before this one runs on it, and tries such a mail again.

Revision ID: 0006
Revises: 0005

"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mails", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mails", sa.Column("dropped_because", sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column("mails", "dropped_because")
    op.drop_column("mails", "failed_at")
