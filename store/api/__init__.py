"""The JSON API for other programs, under `/api/v1`: an application of its own beside the shop's, made when it is first
asked for. It reads no cookie, knows no session and answers everything in JSON.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from store.gateway.deadline import RequestDeadline

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/api/v1"
_BEGINNING = "/api/"


def register(shop: Flask, request_deadline: RequestDeadline) -> None:
    """Answer what is under `/api`. Needs `shop.extensions["services"]`, and is called before the web's own."""
    entry = ApiEntry(shop, request_deadline)
    shop.wsgi_app = shop.extensions["api"] = entry  # type: ignore[method-assign]


class ApiEntry:
    """WSGI middleware before the shop."""

    def __init__(self, shop: Flask, request_deadline: RequestDeadline) -> None:
        self._shop, self._app, self._deadline = shop, shop.wsgi_app, request_deadline
        self._making = threading.Lock()
        self.made: Flask | None = None  # once somebody has asked for it

    @property
    def application(self) -> Flask:
        """The application of the API."""
        from store.api.application import create  # what it needs, no shopper does

        with self._making:
            if self.made is None:
                self.made = create(self._shop, self._deadline)
            return self.made

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if f"{environ['PATH_INFO']}/".startswith(_BEGINNING):
            return self.application(environ, start_response)
        return self._app(environ, start_response)
