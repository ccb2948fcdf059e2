"""Gunicorn's settings beyond its command line: the store is imported once, and the workers are forked from that process
and share its memory.

    gunicorn --config python:store.server "app:create_app()"

What is imported stays. So Python looks for garbage neither while it is imported, nor later in what was: that would cost
a fifth of the start, and each worker a copy of its own. See what the documentation of `gc.freeze` says about fork.

Nothing may be open when a worker is forked: connections are made with the first request. New code takes a restart; a
HUP forks new workers of the same.
"""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from types import ModuleType

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

PAGES_FIRST = 2.0  # seconds

gc.disable()
# What comes with tools of developers alone: structlog imports Rich wherever it is, for coloured tracebacks that the
# store does not print, and SQLAlchemy greenlet, for asyncio. So their servers start as a merchant's do.
_OF_DEVELOPERS = ("rich", "greenlet")
# What is imported with the first calls to Stripe and never used, 5 MB of each worker: the circuit breaker's client for
# a state that processes share, and what Stripe's library tells the encoding of a text by, where JSON has but one. Where
# the rate limits are counted in Redis, its client is imported by then.
_NEVER_USED = ("redis", "charset_normalizer")

for _module in _OF_DEVELOPERS:
    sys.modules.setdefault(_module, None)  # type: ignore[arg-type]  # how Python is told that there is no such module
# limits imports its storages for asyncio wherever it is, and the store counts in none of them.
sys.modules.setdefault("limits.aio", ModuleType("limits.aio"))

preload_app = True


def when_ready(_arbiter: Arbiter) -> None:
    """Called once the store is imported, before the first worker is forked."""
    for module in _NEVER_USED:
        sys.modules.setdefault(module, None)  # type: ignore[arg-type]  # as above
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    gc.freeze()


def post_fork(_arbiter: Arbiter, _worker: Worker) -> None:
    """Called in each worker."""
    gc.enable()


def post_worker_init(worker: Worker) -> None:
    """Called in each worker before it answers requests. What is made on demand is made soon after, so that no shopper
    waits for it.
    """
    import_later = getattr(worker.wsgi, "extensions", {}).get("import_later")
    if import_later:
        timer = threading.Timer(PAGES_FIRST, import_later)
        timer.daemon = True
        timer.start()
