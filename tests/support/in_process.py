"""The official SDK on the sandbox in the same process. It refuses to be called inside a database transaction."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from requests.structures import CaseInsensitiveDict
from werkzeug.http import http_date

from till_sandbox import testing


class InProcessStripe(testing.InProcessStripe):
    """Fails whoever calls Stripe while `open_transactions` says there are any.

    `failed` says whether a call got no response, or one that says that Stripe is overloaded or failed.
    """

    def __init__(self, application: Flask) -> None:
        super().__init__(application)
        self.open_transactions: Callable[[], int] = lambda: 0
        self.failed = False

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
            self.failed = True
            raise
        self.failed |= status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        dated = CaseInsensitiveDict(answered)
        dated["Date"] = http_date(self.application.extensions["sandbox"].clock.now())  # as a server does
        return body, status, dated
