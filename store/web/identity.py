"""Who is asking: the cart and the browser, two unguessable names in Flask's signed cookie."""

from __future__ import annotations

from flask import session

from store.domain.references import new_token
from store.services.orders import Access

_CART, _BROWSER, _GRANTED = "cart", "browser", "granted"

MOST_GRANTED = 20  # what a cookie holds without growing large


def cart_id() -> str | None:
    """The cart of this browser, or None while it has none."""
    return _text(_CART)


def remember_cart(name: str) -> None:
    """Keep `name` as this browser's cart, and name the browser: two tabs that place its first order at once then place
    it for the same browser.
    """
    session[_CART] = name
    browser_id()
    session.permanent = True


def browser_id() -> str:
    """This browser's name, made when its cart is: orders are shown to whoever carries it."""
    known = known_browser()
    if known is None:
        session.permanent = True
        known = session[_BROWSER] = new_token()
    return known


def known_browser() -> str | None:
    """This browser's name, or None if it has neither a cart nor an order."""
    return _text(_BROWSER)


def grant(reference: str) -> None:
    """Let this browser see an order that another one placed."""
    if reference not in granted():
        session.permanent = True
        session[_GRANTED] = [*granted(), reference][-MOST_GRANTED:]


def granted() -> list[str]:
    """The orders of other browsers that this one may see."""
    value = session.get(_GRANTED)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def access() -> Access:
    """What this browser has shown: its name, and the signed links that it has followed."""
    return Access(browser_id=known_browser(), references=frozenset(granted()))


def _text(key: str) -> str | None:
    value = session.get(key)
    return value if isinstance(value, str) and value else None
