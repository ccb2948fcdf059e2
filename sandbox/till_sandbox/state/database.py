"""The SQLite file: connections and transactions."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from till_sandbox.clock import Clock, SystemClock
from till_sandbox.state import schema
from till_sandbox.state.transaction import Cause, Transaction
from till_sandbox.state.writer import Writer

#: After so many commits the log is worth copying into the database file. With so many pages in it a writer copies it,
#: and waits for the disk for as long as a hundred commits take.
WORTH_COPYING, LARGEST_LOG = 200, 16_000
LAST_TRANSACTIONS = 10  # seconds that they have to end


class State:
    """Opens transactions. Writers take turns, readers never wait for them. No write transaction may be opened within
    another.

    A write transaction is on disk once its block ends, or has no effect: a process killed in the middle leaves nothing
    half done.
    """

    def __init__(
        self,
        database: str | Path,
        clock: Clock | None = None,
        public_url: str = "",
        followers: Mapping[str, Any] | None = None,
    ) -> None:
        self._followers = followers or {}
        self.database = str(database)
        self.public_url = public_url
        self._clock = clock or SystemClock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._open_transactions, self._ended = 0, threading.Condition()
        Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        _keep_from_others(Path(self.database))
        connection = self._open()
        schema.prepare(connection)
        self._writer: Writer | None = Writer(connection)
        self._offset = float(self._setting("clock_offset") or 0)

    def now(self) -> float:
        """The sandbox's time: the clock's, plus what `advance_clock` added."""
        return self._clock.now() + self._offset

    @property
    def ahead(self) -> float:
        """Seconds that `advance_clock` added."""
        return self._offset

    def advance_clock(self, seconds: float) -> None:
        """Move the sandbox's time forward, for good."""
        self._offset += seconds
        with self.write("") as tx:
            tx.execute(
                "INSERT INTO settings (name, value) VALUES ('clock_offset', ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                str(self._offset),
            )

    @contextmanager
    def read(self, account: str) -> Iterator[Transaction]:
        """One unchanging view of an account's objects."""
        with self._counted():
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                yield Transaction(connection, account, self.now(), Cause(), self.public_url, self._followers)
            finally:
                connection.rollback()

    @contextmanager
    def write(self, account: str, cause: Cause | None = None) -> Iterator[Transaction]:
        """A transaction that commits when the block ends and leaves nothing behind when it raises."""
        with self._counted(), self._opened_writer().write() as connection:
            tx = Transaction(connection, account, self.now(), cause or Cause(), self.public_url, self._followers)
            yield tx
            tx.flush()

    def copy_log(self) -> None:
        """Copy what SQLite's log has into the database file, if it is worth it. No writer waits for this thread."""
        writer = self._opened_writer()
        if writer.commits_in_log >= WORTH_COPYING:
            writer.commits_in_log = 0
            self._connection().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def reset(self) -> None:
        """Forget everything, and go back to the clock's time."""
        tables = ("attempts", "deliveries", "objects", "answers", "scheduled", "faults", "settings")
        with self.write("") as tx:
            for table in tables:
                tx.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above
        self._offset = 0.0

    def close(self) -> None:
        """Close every thread's connection, once the transactions have ended that are open; after some seconds those of
        them stay as they are. Whoever uses the state again opens it again.
        """
        with self._ended:
            if self._ended.wait_for(lambda: not self._open_transactions, timeout=LAST_TRANSACTIONS):
                for connection in self._connections:  # to close one that is used would end the process
                    connection.close()
            self._connections.clear()
            self._writer = None
            self._local = threading.local()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._ended:
            self._open_transactions += 1
        try:
            yield
        finally:
            with self._ended:
                self._open_transactions -= 1
                self._ended.notify_all()

    def _opened_writer(self) -> Writer:
        with self._opening:
            if self._writer is None:
                self._writer = Writer(self._open())
            return self._writer

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.database, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG}")
        self._connections.append(connection)
        return connection

    def _setting(self, name: str) -> str | None:
        row = self._connection().execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])


def _keep_from_others(database: Path) -> None:
    """Webhook secrets and people's addresses are in the file, and in those that SQLite puts beside it: only its owner
    may read them.

    Raises OSError where there can be no such file.
    """
    if database.exists():
        with suppress(OSError):  # somebody else's file stays as they have it
            database.chmod(0o600)
    else:
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT, 0o600))
