"""Connections that went away while nobody used them, as after a restart of the database: noticed before their use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

# Asking costs a round trip. A connection that was used a moment ago is taken without.
IDLE = 5.0  # seconds

_RETURNED = "returned"


def check(engine: Engine, stopwatch: Callable[[], float]) -> None:
    """Have `engine` ask a connection that was idle for five seconds of `stopwatch` whether it is still there. If it is
    not, the pool is emptied and the transaction gets a new one.
    """

    @event.listens_for(engine, "checkin")
    def returned(_connection: Any, record: Any) -> None:
        record.info[_RETURNED] = stopwatch()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if stopwatch() - record.info.get(_RETURNED, stopwatch()) >= IDLE:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as failure:
                raise InvalidatePoolError from failure
