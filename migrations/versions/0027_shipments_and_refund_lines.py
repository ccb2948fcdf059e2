"""what of an order was sent, and what of it was refunded: shipments, and pieces of lines

Every order that was fulfilled gets one shipment of all its pieces. Only adds, so the program before this one runs on
it; what that ships meanwhile has no shipment, which the audit reports.

Revision ID: 0027
Revises: 0026

"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COUNTERS = ("shipped", "refunded_unsent", "refunded_sent", "restocked")
CHECKS = {
    "sent_or_refunded": "shipped >= 0 AND refunded_unsent >= 0 AND shipped + refunded_unsent <= quantity",
    "refunded_sent_within_shipped": "refunded_sent BETWEEN 0 AND shipped",
    "restocked_within_refunded": "restocked BETWEEN 0 AND refunded_unsent + refunded_sent",
}


def upgrade() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=True),
        sa.Column("tracking", sa.String(length=120), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_shipments_number_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_shipments_order_id_number")),
    )
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_lines_quantity_positive")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")),
        sa.ForeignKeyConstraint(
            ["order_id", "product_id"],
            ["order_lines.order_id", "order_lines.product_id"],
            name=op.f("fk_shipment_lines_order_id"),
        ),
        sa.PrimaryKeyConstraint("shipment_id", "product_id", name=op.f("pk_shipment_lines")),
    )
    op.create_index("ix_shipment_lines_order_id", "shipment_lines", ["order_id"])
    op.create_table(
        "refund_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("restock", sa.Boolean(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("contained_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_lines_quantity_positive")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_refund_lines_amount_not_negative")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_refund_lines_refund_id")),
        sa.ForeignKeyConstraint(
            ["order_id", "product_id"],
            ["order_lines.order_id", "order_lines.product_id"],
            name=op.f("fk_refund_lines_order_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_lines")),
        sa.UniqueConstraint("refund_id", "product_id", "sent", name=op.f("uq_refund_lines_refund_id_product_id_sent")),
    )
    op.create_index("ix_refund_lines_order_id", "refund_lines", ["order_id"])
    op.add_column("orders", sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order_adjustments", sa.Column("shares", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("refunds", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE refunds SET accepted_at = requested_at WHERE state IN ('pending', 'succeeded')")
    for column in COUNTERS:
        op.add_column("order_lines", sa.Column(column, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute(
        "INSERT INTO shipments (order_id, number, shipped_at, tracking, actor) "
        "SELECT id, 1, coalesce(fulfilled_at, paid_at, placed_at), tracking, "
        "(SELECT max(actor) FROM history WHERE history.order_id = orders.id AND history.type = 'order.fulfilled') "
        "FROM orders WHERE state = 'fulfilled' OR fulfilled_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO shipment_lines (shipment_id, product_id, order_id, quantity) "
        "SELECT shipments.id, product_id, order_id, quantity FROM shipments JOIN order_lines USING (order_id)"
    )
    op.execute(
        "UPDATE orders SET shipped_at = coalesce(fulfilled_at, paid_at, placed_at) "
        "WHERE state = 'fulfilled' OR fulfilled_at IS NOT NULL"
    )
    op.execute("UPDATE order_lines SET shipped = quantity WHERE order_id IN (SELECT order_id FROM shipments)")
    with op.batch_alter_table("order_lines") as batch:
        for name, condition in CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_order_lines_{name}"), condition)


def downgrade() -> None:
    with op.batch_alter_table("order_lines") as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(f"ck_order_lines_{name}"), type_="check")
    with op.batch_alter_table("order_lines") as batch:
        for column in COUNTERS:
            batch.drop_column(column)
    op.drop_column("refunds", "accepted_at")
    op.drop_column("order_adjustments", "shares")
    op.drop_column("orders", "shipped_at")
    op.drop_table("refund_lines")
    op.drop_table("shipment_lines")
    op.drop_table("shipments")
