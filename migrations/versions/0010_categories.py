"""categories, and the words by which a product is found

Expands only: products keep the name of their category until 0011, so that the program before this one runs on it.

Revision ID: 0010
Revises: 0009

"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PRODUCTS = sa.table(
    "products",
    *(sa.column(name) for name in ("id", "name", "summary", "category", "category_id", "position")),
)
CATEGORIES = sa.table("categories", *(sa.column(name) for name in ("id", "slug", "name", "position")))
WORDS = sa.table("product_words", sa.column("word"), sa.column("product_id"))


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
    )
    # The same in both databases; SQLite takes a foreign key with a column, not afterwards.
    op.execute(
        "ALTER TABLE products ADD COLUMN category_id INTEGER "
        "CONSTRAINT fk_products_category_id REFERENCES categories (id)"
    )
    op.create_index("ix_products_category", "products", ["category_id", "position", "id"])
    # Compared by its code points in PostgreSQL as in SQLite, so that the words of one beginning are one range.
    word = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
    op.create_table(
        "product_words",
        sa.Column("word", word, nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_words_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "product_id", name=op.f("pk_product_words")),
    )
    op.create_index(op.f("ix_product_words_product_id"), "product_words", ["product_id"])
    _fill(op.get_bind())


def downgrade() -> None:
    op.drop_table("product_words")
    op.drop_index("ix_products_category", table_name="products")
    with op.batch_alter_table("products") as products:
        products.drop_column("category_id")
    op.drop_table("categories")


def _fill(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(PRODUCTS).order_by(PRODUCTS.c.position, PRODUCTS.c.id)).all()
    names = list(dict.fromkeys(row.category for row in rows))
    ids = {name: number for number, name in enumerate(names, 1)}
    for name, number in ids.items():
        connection.execute(sa.insert(CATEGORIES).values(slug=_slug(name), name=name, position=number))
        category = sa.select(CATEGORIES.c.id).where(CATEGORIES.c.name == name).scalar_subquery()
        connection.execute(sa.update(PRODUCTS).where(PRODUCTS.c.category == name).values(category_id=category))
    words = [
        {"word": word, "product_id": row.id}
        for row in rows
        for word in sorted(_words(f"{row.name} {row.summary} {row.category}"))
    ]
    if words:
        connection.execute(sa.insert(WORDS), words)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _folded(name)).strip("-") or "category"


def _words(text: str) -> set[str]:
    """As `store/domain/search.py` had it when this was written."""
    german = text.casefold().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"})
    return {word[:40] for form in (text, german) for word in re.findall(r"\w+", _folded(form))}


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return plain.translate({ord("ø"): "o", ord("æ"): "ae", ord("œ"): "oe", ord("ł"): "l", ord("đ"): "d"})
