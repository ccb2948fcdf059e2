"""An application that says how the worker that it runs in came to its memory."""

import gc
import importlib
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

IMPORTED_BY = os.getpid()
made_in: set[int] = set()  # the processes in which what is made on demand was made


def make_on_demand() -> None:
    importlib.import_module("pybreaker")  # as the first call to Stripe does
    made_in.add(os.getpid())


def app(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    imported = {"imported_by_worker": os.getpid() == IMPORTED_BY}
    garbage = {"collects_garbage": gc.isenabled(), "sweeps_what_was_imported": gc.get_freeze_count() == 0}
    later = {"made_on_demand": os.getpid() in made_in, "knows_redis": "redis.client" in sys.modules}
    return [json.dumps(imported | garbage | later).encode()]


app.extensions = {"import_later": make_on_demand}  # type: ignore[attr-defined]  # as a store has them
