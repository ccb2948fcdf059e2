"""How many orders one address, one browser and one e-mail may place in an hour: card testers try by the thousand,
shoppers do not. How many cards may be declined on them: `store/services/card_testing.py`.
"""

from __future__ import annotations

import hashlib
import math
import time

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.errors import StorageError

from config import Settings
from store.domain import contacts
from store.services.card_testing import Shopper
from store.web.current import services
from store.web.identity import known_browser
from store.web.limit_storage import IN_MEMORY

# While Redis does not answer, each process counts by itself: shoppers go on ordering, card testers are still slowed.
limiter = Limiter(
    get_remote_address,
    swallow_errors=True,
    in_memory_fallback_enabled=True,
    storage_options={"wrap_exceptions": True},
)


def register(app: Flask, settings: Settings) -> None:
    """Count in memory, each process by itself, or in Redis where RATE_LIMIT_STORAGE names one."""
    address = settings.rate_limit_storage
    app.config["RATELIMIT_STORAGE_URI"] = IN_MEMORY if address == "memory://" else address
    limiter.init_app(app)
    # It also looks before each request for limits of all views, of which there are none; a view that is limited looks
    # by itself.
    app.before_request_funcs[None].remove(limiter._check_request_limit)  # it has no setting for that


def retry_after() -> int | None:
    """Seconds until the limit that refused this request takes one more; None where no limit did, or nobody knows."""
    limit = limiter.current_limit
    try:
        return max(math.ceil(limit.reset_at - time.time()), 1) if limit is not None and limit.breached else None
    except StorageError:
        return None


def orders_per_hour() -> str:
    return f"{services().settings.orders_per_hour} per hour"


def address() -> str:
    return f"address {get_remote_address()}"


def browser_or_address() -> str:
    """A browser with a cart is known by its cookie; those without one share their address’s count."""
    return f"browser {known_browser() or get_remote_address()}"


def email_or_address() -> str:
    """The e-mail address of the form, however it is spelled, as a digest: counts are logged and kept by their name."""
    digest = _email_digest()
    return address() if digest is None else f"email {digest}"  # without one nothing will be placed


def shopper() -> Shopper:
    """Who sends this request, as far as it is known."""
    return Shopper(known_browser(), _digest(get_remote_address()), _email_digest())


def placed(response: Response) -> bool:
    """Only an order that was placed counts; a form with a mistake in it does not."""
    return response.status_code == 303


# Discount codes are not to be guessed by trying all.
updates = limiter.limit("600 per minute", key_func=address)
# Each of these asks the payment service several times.
page_changes = limiter.limit("60 per minute", key_func=browser_or_address)
per_address = limiter.limit(orders_per_hour, key_func=address, deduct_when=placed)
per_browser = limiter.limit(orders_per_hour, key_func=browser_or_address, deduct_when=placed)
per_email = limiter.limit(orders_per_hour, key_func=email_or_address, deduct_when=placed)


def _email_digest() -> str | None:
    """None where the request is not a form with an e-mail address. Asked for several times in a request."""
    if "email_digest" not in g:
        try:
            # A body that comes with a page's address is not read.
            typed = request.form.get("email", "") if request.method == "POST" else ""
            g.email_digest = _digest(contacts.email(typed).casefold())
        except contacts.NotAnEmail:
            g.email_digest = None
    digest: str | None = g.email_digest
    return digest


def _digest(text: str) -> str:
    """What stands for an address: it is the same for the same address, and nobody can tell the address from it."""
    key = services().settings.signing_keys[-1].encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(text.encode(), key=key, digest_size=16).hexdigest()
