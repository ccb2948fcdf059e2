"""hosted pages: payments that are made on a page of the payment service's

Only adds columns that may be empty and a word to a rule, so the program before this one runs on it.

Revision ID: 0016
Revises: 0015

"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KIND, PAGE = "ck_payments_kind", "uq_payments_provider_page_id"


def upgrade() -> None:
    with op.batch_alter_table("payments") as batch:
        batch.add_column(sa.Column("provider_page_id", sa.String(length=255), nullable=True))
        batch.add_column(sa.Column("page_expires_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("cancel_reason", sa.String(length=20), nullable=True))
        batch.add_column(sa.Column("replaces_id", sa.Integer(), nullable=True))
        batch.create_unique_constraint(op.f(PAGE), ["provider_page_id"])
        batch.drop_constraint(op.f(KIND), type_="check")
        batch.create_check_constraint(op.f(KIND), "kind IN ('card', 'hosted')")


def downgrade() -> None:
    with op.batch_alter_table("payments") as batch:
        batch.drop_constraint(op.f(KIND), type_="check")
        batch.create_check_constraint(op.f(KIND), "kind IN ('card')")
        batch.drop_constraint(op.f(PAGE), type_="unique")
        for name in ("provider_page_id", "page_expires_at", "cancel_reason", "replaces_id"):
            batch.drop_column(name)
