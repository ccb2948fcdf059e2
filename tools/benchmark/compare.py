"""`--compare REV`: two revisions of the store against each other, in alternating rounds, each with its own database.

The other revision is checked out beside this one and runs by its own Procfile. It gets a virtual environment of its
own where it asks for other packages.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tools.benchmark import load
from tools.benchmark.environment import PackagesMissing, environment
from tools.benchmark.figures import Row, Series, percentile, ratio
from tools.benchmark.payers import StorePayer, warm_up
from tools.benchmark.revision import Revision
from tools.benchmark.run import CONNECTIONS, Run
from tools.benchmark.turns import in_turns
from tools.benchmark.visited import BROWSER, VisitedStore
from tools.benchmark.workloads import counts, placing, startup, weight
from tools.programs import ROOT

S = TypeVar("S")

REQUIREMENTS = "requirements.txt"


class RevisionMissing(Exception):
    """The other revision cannot be had; the message says why."""


@contextmanager
def checked_out(name: str, folder: Path) -> Iterator[Revision]:
    """A revision of this repository, in `folder` until the block ends. Raises RevisionMissing."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise RevisionMissing(f"--compare: this repository has no revision {name}.")
    tree = folder / "other"
    _git("worktree", "add", "--detach", str(tree), commit)
    try:
        yield Revision(name, tree, _programs_for(tree, folder))
    finally:
        _git("worktree", "remove", "--force", str(tree))


def _programs_for(tree: Path, folder: Path) -> Path:
    """This environment's programs, or those of a new one where the revision asks for other packages."""
    if (tree / REQUIREMENTS).read_text("utf-8") == (ROOT / REQUIREMENTS).read_text("utf-8"):
        return Path(sys.executable).parent
    print("The other revision asks for other packages; it gets an environment of its own.", file=sys.stderr, flush=True)
    made = folder / "venv"
    try:
        return environment(made, "-r", str(tree / REQUIREMENTS))
    except PackagesMissing as missing:
        raise RevisionMissing(f"--compare: the packages of the other revision cannot be had:\n{missing}") from None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and arguments[0] == "worktree":
        raise RevisionMissing(f"--compare: git {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.strip()


def webhook(run: Run, other: Revision) -> Iterator[Row]:
    """Paying webhooks, on 16 connections and on one."""
    with run.only_here():
        payers = [StorePayer(run, revision, "webhook") for revision in (run.ours, other)]
        warm_up(payers, CONNECTIONS)

        def rate(payer: StorePayer) -> float:
            return payer.round(run.options.seconds, CONNECTIONS).rate

        def latency(payer: StorePayer) -> float:
            return percentile(payer.round(run.options.seconds / 3, 1).latencies, 0.5) * 1000

        yield ratio("paying webhook", f"rate: of {other.name}", *_both(run, payers, rate))
        yield ratio("paying webhook", f"one connection: p50 to {other.name}", *_both(run, payers, latency), unit=" ms")


def pages(run: Run, other: Revision) -> Iterator[Row]:
    """Payment page, polls of the status, catalogue."""
    with run.only_here():
        stores = [VisitedStore(run, revision, "pages") for revision in (run.ours, other)]
        requests = {store: store.open_orders() | {"catalogue": [load.request("GET", "/", BROWSER)]} for store in stores}
        for name in requests[stores[0]]:
            for store in stores:
                store.rate(requests[store][name], 0.5)

            def rate(store: VisitedStore, name: str = name) -> float:
                return store.rate(requests[store][name], run.options.seconds)

            yield ratio("pages", f"{name}: of {other.name}", *_both(run, stores, rate))


def placed(run: Run, other: Revision) -> Iterator[Row]:
    """Orders placed on one product through HTTP."""
    with run.only_here():
        stores = [placing.PlacingStore(run, revision, "placing") for revision in (run.ours, other)]
        for store in stores:
            store.round(placing.WARM_UP)

        def rate(store: placing.PlacingStore) -> float:
            return store.round(run.options.seconds)

        yield ratio(placing.NAME, f"through HTTP: of {other.name}", *_both(run, stores, rate))


def _both(run: Run, sides: Sequence[S], measure: Callable[[S], float]) -> tuple[Series, Series]:
    ours, other = sides
    mine, its = in_turns(run.options.rounds, {"ours": lambda: measure(ours), "other": lambda: measure(other)})
    return mine, its


COMPARED: Mapping[str, Callable[[Run, Revision], Iterator[Row]]] = {
    "webhook": webhook,
    "statements": counts.compared,
    "pages": pages,
    "placing": placed,
    "weight": weight.compared,
    "startup": startup.compared,
}
