"""pictures of products that were uploaded

Only adds: the program before this one runs on it, and shows the drawings.

Revision ID: 0023
Revises: 0022

"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("pictures", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.create_table(
        "picture_files",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_picture_files_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", "product_id", name=op.f("pk_picture_files")),
    )
    op.create_index("ix_picture_files_product_id", "picture_files", ["product_id"])


def downgrade() -> None:
    op.drop_table("picture_files")
    op.drop_column("products", "pictures")
