"""The merchant's pages, under `/admin`: an application of its own beside the shop's, made when it is first asked for.

So a shopper's page loads nothing of it, and neither cookie, session nor form of the one means anything to the other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from store.gateway.deadline import RequestDeadline

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from store.admin.passwords import Passwords

PATH = "/admin"


def register(shop: Flask, request_deadline: RequestDeadline) -> None:
    """Answer what is under `/admin`. Needs `shop.extensions["services"]`, and is called before the web's own."""
    entry = AdminEntry(shop, request_deadline)
    shop.wsgi_app = shop.extensions["admin"] = entry  # type: ignore[method-assign]


class AdminEntry:
    """WSGI middleware before the shop."""

    def __init__(self, shop: Flask, request_deadline: RequestDeadline) -> None:
        self._shop, self._app, self._deadline = shop, shop.wsgi_app, request_deadline
        self._making = threading.Lock()
        self.made: Flask | None = None  # once somebody has asked for it

    @property
    def application(self) -> Flask:
        """The application of the merchant's pages."""
        from store.admin.application import create  # what it needs, no shopper does

        with self._making:
            if self.made is None:
                self.made = create(self._shop, self._deadline)
            return self.made

    @property
    def passwords(self) -> Passwords:
        """Which passwords are taken, for who sets them at a terminal."""
        from store.admin.passwords import Passwords  # as above

        return Passwords(self.application)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if f"{environ['PATH_INFO']}/".startswith(f"{PATH}/"):
            return self.application(environ, start_response)
        return self._app(environ, start_response)
