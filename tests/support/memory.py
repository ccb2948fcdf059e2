"""An application that says how the worker that it runs in came to its memory."""

import gc
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

IMPORTED_BY = os.getpid()
made_in: set[int] = set()  # the processes in which what is made on demand was made


def app(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    imported = {"imported_by_worker": os.getpid() == IMPORTED_BY}
    garbage = {"collects_garbage": gc.isenabled(), "sweeps_what_was_imported": gc.get_freeze_count() == 0}
    return [json.dumps(imported | garbage | {"made_on_demand": os.getpid() in made_in}).encode()]


app.extensions = {"import_later": lambda: made_in.add(os.getpid())}  # type: ignore[attr-defined]  # as a store has them
