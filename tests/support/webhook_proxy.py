"""Stands between Stripe (or the sandbox) and the store's webhook address: forwards each webhook, delays it, drops it
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
LONGEST_HOLD = 30.0  # seconds; the sender has timed out by then


class _Mode(Enum):
    PASS = auto()
    HOLD = auto()
    LOSE = auto()
    TWICE = auto()


class WebhookProxy:
    """Listens on `url` and forwards to `store`, which may be started later."""

    def __init__(self, store: str) -> None:
        self._store = urlsplit(store)
        self._mode = _Mode.PASS
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
        """Delay what arrives inside the block until the block's end."""
        with self._in_mode(_Mode.HOLD):
            yield

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Acknowledge what arrives inside the block, and drop it."""
        with self._in_mode(_Mode.LOSE):
            yield

    @contextmanager
    def doubling(self) -> Iterator[None]:
        """Pass on what arrives inside the block, and then the same once more."""
        with self._in_mode(_Mode.TWICE):
            yield

    def receive(self, body: bytes, headers: dict[str, str]) -> int:
        """Handle a webhook that arrives now; return the status to answer it with."""
        with self._changed:
            self._changed.wait_for(lambda: self._mode is not _Mode.HOLD, LONGEST_HOLD)
            mode = self._mode
        if mode is _Mode.LOSE:
            return 200
        status = self._deliver(body, headers)
        return self._deliver(body, headers) if mode is _Mode.TWICE else status

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
    def _in_mode(self, mode: _Mode) -> Iterator[None]:
        self._switch(mode)
        try:
            yield
        finally:
            self._switch(_Mode.PASS)

    def _switch(self, mode: _Mode) -> None:
        with self._changed:
            self._mode = mode
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, webhook_proxy: WebhookProxy) -> None:
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
