"""until when a dispute is answered, when the worker was seen, and webhooks in the order of their arrival

Only adds: the program before this one runs on it.

Revision ID: 0019
Revises: 0018

"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("disputes", sa.Column("due_by", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_index("ix_webhook_events_received_at", "webhook_events", ["received_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_webhook_events_received_at", "webhook_events")
    op.drop_table("heartbeats")
    op.drop_column("disputes", "due_by")
