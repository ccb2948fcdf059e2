"""What stands at the top of every page: the parts of the admin that who is signed in may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for

from store.admin import guard
from store.domain.staff import Role
from store.web.current import services


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the admin: its name, its first page, who may see it."""

    name: str
    endpoint: str
    role: Role = Role.PACKING

    @property
    def address(self) -> str:
        return url_for(self.endpoint)

    @property
    def current(self) -> bool:
        return self.endpoint.partition(".")[0] == request.blueprint


PARTS = (
    Part("Today", "home.show"),
    Part("Orders", "orders.index"),
    Part("Products", "products.index", Role.OWNER),
    Part("Charges", "charges.index", Role.OWNER),
    Part("Coupons", "coupons.index", Role.OWNER),
    Part("Money", "money.index", Role.OWNER),
    Part("Webhooks", "webhooks.index", Role.SERVICE),
    Part("Programs", "programs.index", Role.OWNER),
    Part("Staff", "team.listing", Role.OWNER),
)


def register(app: Flask) -> None:
    """Give templates the parts, who is signed in, and what they may do."""

    @app.context_processor
    def shared() -> dict[str, Any]:
        return {
            "parts": [part for part in PARTS if guard.may(part.role)],
            "member": guard.member_or_none(),
            "may": lambda role: guard.may(Role(role)),
            "shop_address": f"{services().settings.path_prefix}/",
            "is_live": services().settings.live,
        }
