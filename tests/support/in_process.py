"""The official SDK on the sandbox in the same process. It refuses to be called inside a database transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from requests.structures import CaseInsensitiveDict
from werkzeug.http import http_date

from till_sandbox import testing

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class InProcessStripe(testing.InProcessStripe):
    """Fails whoever calls Stripe while `open_transactions` says there are any.

    `failed` says whether a call that a web request made got no response, or one that says that Stripe is overloaded or
    failed: the circuit breaker has counted it.
    """

    def __init__(self, application: Flask) -> None:
        super().__init__(application)
        self.open_transactions: Callable[[], int] = lambda: 0
        self.failed = False
        self._thread = threading.local()

    def watch(self, store: WSGIApplication) -> WSGIApplication:
        """The same application. What it calls while it answers is called by a web request."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self._thread.answers = True
            try:
                return store(environ, start_response)
            finally:
                self._thread.answers = False

        return answer

    def renew(self) -> None:
        """Forget the callbacks and the requests of the test before."""
        self.before = self.after = lambda _method, _path: None
        self.requests.clear()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        if self.open_transactions():
            pytest.fail(f"{method} {url} was sent inside a database transaction")  # nothing in the store catches it
        try:
            body, status, answered = super().request(method, url, headers, post_data)
        except BaseException:
            self.failed |= self._is_counted
            raise
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failed |= self._is_counted
        dated = CaseInsensitiveDict(answered)
        dated["Date"] = http_date(self.application.extensions["sandbox"].clock.now())  # as a server does
        return body, status, dated

    @property
    def _is_counted(self) -> bool:
        return getattr(self._thread, "answers", False)
