"""Structured logs: a JSON object a line, or coloured lines on a terminal. Nothing secret or personal is in them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

# A safeguard: no caller should pass these, and if one does, they are not logged.
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
            _add_where,
            _withhold,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    if not stream.isatty():
        sys.excepthook = _log_uncaught
    # Stripe's own log holds addresses with client secrets at INFO, and whole bodies at DEBUG.
    logging.getLogger("stripe").setLevel(logging.WARNING)


def where(failure: BaseException) -> str:
    """The kind of a failure, what caused it, and the lines of code they came from, the innermost last.

    Without their messages: those are made of whatever was being worked on, such as an address or a secret.
    """
    causes: list[BaseException] = []
    cause: BaseException | None = failure
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " because of ".join(f"{type(cause).__name__} at {_lines(cause)}" for cause in causes)


def _lines(failure: BaseException) -> str:
    frames = traceback.extract_tb(failure.__traceback__)
    return ", ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames) or "nowhere"


def _log_uncaught(_kind: type[BaseException], failure: BaseException, _trace: Any) -> None:
    """What ended a command. On a terminal Python prints it instead, with its message."""
    structlog.get_logger(__name__).critical("ended by a failure", failure=where(failure))


def _add_where(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In place of a traceback, which ends with the failure's message."""
    if entry.pop("exc_info", None):
        failure = sys.exc_info()[1]
        entry["failure"] = where(failure) if failure is not None else "unknown"
    return entry


def _withhold(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in NEVER_LOGGED & entry.keys():
        entry[key] = "(withheld)"
    return entry
