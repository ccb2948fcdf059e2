"""products name no category any more: they belong to one

Contracts: the program before 0010 does not run on it.

Revision ID: 0011
Revises: 0010

"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "SELECT name FROM categories WHERE categories.id = products.category_id"


def upgrade() -> None:
    op.drop_column("products", "category")


def downgrade() -> None:
    op.add_column("products", sa.Column("category", sa.String(length=60), nullable=False, server_default=""))
    op.execute(f"UPDATE products SET category = coalesce(({NAME}), '')")  # noqa: S608  # the text above
