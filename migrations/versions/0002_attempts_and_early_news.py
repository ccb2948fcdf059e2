"""attempts at opening and refunding, and news that comes before its payment

Revision ID: 0002
Revises: 0001

"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "early_news",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_news")),
    )
    with op.batch_alter_table("early_news", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_early_news_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_early_news_told_at"), ["told_at"], unique=False)

    # A column with a constant default is added in place: no table is copied, on neither database.
    op.add_column("payments", sa.Column("open_attempt", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("refunds", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("refunds", "attempt")
    op.drop_column("payments", "open_attempt")
    with op.batch_alter_table("early_news", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_early_news_told_at"))
        batch_op.drop_index(batch_op.f("ix_early_news_payment_id"))

    op.drop_table("early_news")
