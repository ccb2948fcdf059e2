"""A database that fails when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from store.services.database import Database


class FailingDatabase(Database):
    """The same database, in which the first transactions fail, each in its way, or go through where no way is given."""

    def __init__(self, same: Database, *failures: Exception | None) -> None:
        self.__dict__.update(same.__dict__)
        self._failures = list(failures)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            failure = self._failures.pop(0) if self._failures else None
            if failure is not None:
                raise failure
