"""How many orders one address, one browser and one e-mail may place, and how many cards may be declined on them: card
testers try by the thousand, shoppers do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.errors import StorageError

from config import Settings
from models import Order
from store.domain import contacts
from store.domain.errors import TooManyDeclines
from store.services import card_testing
from store.web.current import now, services
from store.web.identity import known_browser

P = ParamSpec("P")
R = TypeVar("R")

AN_HOUR = 60 * 60
MOST_REMEMBERED = 30  # orders of an hour, whose declines are counted, the newest

# While Redis does not answer, each process counts by itself: shoppers go on ordering, card testers are still slowed.
limiter = Limiter(
    get_remote_address,
    headers_enabled=True,
    swallow_errors=True,
    in_memory_fallback_enabled=True,
    storage_options={"wrap_exceptions": True},
)


def register(app: Flask, settings: Settings) -> None:
    """Count in memory, each process by itself, or in Redis where RATE_LIMIT_STORAGE names one."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.rate_limit_storage
    limiter.init_app(app)


def orders_per_hour() -> str:
    return f"{services().settings.orders_per_hour} per hour"


def address() -> str:
    return f"address {get_remote_address()}"


def browser_or_address() -> str:
    """A browser with a cart is known by its cookie; those without one share their address’s count."""
    return f"browser {known_browser() or get_remote_address()}"


def email_or_address() -> str:
    """The e-mail address of the form, however it is spelled, as a digest: counts are logged and kept by their name."""
    if request.method != "POST":
        return address()  # a body that comes with a page's address is not read
    try:
        email = contacts.email(request.form.get("email", "")).casefold()
    except contacts.NotAnEmail:
        return address()  # nothing will be placed
    key = services().settings.signing_keys[-1].encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return f"email {hashlib.blake2b(email.encode(), key=key, digest_size=16).hexdigest()}"


def placed(response: Response) -> bool:
    """Only an order that was placed counts; a form with a mistake in it does not."""
    return response.status_code == 303


per_address = limiter.limit(orders_per_hour, key_func=address, deduct_when=placed)
per_browser = limiter.limit(orders_per_hour, key_func=browser_or_address, deduct_when=placed)
per_email = limiter.limit(orders_per_hour, key_func=email_or_address, deduct_when=placed)


def few_declines(view: Callable[P, R]) -> Callable[P, R]:
    """Shows `view` only while fewer cards than DECLINES_PER_HOUR were declined on the orders that this address, this
    browser, and the e-mail of the form, placed in this hour and the one before. Raises TooManyDeclines.
    """

    @wraps(view)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        settings = services().settings
        orders = {order for name in _names() for order in _orders_of(name)}
        if len(orders) * settings.max_declines >= settings.declines_per_hour:  # with fewer orders it is not reached
            with services().database.reading() as session:
                declines = card_testing.count_declines(session, orders)
            if declines >= settings.declines_per_hour:
                raise TooManyDeclines
        return view(*args, **kwargs)

    return limited


def remember(order: Order) -> None:
    """Let an order's declines count for who placed it in this request. Which orders an address has placed is known for
    two hours, and only where the limits are counted.
    """
    with suppress(StorageError):
        for name in _names():
            if order.id not in _orders_of(name):
                row = f"{name} {_hours()[-1]}"
                place = limiter.storage.incr(f"orders {row}", 2 * AN_HOUR)
                limiter.storage.incr(f"order {place} {row}", 2 * AN_HOUR, amount=order.id)


def _names() -> set[str]:
    return {address(), browser_or_address(), email_or_address()}


def _orders_of(name: str) -> list[int]:
    """The numbers of orders, from counters: they are all that every storage of the limits can keep."""
    found = []
    with suppress(StorageError):
        for row in (f"{name} {hour}" for hour in _hours()):
            newest = limiter.storage.get(f"orders {row}")
            places = range(max(newest - MOST_REMEMBERED, 0) + 1, newest + 1)
            found += [limiter.storage.get(f"order {place} {row}") for place in places]
    return found


def _hours() -> tuple[int, int]:
    this = int(now().timestamp()) // AN_HOUR
    return this - 1, this
