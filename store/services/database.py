"""Transactions: the only place in the store that commits or rolls back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from store.domain.errors import StoreBusy
from store.services.scripts import ConnectionGone, Script, send

READING = "reading"
# Nobody waits for a lock, or for a statement, for ever; milliseconds.
TIME_OUTS = {"lock_timeout": 8_000, "statement_timeout": 15_000, "idle_in_transaction_session_timeout": 30_000}
# What is prepared is planned once, and not five times for its values before that.
ONE_PLAN = {"plan_cache_mode": "force_generic_plan"}
# For a statement that changes rows: nothing is flushed before it, and what is in memory stays as it is.
ROWS_ALONE = {"synchronize_session": False, "autoflush": False}
PRIMARY_CODE = 0xFF  # of SQLite's result codes the last byte says what, the others the details


class Database:
    """Opens transactions on `engine`. Usable from any thread; a transaction belongs to the thread that opened it.

    StoreBusy is raised when the database does not answer, is locked for too long, cannot be read, or has ended this
    transaction: nothing was written.
    """

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            _set_up_sqlite(engine)
        else:
            _set_up_postgresql(engine)
        self.engine = engine
        self._write = sessionmaker(engine, expire_on_commit=False)
        self._read = sessionmaker(engine.execution_options(**{READING: True, "postgresql_readonly": True}))
        self._here = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back if the block raises."""
        with self._translate_errors(), self._counted(), self._write() as session:
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; the rows stay readable after the block, as far as they were loaded in it."""
        with self._translate_errors(), self._counted(), self._read() as session:
            yield session

    def run(self, script: Script, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Run a script, which is a transaction of its own on PostgreSQL; returns the rows of its last statement.

        It may run twice where the connection dies meanwhile: the second time it has to find what the first one did.
        Raises ScriptRefused when the server refuses a statement: nothing was written.
        """
        with self._counted():
            try:
                return send(self.engine, script, values)
            except ConnectionGone:
                self.engine.dispose()  # whatever has ended one connection has ended the others, too
            try:
                return send(self.engine, script, values)
            except ConnectionGone as gone:
                raise StoreBusy from gone

    @property
    def open_here(self) -> int:
        """How many transactions this thread has open. None may be while the network is waited for."""
        return getattr(self._here, "depth", 0)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._here.depth = self.open_here + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as failure:
            # A server that dies in the middle of an answer is a plain DatabaseError to the driver.
            away = isinstance(failure, (OperationalError, InterfaceError)) or failure.connection_invalidated
            if not away and not is_no_database(failure):
                raise
            raise StoreBusy from failure


def is_no_database(failure: BaseException | None) -> bool:
    """Whether the driver says that SQLite's file is something else than a database, or a damaged one."""
    said = failure.orig if isinstance(failure, DBAPIError) else None
    # What the driver raises by itself has no code of SQLite's, and neither has another driver's.
    code: int | None = getattr(said, "sqlite_errorcode", None)
    if code is None:
        return False
    import sqlite3  # is loaded by then; with PostgreSQL it is not

    return code & PRIMARY_CODE in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _set_up_postgresql(engine: Engine) -> None:
    """After connecting: PgBouncer refuses a start-up parameter `options`. Where it pools by transaction, its servers
    keep what the store has set on them, which is the same for every process.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = {value}" for name, value in (TIME_OUTS | ONE_PLAN).items()))
        connection.commit()


def _set_up_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and transactions that take the write lock when they begin, so that none fails
    half-way because another has it.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions by itself
        for pragma in ("journal_mode = WAL", "foreign_keys = ON", "busy_timeout = 10000", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
