"""which payment or hosted page a webhook is about

Only adds: the program before this one runs on it, and leaves the column empty.

Revision ID: 0033
Revises: 0032

"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhook_events", sa.Column("about", sa.String(length=255), nullable=True))
    op.create_index("ix_webhook_events_about", "webhook_events", ["about"])


def downgrade() -> None:
    op.drop_index("ix_webhook_events_about", "webhook_events")
    op.drop_column("webhook_events", "about")
