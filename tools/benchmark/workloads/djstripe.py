"""The paying webhook beside dj-stripe, with `--with-djstripe`: with a handler of the order, and in its callback mode.

dj-stripe and Django are no packages of this project; they get an environment of their own for the time of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from tools.benchmark.environment import environment
from tools.benchmark.figures import Goal, Row, ratio
from tools.benchmark.payers import OtherPayer, OtherShop, Payer, StorePayer, warm_up
from tools.benchmark.revision import Revision
from tools.benchmark.run import CONNECTIONS, Run
from tools.benchmark.turns import in_turns
from tools.benchmark.wholeness import DJSTRIPE_BOOKS
from tools.programs import ROOT

NAME = "paying webhook beside dj-stripe"
MODULE = "tools.benchmark.yardsticks.djstripe_shop"
PACKAGES = ("dj-stripe==2.11.0", "django==5.2.19", "stripe==15.6.2")
SHARED = ("gunicorn", "psycopg2-binary")  # in the very versions that the store runs on
GOALS = {"handler": Goal("≥", 10), "callback": Goal("≥", 3)}


def run(run: Run) -> Iterator[Row]:
    """Raises PackagesMissing."""
    shared = [f"{package}=={version(package)}" for package in SHARED]
    runs_on = Revision("dj-stripe", ROOT, environment(run.folder / "djstripe", *PACKAGES, *shared))
    with run.only_here():
        event = run.model(run.ours).paid
        ours = StorePayer(run, run.ours, "beside dj-stripe")
        others = [OtherPayer(run, _shop(mode), runs_on, event) for mode in GOALS]
        payers: list[Payer] = [ours, *others]
        warm_up(payers, CONNECTIONS)
        seconds = run.options.seconds
        mine, *its = in_turns(
            run.options.rounds,
            {
                payer.name: lambda payer=payer: payer.round(seconds, CONNECTIONS).rate  # type: ignore[misc]
                for payer in payers
            },
        )
        for (mode, goal), other in zip(GOALS.items(), its, strict=True):
            yield ratio(NAME, f"of dj-stripe, {mode} mode", mine, other, goal)


def _shop(mode: str) -> OtherShop:
    return OtherShop(f"djstripe {mode}", MODULE, DJSTRIPE_BOOKS, {"MODE": mode}, worker_class="gthread")
