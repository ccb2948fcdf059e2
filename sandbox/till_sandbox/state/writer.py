"""Writers take turns, and those that come close together share one commit.

Writing to disk costs more than most requests do before. So a writer that is done while others wait leaves the
transaction open to the next, and the last of them commits for all. Each but the first has a savepoint of its own, so
that one that fails takes nothing of the others' along, and each returns only once its work is on disk.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: The most that share a commit: nobody waits for more than that.
MOST = 16


class Batch:
    """Writers that share a commit. `failure` is why it could not be made."""

    def __init__(self) -> None:
        self.size = 0
        self.committed = threading.Event()
        self.failure: sqlite3.Error | None = None


class Writer:
    """Gives its connection to one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._batch: Batch | None = None
        self.commits_in_log = 0  # since it was copied into the database file

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._waiting

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a block whose changes are on disk when it has ended, or undone when it raises."""
        batch = self._take_turn()
        first = not batch.size
        try:
            if not first:
                self._connection.execute("SAVEPOINT writer")
            yield self._connection
            if not first:
                self._connection.execute("RELEASE writer")
        except BaseException:
            if first:
                self._connection.rollback()
                self._connection.execute("BEGIN IMMEDIATE")
            else:
                self._connection.execute("ROLLBACK TO writer")
                self._connection.execute("RELEASE writer")
            raise
        finally:
            self._end_turn(batch)
        batch.committed.wait()
        if batch.failure is not None:
            raise batch.failure

    def _take_turn(self) -> Batch:
        with self._count:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._count:
                self._waiting -= 1
        if self._batch is None:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except BaseException:
                self._turn.release()
                raise
            self._batch = Batch()
        return self._batch

    def _end_turn(self, batch: Batch) -> None:
        batch.size += 1
        if not self._waiting or batch.size >= MOST:
            self._commit(batch)
        self._turn.release()

    def _commit(self, batch: Batch) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._connection.rollback()
            batch.failure = error
        self.commits_in_log += 1
        self._batch = None
        batch.committed.set()
