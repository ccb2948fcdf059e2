"""files that go with the answer to a dispute

Only adds: the program before this one runs on it, and answers without files.

Revision ID: 0026
Revises: 0025

"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KINDS = ("receipt", "communication", "shipping", "service", "other")


def upgrade() -> None:
    op.create_table(
        "dispute_files",
        sa.Column("provider_dispute_id", sa.String(length=255), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, native_enum=False, create_constraint=True, length=20, name="kind"),
            nullable=False,
        ),
        sa.Column("provider_file_id", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_dispute_files_size_positive")),
        sa.ForeignKeyConstraint(
            ["provider_dispute_id"],
            ["disputes.provider_dispute_id"],
            name=op.f("fk_dispute_files_provider_dispute_id"),
        ),
        sa.PrimaryKeyConstraint("provider_dispute_id", "kind", name=op.f("pk_dispute_files")),
    )


def downgrade() -> None:
    op.drop_table("dispute_files")
