"""The path under which the store is served: that of STORE_URL, whatever a server or a header says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from flask import request

from store.web.current import services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def current_path() -> str:
    """The path and query of this request, as `url_for` writes them."""
    return services().settings.path_prefix + request.full_path.rstrip("?")


class Mount:
    """WSGI middleware that puts `app` under `prefix`, such as `/till` or the empty text.

    A proxy may remove the prefix or leave it. SCRIPT_NAME is never taken from outside: it begins every address
    that the store writes, so that `//evil.example` in it would lead a shopper to another site.
    """

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app = app
        self._prefix = unquote_to_bytes(prefix).decode("latin-1")  # as WSGI writes a path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = self._prefix
        path = environ.get("PATH_INFO", "")
        if self._prefix and f"{path}/".startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path[len(self._prefix) :]
        return self._app(environ, start_response)
