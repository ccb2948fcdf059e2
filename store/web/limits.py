"""How many orders one address, one browser and one e-mail may place: card testers order by the thousand, shoppers do
not.
"""

from __future__ import annotations

import hashlib

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from config import Settings
from store.domain import contacts
from store.web.current import services
from store.web.identity import known_browser

# While Redis is away each process counts by itself: shoppers go on ordering, and card testers are slowed all the same.
limiter = Limiter(get_remote_address, headers_enabled=True, swallow_errors=True, in_memory_fallback_enabled=True)


def register(app: Flask, settings: Settings) -> None:
    """Count in memory, each process by itself, or in Redis where RATE_LIMIT_STORAGE names one."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.rate_limit_storage
    limiter.init_app(app)


def orders_per_hour() -> str:
    return f"{services().settings.orders_per_hour} per hour"


def browser_or_address() -> str:
    """A browser with a cart is known by its cookie; those without one share their address’s count."""
    return f"browser {known_browser() or get_remote_address()}"


def email_or_address() -> str:
    """The e-mail address of the form, however it is spelled, as a digest: counts are logged and kept by their name."""
    try:
        email = contacts.email(request.form.get("email", "")).casefold()
    except contacts.NotAnEmail:
        return f"address {get_remote_address()}"  # nothing will be placed
    key = services().settings.signing_keys[-1].encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return f"email {hashlib.blake2b(email.encode(), key=key, digest_size=16).hexdigest()}"


def placed(response: Response) -> bool:
    """Only an order that was placed counts; a form with a mistake in it does not."""
    return response.status_code == 303


per_address = limiter.limit(orders_per_hour, key_func=get_remote_address, deduct_when=placed)
per_email = limiter.limit(orders_per_hour, key_func=email_or_address, deduct_when=placed)
per_browser = limiter.limit(orders_per_hour, key_func=browser_or_address, deduct_when=placed)
