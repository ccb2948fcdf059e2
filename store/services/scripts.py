"""Scripts: a few statements of PostgreSQL that are one transaction and one round trip.

The server takes statements that arrive together for one transaction: it commits when all of them have worked. Each is
prepared once for a connection, so that it is read and planned once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from store.domain.errors import StoreBusy

_PLACE = re.compile(r"(?<!:):([a-z_]+)")  # `:name` stands for a value; `::type` does not
_PREPARED = "prepared scripts"
# The server does not know a prepared statement, or knows one that this process has not prepared: a pooler such as
# PgBouncer gives each transaction another of its connections.
_NOT_THERE, _THERE_ALREADY = "26000", "42P05"
# A plan is kept while the tables grow: one that was made when they were empty must not read the whole of any. It is
# made at the first execution; PostgreSQL makes another one when it has counted the rows anew. Each row is looked up by
# an index, where a statement lets it be: see `docs/decisions/0017`.
_PLANNING = b"".join(
    b"SET LOCAL enable_%s = off;" % way for way in (b"seqscan", b"bitmapscan", b"hashjoin", b"mergejoin")
)

# Rows as the value of a parameter of type json, with their times. Made once: `json.dumps` makes an encoder each time.
as_json = json.JSONEncoder(default=datetime.isoformat).encode


class ConnectionGone(Exception):
    """A pooled connection was dead. Nothing is known of what it was to do."""


class ScriptRefused(Exception):
    """The server refuses a statement: it breaks a constraint, say. Nothing was written."""


class Script:
    """Statements with a `:name` for each of the `parameters`, which have these types. Each of the statements sees what
    those before it wrote, and what others committed before it began.
    """

    def __init__(self, parameters: Mapping[str, str], *statements: str) -> None:
        self._parameters = dict(parameters)
        self._statements = statements
        self._used = [[name for name in parameters if name in _PLACE.findall(statement)] for statement in statements]
        digest = hashlib.sha256("\n".join([*self._parameters.values(), *statements]).encode()).hexdigest()
        self.name = f"till_{digest[:16]}"
        self._prepare = "".join(map(self._prepared, range(len(statements)))).encode()

    def send(self, cursor: Any, prepared: set[str], values: Mapping[str, object]) -> None:
        """Run it; `prepared` are the scripts that its connection is thought to know, and is kept up to date."""
        executions = self._execute(cursor, values)
        try:
            cursor.execute(executions if self.name in prepared else self._prepare + _PLANNING + executions)
        except cursor.connection.Error as failure:
            if failure.pgcode not in (_NOT_THERE, _THERE_ALREADY):
                raise
            prepared.symmetric_difference_update({self.name})
            cursor.execute(self._unprepared(cursor, values))
        else:
            prepared.add(self.name)

    def _prepared(self, number: int) -> str:
        used = self._used[number]
        types = ", ".join(self._parameters[name] for name in used)
        written = _PLACE.sub(lambda place: f"${used.index(place[1]) + 1}", self._statements[number])
        return f"PREPARE {self.name}_{number} ({types}) AS {written};\n"

    def _execute(self, cursor: Any, values: Mapping[str, object]) -> bytes:
        literals: dict[str, bytes] = {name: cursor.mogrify("%s", [values[name]]) for name in self._parameters}
        return b";".join(
            b"EXECUTE %s_%d (%s)" % (self.name.encode(), number, b", ".join(literals[name] for name in used))
            for number, used in enumerate(self._used)
        )

    def _unprepared(self, cursor: Any, values: Mapping[str, object]) -> bytes:
        literals = {
            name: f"({cursor.mogrify('%s', [values[name]]).decode()})::{kind}"
            for name, kind in self._parameters.items()
        }
        return ";\n".join(_PLACE.sub(lambda place: literals[place[1]], text) for text in self._statements).encode()


def send(engine: Engine, script: Script, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Run a script, and return the rows of its last statement.

    Raises ConnectionGone, ScriptRefused, and StoreBusy where the database does not answer or was waited for too long.
    """
    driver: Any = engine.dialect.loaded_dbapi
    try:
        pooled = engine.raw_connection()
    except driver.Error as failure:
        raise StoreBusy from failure
    connection: Any = pooled.driver_connection
    try:
        connection.readonly = None  # else turning off `autocommit` would cost a round trip
        connection.autocommit = True  # else the driver would begin a transaction, in a round trip of its own
        try:
            with connection.cursor() as cursor:
                script.send(cursor, pooled.info.setdefault(_PREPARED, set()), values)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
        finally:
            if not connection.closed:
                connection.autocommit = False
    except (driver.Error, ValueError) as failure:  # a text with a NUL is refused by the driver, with a ValueError
        if isinstance(failure, driver.Error) and engine.dialect.is_disconnect(failure, connection, None):
            pooled.invalidate()
            raise ConnectionGone from failure
        raise (StoreBusy if isinstance(failure, driver.OperationalError) else ScriptRefused) from failure
    finally:
        pooled.close()
    return rows
