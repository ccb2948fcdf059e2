"""An address that takes webhooks and checks each signature by hand, as a program without Stripe's library would."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """Where webhooks are taken, and the events taken so far. What is signed wrongly is answered 400 and not taken."""

    url: str
    events: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def receiving(secret: str) -> Iterator[Receiver]:
    """A receiver on a free port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks")
    server.RequestHandlerClass = _handler(receiver, secret)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: Receiver, secret: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fits = _is_signed(body, self.headers["Stripe-Signature"], secret)
            if fits:
                receiver.events.append(json.loads(body))
            self.send_response(200 if fits else 400)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    parts = [part.partition("=") for part in header.split(",")]
    time = next(value for name, _, value in parts if name == "t")
    expected = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value, expected) for name, _, value in parts)
