"""`python -m tools.benchmark`: measure, print the table, and exit with 1 only where a round was not whole."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import tools.benchmark
from tools.benchmark import figures
from tools.benchmark.compare import COMPARED, RevisionMissing, checked_out
from tools.benchmark.environment import PackagesMissing
from tools.benchmark.figures import Row
from tools.benchmark.pgbench import PgbenchFailed
from tools.benchmark.revision import Revision
from tools.benchmark.run import Options, Run, machine, opened
from tools.benchmark.shopper import ShopFailed
from tools.benchmark.wholeness import NotWhole
from tools.benchmark.workloads import OPTIONAL, WORKLOADS
from tools.browser import BrowserMissing
from tools.postgres import PostgresUnavailable
from tools.programs import ProgramFailed

ROUNDS, SECONDS, ORDERS = 5, 3.0, 100_000
FAILURES = (NotWhole, ShopFailed, PgbenchFailed, ProgramFailed)

Measured = Callable[[Run], Iterator[Row]]


def main() -> int:
    options, compare, json_file = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that what was started is ended
    folder = Path(tempfile.mkdtemp(prefix="till-benchmark-"))
    try:
        about, rows, failed = _measure(options, compare, folder)
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has ended.", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    except (PostgresUnavailable, RevisionMissing, *FAILURES) as failure:
        print(f"{failure}\nWhat the programs said is in {folder}.", file=sys.stderr)
        return 1
    print(f"\n{figures.table(rows)}\n\n{options.rounds} rounds of {options.seconds:g} s each.", end=" ")
    if json_file:
        result = {"about": about, "seconds": options.seconds, "rows": [row.as_json() for row in rows]}
        json_file.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if failed:
        print(f"Not whole: {', '.join(failed)}. What the programs said is in {folder}.")
        return 1
    print("Every round was whole.")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _measure(options: Options, compare: str, folder: Path) -> tuple[dict[str, str], list[Row], list[str]]:
    """What was measured on, the rows, and the workloads that were not whole."""
    rows: list[Row] = []
    failed = []
    started = time.monotonic()
    with ExitStack() as closing:
        known: Mapping[str, Measured] = {**WORKLOADS, **OPTIONAL}
        if compare:
            other = closing.enter_context(checked_out(compare, folder))
            known = {name: _beside(other, measured) for name, measured in COMPARED.items()}
        run = closing.enter_context(opened(options, folder))
        about = machine(run)
        print("\n".join(f"{name:11} {said}" for name, said in about.items()), flush=True)
        for name in options.only:
            print(f"{time.monotonic() - started:4.0f} s  {name}", file=sys.stderr, flush=True)
            try:
                for row in known[name](run):
                    rows.append(row)
                    print(f"        {figures.line(row)}", file=sys.stderr, flush=True)
            except (BrowserMissing, PackagesMissing) as missing:
                print(f"{name} is left out: {missing}", file=sys.stderr)
            except FAILURES as failure:
                print(f"{name} failed. {failure}", file=sys.stderr, flush=True)
                failed.append(name)
    return about, rows, failed


def _beside(other: Revision, measured: Callable[[Run, Revision], Iterator[Row]]) -> Measured:
    return lambda run: measured(run, other)


def _options() -> tuple[Options, str, Path | None]:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark", description=tools.benchmark.__doc__)
    parser.add_argument("--only", help=f"some of the workloads, with commas between: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each measurement ({ROUNDS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a round ({SECONDS:g})")
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"in the large database of `growth` ({ORDERS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round there, too")
    parser.add_argument(
        "--with-djstripe",
        action="store_true",
        help="beside dj-stripe, too; it is installed with Django into an environment of its own",
    )
    parser.add_argument(
        "--compare",
        default="",
        metavar="REV",
        help=f"measure this store beside another revision instead: {', '.join(COMPARED)}",
    )
    given = parser.parse_args()
    known = COMPARED if given.compare else WORKLOADS
    only = tuple(given.only.split(",")) if given.only else tuple(known)
    if unknown := set(only) - set(known):
        parser.error(f"--only knows {', '.join(known)} here; not {', '.join(sorted(unknown))}.")
    if given.with_djstripe and not given.compare:
        only += tuple(OPTIONAL)
    if given.rounds < 1 or given.seconds <= 0 or given.orders < 1:
        parser.error("--rounds, --seconds and --orders are above zero.")
    return Options(given.rounds, given.seconds, given.orders, only), given.compare, given.json


if __name__ == "__main__":
    sys.exit(main())
