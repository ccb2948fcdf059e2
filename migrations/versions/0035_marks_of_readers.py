"""one kind of mark for all that go through the history: documents and notifications

Renames columns: the program before this one goes on to take money, and issues and tells nothing on it.

Revision ID: 0035
Revises: 0034

"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notification_marks") as marks:
        marks.alter_column("told_id", new_column_name="read_id", type_=sa.BigInteger(), existing_type=sa.Integer())
        marks.alter_column("noted_id", type_=sa.BigInteger(), existing_type=sa.Integer())
    with op.batch_alter_table("document_marks") as marks:
        marks.alter_column("history_id", new_column_name="read_id")
        marks.alter_column("next_id", new_column_name="noted_id")
        marks.drop_column("next_at")
        marks.add_column(sa.Column("noted_in", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("document_marks") as marks:
        marks.alter_column("noted_in", server_default=None)
    # What was there before the mark is looked at once more from there, whatever was noted.
    op.execute("UPDATE document_marks SET noted_id = read_id")


def downgrade() -> None:
    with op.batch_alter_table("document_marks") as marks:
        marks.drop_column("noted_in")
        marks.add_column(
            sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.current_timestamp())
        )
        marks.alter_column("noted_id", new_column_name="next_id")
        marks.alter_column("read_id", new_column_name="history_id")
    with op.batch_alter_table("document_marks") as marks:
        marks.alter_column("next_at", server_default=None)
    op.execute("UPDATE document_marks SET next_id = history_id")
    with op.batch_alter_table("notification_marks") as marks:
        marks.alter_column("read_id", new_column_name="told_id", type_=sa.Integer(), existing_type=sa.BigInteger())
        marks.alter_column("noted_id", type_=sa.Integer(), existing_type=sa.BigInteger())
