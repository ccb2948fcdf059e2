"""The sandbox under Gunicorn: one worker, because its locks and its thread live in one process."""

from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from sandbox.app import create_app
from sandbox.logs import keep_secrets

THREADS = 16

#: How the sandbox is served, and whatever its speed is compared with.
SHAPE: dict[str, Any] = {
    "worker_class": "gthread",
    "workers": 1,
    "threads": THREADS,
    "timeout": 120,
    "graceful_timeout": 2,
    "loglevel": "warning",
    "control_socket_disable": True,  # one socket for all of a user's servers would be shared with the store
}


class Server(BaseApplication):
    """Serves a sandbox until it is told to stop. `forward_to`: (secret key, address, webhook secrets), or None."""

    def __init__(
        self, host: str, port: int, database: str | Path, forward_to: tuple[str, str, list[str]] | None
    ) -> None:
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
        app = create_app(self._database, public_url=f"http://{self._address}")
        if self._forward_to is not None:
            app.extensions["sandbox"].forward(*self._forward_to)
        return app


def _start(worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].start()


def _stop(_server: Any, worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].stop()
