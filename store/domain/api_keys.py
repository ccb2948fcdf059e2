"""Keys with which other programs ask for orders and stock: what each may do, and how one is made and recognised."""

from __future__ import annotations

import hashlib
import re
import secrets
from enum import StrEnum

LONGEST_NAME = 40  # characters
_TOKEN = re.compile(r"(till_[0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a program may do. Writing does not include reading."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    STOCK_READ = "stock:read"
    STOCK_WRITE = "stock:write"


def new_token() -> str:
    """A key such as `till_1f0c9a2e_…`: what comes before the second `_` tells it from others, the rest are 256 random
    bits.
    """
    return f"till_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def prefix_of(token: str) -> str | None:
    """What tells this key from others; None for what cannot be one."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def digest(token: str) -> str:
    """What is kept of a key. One pass of SHA-256 is right for it: a slow hash makes up for passwords that can be
    guessed, and nobody goes through 256 random bits; and it is computed for each request.
    """
    return hashlib.sha256(token.encode()).hexdigest()
