"""Fill a catalogue with products, by the thousand: those that it has, in other colours and makes.

    python -m tools.fill_products 5000

The database of DATABASE_URL is migrated and seeded.
"""

from __future__ import annotations

import argparse
import itertools
import random

from sqlalchemy import Engine, column, create_engine, insert, table, text

from config import Settings
from store.domain.search import slug_of, words_of

COLOURS = ("Blue", "Green", "Chalk", "Ochre", "Black", "Rust", "Grey", "Rosé", "Plum", "Sand", "Ivory", "Moss")
MAKES = ("small", "large", "striped", "hand-made", "plain", "travelling", "heavy", "light", "speckled", "winter", "two")

MODELS = text(
    "SELECT p.*, c.name AS category_name FROM products p LEFT JOIN categories c ON c.id = p.category_id ORDER BY p.id"
)
LAST = text("SELECT coalesce(max(id), 0) AS id, coalesce(max(position), 0) AS position FROM products")
COLUMNS = ("id", "slug", "name", "summary", "description", "category_id", "image", "alt", "price_minor", "currency",
           "stock", "reserved", "position", "weight_grams", "shippable")  # fmt: skip
# Written as an `insert` of tables, SQLAlchemy sends thousands of rows in a few statements.
PRODUCT = insert(table("products", *map(column, COLUMNS)))
WORD = insert(table("product_words", column("word"), column("product_id")))


def fill_products(engine: Engine, products: int, seed: int = 1) -> None:
    """Add so many products, which come after those that are there. The same seed makes the same products."""
    chance = random.Random(seed)  # noqa: S311  # it decides prices, not secrets
    with engine.begin() as connection:
        models = connection.execute(MODELS).mappings().all()
        last = connection.execute(LAST).one()
        rows, words = [], []
        looks = itertools.cycle((make, colour, model) for make in MAKES for colour in COLOURS for model in models)
        for number, (make, colour, model) in zip(range(1, products + 1), looks, strict=False):
            name = f"{colour} {model['name'][0].lower()}{model['name'][1:]}, {make}"
            rows.append(
                {
                    **{column: model[column] for column in COLUMNS},
                    "id": last.id + number,
                    "slug": f"{slug_of(name)[:72].strip('-')}-{number}",
                    "name": name,
                    "price_minor": max(model["price_minor"] * chance.randint(8, 14) // 10, 1),
                    "stock": chance.randint(0, 90),
                    "reserved": 0,
                    "position": last.position + number,
                }
            )
            words += [
                {"word": word, "product_id": last.id + number}
                for word in sorted(words_of(f"{name} {model['summary']} {model['category_name'] or ''}"))
            ]
        if rows:
            connection.execute(PRODUCT, rows)
            connection.execute(WORD, words)
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('products_id_seq', (SELECT max(id) FROM products))"))
            connection.execute(text("ANALYZE"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("products", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    fill_products(create_engine(Settings.load().database_url), arguments.products, arguments.seed)
    print(f"{arguments.products} products added.")


if __name__ == "__main__":
    main()
