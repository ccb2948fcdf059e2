"""Other programs that ask the store for orders and stock, with a key of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from store.domain.api_keys import Scope
from store.services import api_keys
from store.services.staff_log import Actor
from tests.support.shop import Shop

OWNER = "owner@shop.example"


@dataclass
class Program:
    """A program with a key."""

    shop: Shop
    token: str

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> TestResponse:
        return self.ask("GET", path, query_string=query or {})

    def post(self, path: str, body: Mapping[str, Any] | None = None, once: str | None = None) -> TestResponse:
        """Ask for a change, under a new idempotency key unless it is the same `once`."""
        return self.ask("POST", path, json=body or {}, headers={"Idempotency-Key": once or uuid4().hex})

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> TestResponse:
        """Send anything at all, to a path under /api/v1."""
        shown = {"Authorization": f"Bearer {self.token}"} | dict(headers or {})
        return self.shop.app.test_client().open(f"/api/v1{path}", method=method, headers=shown, **more)

    def restart(self) -> None:
        """The API is served by the shop's process of now."""
        self.shop.app.extensions["api"].application.extensions["services"] = self.shop.services


def program(shop: Shop, *scopes: Scope, name: str = "Warehouse") -> Program:
    """A program whose key has these scopes, or all of them."""
    _key, token = api_keys.add(shop.services, name, scopes or tuple(Scope), Actor(OWNER, shop.clock()))
    return Program(shop, token)
