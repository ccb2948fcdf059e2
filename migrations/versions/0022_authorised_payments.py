"""payments that are authorised first and captured later, and why a refund was asked for

Only adds columns that may be empty or have a default, and a word to a rule, so the program before this one runs on it.

Revision ID: 0022
Revises: 0021

"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATE, CAPTURED = "ck_payments_state", "ck_payments_capture_within_amount"
STATES = "'unopened', 'open', 'declined', 'action_required', 'processing', 'paid', 'cancelled', 'refunded'"
OPEN_CART, AUTHORISED_ORDERS = "uq_orders_open_cart", "ix_orders_authorised"
AUTHORISED_PAYMENTS = "ix_payments_authorised"
WAITING = "state = 'awaiting_payment'"
COLUMNS = ("capture_before", "capture_minor", "capture_requested_at", "capture_attempt")


def upgrade() -> None:
    with op.batch_alter_table("payments") as batch:
        batch.add_column(sa.Column("capture_before", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("capture_minor", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("capture_requested_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("capture_attempt", sa.Integer(), nullable=False, server_default="1"))
        batch.drop_constraint(op.f(STATE), type_="check")
        batch.create_check_constraint(op.f(STATE), f"state IN ({STATES}, 'authorised')")
        batch.create_check_constraint(op.f(CAPTURED), "capture_minor > 0 AND capture_minor <= amount_minor")
    _index(AUTHORISED_PAYMENTS, "payments", "order_id", "state = 'authorised'")
    op.add_column("orders", sa.Column("authorised_at", sa.DateTime(timezone=True), nullable=True))
    _index(AUTHORISED_ORDERS, "orders", "id", f"{WAITING} AND authorised_at IS NOT NULL")
    op.drop_index(OPEN_CART, "orders")
    _index(OPEN_CART, "orders", "cart_id", f"{WAITING} AND authorised_at IS NULL", unique=True)
    op.add_column("refunds", sa.Column("reason", sa.String(length=20), nullable=True))


def downgrade() -> None:
    op.drop_column("refunds", "reason")
    op.drop_index(OPEN_CART, "orders")
    _index(OPEN_CART, "orders", "cart_id", WAITING, unique=True)
    op.drop_index(AUTHORISED_ORDERS, "orders")
    op.drop_column("orders", "authorised_at")
    op.drop_index(AUTHORISED_PAYMENTS, "payments")
    with op.batch_alter_table("payments") as batch:
        batch.drop_constraint(op.f(CAPTURED), type_="check")
        batch.drop_constraint(op.f(STATE), type_="check")
        batch.create_check_constraint(op.f(STATE), f"state IN ({STATES})")
        for name in COLUMNS:
            batch.drop_column(name)


def _index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
