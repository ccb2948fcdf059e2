"""The JSON API for other programs, under `/api/v1`: an application of its own beside the shop's. It reads no cookie,
knows no session and answers everything in JSON.
"""

from __future__ import annotations

from flask import Flask

from store.gateway.deadline import RequestDeadline
from store.web.on_demand import OnDemand

PATH = "/api/v1"


def register(shop: Flask, request_deadline: RequestDeadline) -> None:
    """Answer what is under `/api`. Needs `shop.extensions["services"]`, and is called before the web's own."""

    def make() -> Flask:
        from store.api.application import create  # what it needs, no shopper does

        return create(shop, request_deadline)

    entry = OnDemand(shop, "/api", make)
    shop.wsgi_app = shop.extensions["api"] = entry  # type: ignore[method-assign]
