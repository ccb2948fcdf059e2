"""The store that the current request is served by."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from store.services.services import Services


def services() -> Services:
    """The parts `create_app` put together for this application."""
    store: Services = current_app.extensions["services"]
    return store


def now() -> datetime:
    """The store's time: aware, UTC."""
    return services().clock()
