"""The server's worker, which limits how long a request may take to arrive.

    gunicorn --worker-class store.web.read_timeout_worker.ReadTimeoutWorker --threads 16 "app:create_app()"

Gunicorn reads a request on one of the worker's threads and waits for every byte of it. Who sends a byte a second, by
mistake or on purpose, would keep that thread; so many of them, all threads.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

UPLOAD_SECONDS = 120.0

_uploading: WeakSet[socket.socket] = WeakSet()


def allow_upload(environ: WSGIEnvironment) -> None:
    """Let this request take `UPLOAD_SECONDS` to arrive: somebody who may do so sends a file. Another server than
    Gunicorn has limits of its own.
    """
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        _uploading.add(connection)


class ReadTimeoutWorker(ThreadWorker):
    """A thread worker that stops listening to a connection `SECONDS` after one of its requests began to be read, or
    `UPLOAD_SECONDS` where a file may be sent.

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
        _uploading.discard(conn.sock)
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Called by the worker's loop every second or more often."""
        super().murder_pending()
        now = time.monotonic()
        for conn, began in list(self._reading.items()):
            if now - began > (UPLOAD_SECONDS if conn.sock in _uploading else self.SECONDS):
                del self._reading[conn]
                with suppress(OSError):  # the other end has closed it
                    conn.sock.shutdown(socket.SHUT_RD)
