"""Structured logs: a JSON object a line, or coloured lines on a terminal. Nothing secret or personal is in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# The last line of defence: no caller should pass these, and if one does, they do not get out.
NEVER_LOGGED = frozenset(
    {
        *("client_secret", "secret_key", "webhook_secret", "authorization", "cookie"),
        *("email", "full_name", "phone", "card", "number", "body", "payload"),
    }
)


def configure(stream: Any = None) -> None:
    """Send the store's own logs to standard error, and keep libraries that log addresses or bodies quiet."""
    stream = stream or sys.stderr
    renderer: Any = structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _withhold,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    # Stripe's own log holds addresses with client secrets at INFO, and whole bodies at DEBUG.
    logging.getLogger("stripe").setLevel(logging.WARNING)


def _withhold(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in NEVER_LOGGED & entry.keys():
        entry[key] = "(withheld)"
    return entry
