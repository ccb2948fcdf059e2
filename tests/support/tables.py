"""Everything that a shop's tables hold, to compare or to copy it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, insert, select

from models import Base, Mail

Rows = list[dict[str, Any]]

# Two ways to the same end may use up another number before it, and a Message-ID is made anew each time.
NUMBERED = {"history", "mails"}


def contents(engine: Engine) -> dict[str, Rows]:
    """The rows of every table, in the order in which they were made, without what is nobody's concern."""
    found = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            dropped = {"id"} if table.name in NUMBERED else set()
            if table is Mail.__table__:
                dropped |= {"message_id"}
            found[table.name] = [{name: value for name, value in row.items() if name not in dropped} for row in rows]
    return found


def copy(source: Engine, target: Engine) -> None:
    """Fill the target's tables with what the source's hold, instead of what they held."""
    tables = Base.metadata.sorted_tables
    with source.connect() as reading, target.begin() as writing:
        for table in reversed(tables):
            writing.execute(table.delete())
        for table in tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows:
                writing.execute(insert(table), rows)
            column = table.autoincrement_column
            if rows and column is not None and writing.dialect.name == "postgresql":
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                writing.execute(select(func.setval(sequence, max(row[column.name] for row in rows))))
