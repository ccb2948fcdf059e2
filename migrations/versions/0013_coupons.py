"""coupons, and which one an order has a use of

Only adds: the program before this one runs on it.

Revision ID: 0013
Revises: 0012

"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

HAS_COUPON = "coupon_id IS NOT NULL"
ONCE = "coupon_customer IS NOT NULL AND reservation <> 'released'"


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "percent", "amount", "free_shipping", name="kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("thousandths", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("once_per_customer", sa.Boolean(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("thousandths BETWEEN 0 AND 100000", name=op.f("ck_coupons_thousandths_range")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_coupons_amount_positive")),
        sa.CheckConstraint(
            "used >= 0 AND (max_uses IS NULL OR used <= max_uses)", name=op.f("ck_coupons_used_within_uses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name=op.f("uq_coupons_code")),
    )
    op.add_column("orders", sa.Column("coupon_id", sa.Integer(), nullable=True))
    op.add_column("orders", sa.Column("coupon_customer", sa.String(length=254), nullable=True))
    op.create_index(
        "ix_orders_coupon",
        "orders",
        ["coupon_id"],
        sqlite_where=sa.text(HAS_COUPON),
        postgresql_where=sa.text(HAS_COUPON),
    )
    op.create_index(
        "uq_orders_coupon_customer",
        "orders",
        ["coupon_id", "coupon_customer"],
        unique=True,
        sqlite_where=sa.text(ONCE),
        postgresql_where=sa.text(ONCE),
    )


def downgrade() -> None:
    op.drop_index("uq_orders_coupon_customer", "orders")
    op.drop_index("ix_orders_coupon", "orders")
    op.drop_column("orders", "coupon_customer")
    op.drop_column("orders", "coupon_id")
    op.drop_table("coupons")
