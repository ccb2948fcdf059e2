"""The program that sends the current request, by its key."""

from __future__ import annotations

from flask import g

from models import ApiKey
from store.services.history import Origin, Source
from store.services.staff_log import Actor
from store.web.current import now


def key() -> ApiKey:
    """Its key. Only behind a view that needs a scope."""
    found: ApiKey = g.api_key
    return found


def key_or_none() -> ApiKey | None:
    """Its key, where one was shown that works."""
    found: ApiKey | None = g.get("api_key")
    return found


def origin() -> Origin:
    """What the history names for what is done in this request."""
    return Origin(Source.PROGRAM, now(), _name())


def actor() -> Actor:
    """What the staff's log names for it."""
    return Actor(_name(), now())


def _name() -> str:
    return f"key {key().name}"
