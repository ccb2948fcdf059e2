"""The server's worker, which limits how long a request may take to arrive.

    gunicorn --worker-class store.web.read_timeout_worker.ReadTimeoutWorker --threads 16 "app:create_app()"

Gunicorn reads a request on one of the worker's threads and waits for every byte of it. Who sends a byte a second, by
mistake or on purpose, would keep that thread; so many of them, all threads.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class ReadTimeoutWorker(ThreadWorker):
    """A thread worker that stops listening to a connection `SECONDS` after one of its requests began to be read.

    A request that has arrived by then is not touched: what is shut is the way in, not the answer's way out. One that
    has not is answered as a request that broke off.
    """

    SECONDS = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: dict[Any, float] = {}

    def enqueue_req(self, conn: Any) -> None:
        self._reading[conn] = time.monotonic()
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        self._reading.pop(conn, None)
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Called by the worker's loop every second or more often."""
        super().murder_pending()
        over = time.monotonic() - self.SECONDS
        for conn in [conn for conn, began in self._reading.items() if began < over]:
            del self._reading[conn]
            with suppress(OSError):  # the other end has closed it
                conn.sock.shutdown(socket.SHUT_RD)
