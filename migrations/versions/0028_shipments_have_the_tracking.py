"""the tracking is the shipment's

Removes what shipments have by now: the program before this one ships nothing on it.

Revision ID: 0028
Revises: 0027

"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "tracking")


def downgrade() -> None:
    op.add_column("orders", sa.Column("tracking", sa.String(length=120), nullable=True))
    op.execute(
        "UPDATE orders SET tracking = (SELECT max(tracking) FROM shipments WHERE shipments.order_id = orders.id)"
    )
