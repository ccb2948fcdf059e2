"""The official SDK on a WSGI application in the same process: no socket, no port, and a line that can break."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from flask import Flask
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client
from werkzeug.wrappers import Response


class InProcessStripe(stripe.HTTPClient):
    """Answers the Stripe SDK from the application. `before` and `after` may raise to play a broken line.

    Fails whoever calls Stripe while `open_transactions` says there are any.
    """

    name = "in-process"

    def __init__(self, application: Flask) -> None:
        super().__init__()
        self.application = application
        self.open_transactions: Callable[[], int] = lambda: 0
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.after: Callable[[str, str], None] = lambda _method, _path: None
        self.requests: list[tuple[str, str]] = []

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
        parts = urlsplit(url)
        self.requests.append((method.upper(), parts.path))
        self.before(method.upper(), parts.path)
        try:
            answer = Client(self.application, Response).open(
                parts.path, method=method.upper(), query_string=parts.query, headers=dict(headers or {}), data=post_data
            )
        except (ConnectionResetError, TimeoutError) as broken:  # what the sandbox was told to do to the connection
            raise stripe.APIConnectionError(str(broken), should_retry=True) from broken  # type: ignore[no-untyped-call]  # the SDK types it not
        self.after(method.upper(), parts.path)
        return answer.get_data(as_text=True), answer.status_code, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """Nothing is kept open."""
