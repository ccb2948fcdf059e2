"""From the start of the program to its first 200, beside an application that has only what everybody needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from tools.benchmark.figures import Goal, Row, ratio
from tools.benchmark.revision import WEBHOOK_SECRET, Revision, Server
from tools.benchmark.run import Run
from tools.benchmark.turns import in_turns
from tools.programs import ProgramFailed

NAME = "start"
BARE = "tools.benchmark.yardsticks.bare:app"
ANSWERS_WITHIN = 60.0
LOOKS_EVERY = 0.005


def run(run: Run) -> Iterator[Row]:
    url = run.databases.create("start", template=run.model(run.ours).database)
    bare = {"STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET, "DATABASE_URL": url}
    ours, its = in_turns(
        run.options.rounds,
        {
            "ours": lambda: _seconds(run.ours.store(url, run.sandbox, run.log("start"))),
            "bare": lambda: _seconds(run.ours.yardstick(BARE, bare, run.log("start_bare"), worker_class="gthread")),
        },
    )
    yield ratio(NAME, "first 200: of flask, flask-sqlalchemy and stripe", ours, its, Goal("≤", 1.2), unit=" s")


def compared(run: Run, other: Revision) -> Iterator[Row]:
    """Beside another revision."""
    urls = {
        revision.name: run.databases.create(f"start_{number}", template=run.model(revision).database)
        for number, revision in enumerate((run.ours, other))
    }
    ours, its = in_turns(
        run.options.rounds,
        {
            revision.name: lambda revision=revision: _seconds(  # type: ignore[misc]
                revision.store(urls[revision.name], run.sandbox, run.log("start"))
            )
            for revision in (run.ours, other)
        },
    )
    yield ratio(NAME, f"first 200: of {other.name}", ours, its, unit=" s")


def _seconds(server: Server) -> float:
    """How long it takes until the first page is there; it is ended then."""
    started = time.perf_counter()
    try:
        server.start_only()
        while not _is_there(server.port):
            if time.perf_counter() - started > ANSWERS_WITHIN:
                raise ProgramFailed(f"No page within {ANSWERS_WITHIN:g} seconds; see {server.log}.")
            time.sleep(LOOKS_EVERY)
        return time.perf_counter() - started
    finally:
        server.kill()


def _is_there(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
