"""The store that the current request is served by."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from store.services.till import Till


def till() -> Till:
    """The parts `create_app` put together for this application."""
    store: Till = current_app.extensions["till"]
    return store


def now() -> datetime:
    """The store's time: aware, UTC."""
    return till().clock()
