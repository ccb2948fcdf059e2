"""An application that says how the worker that it runs in came to its memory."""

import gc
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

IMPORTED_BY = os.getpid()


def app(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    imported = {"imported_by_worker": os.getpid() == IMPORTED_BY}
    garbage = {"collects_garbage": gc.isenabled(), "sweeps_what_was_imported": gc.get_freeze_count() == 0}
    return [json.dumps(imported | garbage).encode()]
