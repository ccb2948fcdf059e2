"""shipping methods: zones, what each method costs there, and which products are sent at all

Only adds: the program before this one runs on it. Orders that were placed before keep the price that they have.

Revision ID: 0009
Revises: 0008

"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("weight_grams", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("products", sa.Column("shippable", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "shipping_zones",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_zones")),
        sa.UniqueConstraint("name", name=op.f("uq_shipping_zones_name")),
    )
    op.create_table(
        "shipping_zone_places",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["shipping_zones.id"], name=op.f("fk_shipping_zone_places_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("country", "region", name=op.f("pk_shipping_zone_places")),
    )
    op.create_index(op.f("ix_shipping_zone_places_zone_id"), "shipping_zone_places", ["zone_id"])
    op.create_table(
        "shipping_zone_methods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("estimate", sa.String(length=50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum("value", "weight", name="basis", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("free_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("free_from_minor > 0", name=op.f("ck_shipping_zone_methods_free_from_positive")),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["shipping_zones.id"], name=op.f("fk_shipping_zone_methods_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_zone_methods")),
        sa.UniqueConstraint("zone_id", "code", name=op.f("uq_shipping_zone_methods_zone_id_code")),
    )
    op.create_table(
        "shipping_prices",
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("measure >= 0 AND price_minor >= 0", name=op.f("ck_shipping_prices_not_negative")),
        sa.ForeignKeyConstraint(
            ["method_id"], ["shipping_zone_methods.id"], name=op.f("fk_shipping_prices_method_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("method_id", "measure", name=op.f("pk_shipping_prices")),
    )


def downgrade() -> None:
    op.drop_table("shipping_prices")
    op.drop_table("shipping_zone_methods")
    op.drop_table("shipping_zone_places")
    op.drop_table("shipping_zones")
    op.drop_column("products", "shippable")
    op.drop_column("products", "weight_grams")
