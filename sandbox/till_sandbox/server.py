"""The sandbox under Gunicorn: one worker, because its locks and its thread live in one process."""

import gc
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from till_sandbox.api.application import answer_refusal
from till_sandbox.app import create_app
from till_sandbox.errors import ApiError
from till_sandbox.logs import keep_secrets

THREADS = 16

#: Of requests that cannot be read; all others are bad ones.
_STATUS = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}


class Worker(ThreadWorker):
    """Answers what cannot be read as a request in JSON too, as the libraries expect of Stripe."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("cannot be read as a request: %s", exc)
        answer = answer_refusal(ApiError(str(exc), status=_STATUS.get(type(exc), HTTPStatus.BAD_REQUEST)))
        answer.headers["Connection"] = "close"
        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        client.sendall(f"HTTP/1.1 {answer.status_line}\r\n{headers}\r\n{answer.text}".encode())


#: Where to forward events: a secret key, an address, webhook secrets.
Forward = tuple[str, str, list[str]]

#: How the sandbox is served, and whatever its speed is compared with.
SHAPE: dict[str, Any] = {
    "worker_class": Worker,
    "workers": 1,
    "threads": THREADS,
    "keepalive": 75,  # seconds; clients keep idle connections too, and do not ask again on one that was just ended
    "limit_request_line": 8190,  # the longest there is
    "timeout": 120,
    "graceful_timeout": 4,  # Gunicorn itself waits two seconds for idle connections
    "loglevel": "warning",
    "control_socket_disable": True,  # one socket for all of a user's servers would be shared with the store
}


class Server(BaseApplication):
    """Serves a sandbox until it is told to stop."""

    def __init__(
        self,
        host: str,
        port: int,
        database: str | Path,
        forward_to: Forward | None,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self._allowed_hosts = [host, *allowed_hosts]
        self._address = f"{host}:{port}"
        self._database = database
        self._forward_to = forward_to
        super().__init__()

    def load_config(self) -> None:
        keep_secrets()
        hooks = {"post_worker_init": _start, "worker_exit": _stop}
        for name, value in {**SHAPE, "bind": self._address, **hooks}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        app = create_app(self._database, public_url=f"http://{self._address}", allowed_hosts=self._allowed_hosts)
        if self._forward_to is not None:
            app.extensions["sandbox"].forward(*self._forward_to)
        return app


def _start(worker: Any) -> None:
    gc.collect()
    gc.freeze()  # what is there by now stays, so nobody needs to look through it for garbage again and again
    worker.wsgi.extensions["sandbox"].start()


def _stop(_server: Any, worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].stop()
