"""Orders in bulk: copies of one that was placed and opened for payment over HTTP, in whichever revision's tables.

The tables are read from the database, not from models: what belongs to an order is what refers to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import JSON, Column, Connection, Engine, MetaData, String, Table, inspect, text

from tools.benchmark.numbering import PRODUCTS

STOCK = 1_000_000

# The names of an order, by its number `n`, as SQL; `numbering` has the same in Python.
REFERENCE, PAYMENT, PRODUCT = "'TEST-' || n", "'pi_3Benchmark' || n", f"{PRODUCTS[0]} + n % {len(PRODUCTS)}"


@dataclass(frozen=True)
class Original:
    """The order that is copied, and its payment's id."""

    reference: str
    payment: str


def copy(engine: Engine, original: Original, first: int, last: int) -> None:
    """Copies of an order, with its rows in every table, numbered from `first` to `last`, for one piece each."""
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        order = connection.execute(
            text("SELECT id FROM orders WHERE reference = :reference"), {"reference": original.reference}
        ).scalar_one()
        _make_products(connection, tables.tables["products"], order)
        copier = _Copier(connection, original, order, first, last)
        for table in tables.sorted_tables:
            link = "id" if table.name == "orders" else _column_to("orders", table)
            if link:
                copier.copy_rows(table, link)
        _reserve(connection, tables.tables["products"], first, last)
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))


def reserved_column(engine: Engine) -> str:
    """What the column of reserved pieces is called: `held` in old revisions."""
    tables = MetaData()
    tables.reflect(engine, only=["products"])
    return _reserved(tables.tables["products"])


class _Copier:
    def __init__(self, connection: Connection, original: Original, order: int, first: int, last: int) -> None:
        self._connection, self._original = connection, original
        self._values = {"order": order, "first": first, "last": last}
        self._values |= {"reference": original.reference, "payment": original.payment}  # type: ignore[dict-item]
        self._postgresql = connection.dialect.name == "postgresql"

    def copy_rows(self, table: Table, link: str) -> None:
        name = table.name
        count = text(f"SELECT count(*) FROM {name} WHERE {link} = :order")
        several = self._connection.execute(count, self._values).scalar_one() > 1
        columns = {
            column.name: sql
            for column in table.columns
            if (sql := self._value(column, link, several, set(_unique(self._connection, name)))) is not None
        }
        source = "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"
        self._connection.execute(
            text(
                f"INSERT INTO {name} ({', '.join(columns)}) {source} "
                f"SELECT {', '.join(columns.values())} FROM {name}, numbers WHERE {link} = :order"
            ),
            self._values,
        )
        if self._postgresql and "id" in columns:
            self._connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
            )

    def _value(self, column: Column[object], link: str, several: bool, unique: set[str]) -> str | None:
        """The copy's value as SQL; None where the database shall number the rows."""
        if column.name == link:
            return "n"
        if any(key.column.table.name == "products" for key in column.foreign_keys):
            return PRODUCT
        if column.name == "id" and column.primary_key:
            return None if several else "n"
        if isinstance(column.type, (String, JSON)):
            return self._text(column, unique)
        return column.name

    def _text(self, column: Column[object], unique: set[str]) -> str:
        name = column.name
        plain = f"CAST({name} AS TEXT)" if isinstance(column.type, JSON) and self._postgresql else name
        renamed = f"replace(replace({plain}, :reference, {REFERENCE}), :payment, {PAYMENT})"
        if isinstance(column.type, JSON):
            return f"CAST({renamed} AS JSON)" if self._postgresql else renamed
        if name in unique and name not in ("reference", "provider_payment_id", "intent_id"):
            return f"substr({name}, 1, 20) || n"
        return renamed


def _make_products(connection: Connection, products: Table, order: int) -> None:
    """The products that the copies are for, with more pieces than anybody buys; nothing where they are there."""
    made = text("SELECT 1 FROM products WHERE id = :id")
    if connection.execute(made, {"id": PRODUCTS[0]}).first():
        return
    changed = {"id": ":id", "slug": "slug || '-' || :id", "stock": str(STOCK), _reserved(products): "0"}
    names = [column.name for column in products.columns]
    values = ", ".join(changed.get(name, name) for name in names)
    statement = text(
        f"INSERT INTO products ({', '.join(names)}) SELECT {values} FROM products "
        "WHERE id = (SELECT min(product_id) FROM order_lines WHERE order_id = :order)"
    )
    connection.execute(statement, [{"id": number, "order": order} for number in PRODUCTS])


def _reserve(connection: Connection, products: Table, first: int, last: int) -> None:
    reserved = _reserved(products)
    statement = text(
        f"UPDATE products SET {reserved} = {reserved} + (SELECT coalesce(sum(quantity), 0) FROM order_lines "
        "WHERE product_id = products.id AND order_id BETWEEN :first AND :last) WHERE id BETWEEN :low AND :high"
    )
    connection.execute(statement, {"first": first, "last": last, "low": PRODUCTS[0], "high": PRODUCTS[-1]})


def _reserved(products: Table) -> str:
    return "reserved" if "reserved" in products.columns else "held"


def _column_to(target: str, table: Table) -> str | None:
    """The column that refers to `target`, if there is one."""
    return next((key.parent.name for key in table.foreign_keys if key.column.table.name == target), None)


def _unique(connection: Connection, table: str) -> Iterator[str]:
    """The columns that alone must differ from row to row."""
    inspector = inspect(connection)
    for index in inspector.get_indexes(table):
        if index["unique"] and len(index["column_names"]) == 1:
            yield str(index["column_names"][0])
    for constraint in inspector.get_unique_constraints(table):
        if len(constraint["column_names"]) == 1:
            yield constraint["column_names"][0]
