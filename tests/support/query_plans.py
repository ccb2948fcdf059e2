"""How a database would run the statements that a piece of the store runs: by an index, or through every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from models import Base

# These grow with the orders, or with the catalogue.
LARGE_TABLES = {
    "orders", "order_lines", "payments", "refunds", "disputes", "reviews", "history", "mails", "webhook_events",
    "unmatched_events", "carts", "cart_lines", "product_words", "documents", "balance_entries",
}  # fmt: skip
# They have a row for each order, unlike every other index of some rows only.
LARGE_PARTIAL_INDEXES = {"uq_payments_live", "ix_payments_account"}
SMALL_INDEXES = {
    str(index.name)
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
} - LARGE_PARTIAL_INDEXES

# Has the planner take each table for a thousand times as large, until the transaction is rolled back.
MANY_ROWS = "UPDATE pg_class SET reltuples = reltuples * 1000 WHERE relnamespace = 'public'::regnamespace"


class PlanRecorder:
    """Keeps the statements that run on an engine while it records, and reads their plans afterwards."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements: dict[str, Any] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        def keep(_connection: Connection, _cursor: Any, statement: str, parameters: Any, _c: Any, many: bool) -> None:
            if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", statement):
                self._statements.setdefault(statement, parameters[0] if many else parameters)

        event.listen(self._engine, "before_cursor_execute", keep)
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", keep)

    @property
    def count(self) -> int:
        return len(self._statements)

    def through_every_row(self) -> list[str]:
        """A line for each table that a statement would go through without an index, or along a whole large one."""
        scans = _scans_of_postgresql if self._engine.dialect.name == "postgresql" else _scans_of_sqlite
        with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            if scans is _scans_of_postgresql:
                cursor.execute(MANY_ROWS)
            found = [
                f"{scan}: {' '.join(statement.split())}"
                for statement, parameters in self._statements.items()
                for scan in scans(cursor, statement, parameters)
            ]
            connection.rollback()
        return found

    def most_rows(self, *tables: str) -> int:
        """How many rows of one of these tables a step has read at the most. On PostgreSQL alone."""
        with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # as where there are more than a test makes
            read = [
                step
                for statement, parameters in self._statements.items()
                for table, step in _rows_of_postgresql(cursor, statement, parameters)
                if table in tables
            ]
            connection.rollback()
        return max(read, default=0)


def _rows_of_postgresql(cursor: Any, statement: str, parameters: Any) -> Iterator[tuple[str | None, int]]:
    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
    (((plan,),),) = cursor.fetchall()
    nodes = [plan["Plan"]]
    while nodes:
        node = nodes.pop()
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        yield node.get("Relation Name"), int(read)
        nodes += node.get("Plans", [])


def _scans_of_postgresql(cursor: Any, statement: str, parameters: Any) -> Iterator[str]:
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    (((plan,),),) = cursor.fetchall()
    return _whole_scans(plan["Plan"])


def _scans_of_sqlite(cursor: Any, statement: str, parameters: Any) -> Iterator[str]:
    cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    for *_, step in cursor.fetchall():
        found = re.match(r"SCAN ([a-z_]+?)(_\d+)?(?: USING (?:COVERING )?INDEX (\w+))?$", step)
        if found and found[1] in LARGE_TABLES and found[3] not in SMALL_INDEXES:
            yield step


def _whole_scans(node: dict[str, Any], *, first_row_only: bool = False) -> Iterator[str]:
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name")
    if kind == "Seq Scan" and table in LARGE_TABLES:
        yield f"{kind} of {table}"
    if index and "Index Cond" not in node and _is_large(index) and not (first_row_only and "Filter" not in node):
        yield f"{kind} along {index}"
    for child in node.get("Plans", []):
        yield from _whole_scans(child, first_row_only=kind == "Limit")


def _is_large(index: str) -> bool:
    """Whether an index, which is named after its table, has a row for each order or more."""
    return index not in SMALL_INDEXES and index.split("_", 1)[1].startswith(tuple(LARGE_TABLES))


def forget_statistics(engine: Engine) -> None:
    """Have SQLite take every table for a large one, as it does with a table that it knows nothing of."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM sqlite_stat1"))
        engine.dispose()
