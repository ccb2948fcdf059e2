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

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

gc.disable()

preload_app = True


def when_ready(_arbiter: Arbiter) -> None:
    """Called once the store is imported, before the first worker is forked."""
    gc.freeze()


def post_fork(_arbiter: Arbiter, _worker: Worker) -> None:
    """Called in each worker."""
    gc.enable()
