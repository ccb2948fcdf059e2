"""Filled carts in bulk, and the requests that place their orders, as a browser at the checkout sends them.

The cookie is Flask's own signed session; so it can be made for a further cart once one was seen.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Engine, MetaData, text

from tools.benchmark import load
from tools.benchmark.numbering import PRODUCTS
from tools.benchmark.revision import SETTINGS
from tools.benchmark.shopper import DETAILS, Shopper

HOT_PRODUCT = PRODUCTS[0]  # what all of these carts hold one piece of


class Carts:
    """Carts like the one that a shopper has filled, each of another browser."""

    def __init__(self, engine: Engine, shopper: Shopper) -> None:
        self._engine = engine
        self._cookie = shopper.cookie
        self._cart = _serializer().loads(self._cookie.partition("=")[2])["cart"]
        self._form = {**DETAILS, "csrf_token": shopper.token}

    def make(self, first: int, last: int) -> None:
        """Carts with these numbers."""
        with self._engine.begin() as connection:
            tables = MetaData()
            tables.reflect(connection, only=["carts", "cart_lines"])
            values = {"cart": self._cart, "first": first, "last": last, "product": HOT_PRODUCT}
            for table, link in (("carts", "id"), ("cart_lines", "cart_id")):
                new = {link: "'benchmark-cart-' || n", "product_id": ":product"}
                names = [column.name for column in tables.tables[table].columns]
                chosen = ", ".join(new.get(each, each) for each in names)
                connection.execute(
                    text(
                        f"INSERT INTO {table} ({', '.join(names)}) WITH RECURSIVE numbers(n) AS "
                        "(SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
                        f"SELECT {chosen} FROM {table}, numbers WHERE {link} = :cart"
                    ),
                    values,
                )

    def requests(self, first: int, last: int) -> list[bytes]:
        """“Continue to payment” for each of these carts."""
        return [self._request(number) for number in range(first, last + 1)]

    def _request(self, number: int) -> bytes:
        headers = {
            "Cookie": signed_cookie(self._cookie, cart=cart_id(number), browser=browser_id(number)),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = {**self._form, "email": f"shopper-{number}@example.com"}  # whoever orders twice is partly known
        return load.request("POST", "/checkout", headers, urlencode(form).encode())


def signed_cookie(cookie: str, **changes: object) -> str:
    """The same cookie, with other values in its session."""
    name, _, value = cookie.partition("=")
    serializer = _serializer()
    return f"{name}={serializer.dumps({**serializer.loads(value), **changes})}"


def cart_id(number: int) -> str:
    return f"benchmark-cart-{number}"


def browser_id(number: int) -> str:
    return f"benchmark-browser-{number}"


@cache
def _serializer() -> Any:
    app = Flask("benchmark")
    app.secret_key = SETTINGS["SECRET_KEY"]
    return SecureCookieSessionInterface().get_signing_serializer(app)
