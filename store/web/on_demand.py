"""An application beside the shop's, made when it is first asked for: a shopper's page loads nothing of it, and neither
cookie, session nor form of the one means anything to the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class OnDemand:
    """WSGI middleware before the shop: what is under `path` goes to the application that `make` returns."""

    def __init__(self, shop: Flask, path: str, make: Callable[[], Flask]) -> None:
        self._app, self._beginning, self._make = shop.wsgi_app, f"{path}/", make
        self._making = threading.Lock()
        self.made: Flask | None = None  # once somebody has asked for it

    @property
    def application(self) -> Flask:
        """The application, which is made once. Usable from any thread."""
        with self._making:
            if self.made is None:
                self.made = self._make()
            return self.made

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if f"{environ['PATH_INFO']}/".startswith(self._beginning):
            return self.application(environ, start_response)
        return self._app(environ, start_response)
