"""orders that cost nothing: a total may be zero

Loosens a rule, so the program before this one runs on it.

Revision ID: 0014
Revises: 0013

"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OLD, NEW = "ck_orders_total_positive", "ck_orders_total_not_negative"


def upgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.drop_constraint(op.f(OLD), type_="check")
        batch.create_check_constraint(op.f(NEW), "total_minor >= 0")


def downgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.drop_constraint(op.f(NEW), type_="check")
        batch.create_check_constraint(op.f(OLD), "total_minor > 0")
