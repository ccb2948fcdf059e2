"""Checkout Sessions for tests, and customers that pay them without a browser."""

from collections.abc import Callable
from typing import Any

import stripe
from flask.testing import FlaskClient

TEA: dict[str, Any] = {
    "price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}},
    "quantity": 2,
}
#: Creates a session of some tea, with what is given changed; None leaves out.
Open = Callable[..., stripe.checkout.Session]


def opener(client: stripe.StripeClient) -> Open:
    def open_session(**params: Any) -> stripe.checkout.Session:
        asked: Any = {"mode": "payment", "success_url": "https://shop.example/done?id={CHECKOUT_SESSION_ID}"}
        asked |= {"line_items": [TEA]} if params.get("mode") != "setup" else {}
        asked |= params
        left: Any = {name: value for name, value in asked.items() if value is not None}
        return client.v1.checkout.sessions.create(left)

    return open_session


def pay(http: FlaskClient, session: str, **said: Any) -> dict[str, Any]:
    """A customer pays on the page; what the control API answers."""
    answer = http.post(f"/sandbox/checkout_sessions/{session}/pay", json=said)
    body: dict[str, Any] = answer.get_json()
    return body
