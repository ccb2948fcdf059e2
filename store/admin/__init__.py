"""The merchant's pages, under `/admin`: an application of its own beside the shop's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from store.gateway.deadline import RequestDeadline
from store.web.on_demand import OnDemand

if TYPE_CHECKING:
    from store.admin.passwords import Passwords

PATH = "/admin"


def register(shop: Flask, request_deadline: RequestDeadline) -> None:
    """Answer what is under `/admin`. Needs `shop.extensions["services"]`, and is called before the web's own."""

    def make() -> Flask:
        from store.admin.application import create  # what it needs, no shopper does

        return create(shop, request_deadline)

    entry = AdminEntry(shop, PATH, make)
    shop.wsgi_app = shop.extensions["admin"] = entry  # type: ignore[method-assign]


class AdminEntry(OnDemand):
    """The way to the merchant's pages."""

    @property
    def passwords(self) -> Passwords:
        """Which passwords are taken, for who sets them at a terminal."""
        from store.admin.passwords import Passwords  # as above

        return Passwords(self.application)
