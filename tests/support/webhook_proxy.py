"""Stands between Stripe (or the sandbox) and the store's webhook address: passes each webhook on, holds it, loses it
or delivers it twice.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PASSED_ON = ("Content-Type", "Stripe-Signature", "User-Agent")
HOLDS_AT_MOST = 30.0  # seconds; the sender has given up by then


class _Way(Enum):
    PASS = auto()
    HOLD = auto()
    LOSE = auto()
    TWICE = auto()


class Postbox:
    """Listens on `url` and forwards to `store`, which may be started later."""

    def __init__(self, store: str) -> None:
        self._store = urlsplit(store)
        self._way = _Way.PASS
        self._changed = threading.Condition()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep what arrives inside the block and pass it on at the block's end."""
        with self._going(_Way.HOLD):
            yield

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Take what arrives inside the block, say thank you, and throw it away."""
        with self._going(_Way.LOSE):
            yield

    @contextmanager
    def doubling(self) -> Iterator[None]:
        """Pass on what arrives inside the block, and then the same once more."""
        with self._going(_Way.TWICE):
            yield

    def receive(self, body: bytes, headers: dict[str, str]) -> int:
        """What becomes of a webhook that arrives now: the status to answer it with."""
        with self._changed:
            self._changed.wait_for(lambda: self._way is not _Way.HOLD, HOLDS_AT_MOST)
            way = self._way
        if way is _Way.LOSE:
            return 200
        status = self._deliver(body, headers)
        return self._deliver(body, headers) if way is _Way.TWICE else status

    def _deliver(self, body: bytes, headers: dict[str, str]) -> int:
        """The store's answer, or 502 when there is none."""
        connection = http.client.HTTPConnection(str(self._store.hostname), self._store.port, timeout=30)
        try:
            connection.request("POST", self._store.path, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 502
        finally:
            connection.close()

    @contextmanager
    def _going(self, way: _Way) -> Iterator[None]:
        self._switch(way)
        try:
            yield
        finally:
            self._switch(_Way.PASS)

    def _switch(self, way: _Way) -> None:
        with self._changed:
            self._way = way
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, webhook_proxy: Postbox) -> None:
        self.webhook_proxy = webhook_proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        self.send_response(self.server.webhook_proxy.receive(body, headers))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base class
        """Say nothing: a test's output is the test's."""
