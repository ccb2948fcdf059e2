"""taxes: rates by country and region, the tax class of a product, VAT numbers, taxes that prices include

Only adds: the program before this one runs on it. Orders that were placed before keep the price that they have.

Revision ID: 0012
Revises: 0011

"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _tax_class() -> sa.Enum:
    return sa.Enum(
        "standard", "reduced", "none", name="tax_class", native_enum=False, create_constraint=True, length=20
    )


def upgrade() -> None:
    op.create_table(
        "tax_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("tax_class", _tax_class(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("thousandths", sa.Integer(), nullable=False),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("reverse_charge", sa.Boolean(), nullable=False),
        sa.CheckConstraint("thousandths BETWEEN 0 AND 100000", name=op.f("ck_tax_rates_thousandths_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rates")),
        sa.UniqueConstraint(
            "country", "region", "tax_class", "name", name=op.f("uq_tax_rates_country_region_tax_class_name")
        ),
    )
    with op.batch_alter_table("products") as batch:
        batch.add_column(sa.Column("tax_class", sa.String(length=20), nullable=False, server_default="standard"))
        batch.create_check_constraint(op.f("ck_products_tax_class"), "tax_class IN ('standard', 'reduced', 'none')")
    op.add_column("orders", sa.Column("tax_id", sa.String(length=20), nullable=True))
    op.add_column("order_adjustments", sa.Column("contained_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("order_adjustments", "contained_minor")
    op.drop_column("orders", "tax_id")
    with op.batch_alter_table("products") as batch:
        batch.drop_constraint(op.f("ck_products_tax_class"), type_="check")
        batch.drop_column("tax_class")
    op.drop_table("tax_rates")
