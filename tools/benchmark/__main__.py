"""`python -m tools.benchmark`: measure, print the table, and exit with 1 only where a round was not whole."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import tools.benchmark
from tools.benchmark import figures
from tools.benchmark.figures import Row
from tools.benchmark.pgbench import PgbenchFailed
from tools.benchmark.run import Options, machine, opened
from tools.benchmark.shopper import ShopFailed
from tools.benchmark.wholeness import NotWhole
from tools.benchmark.workloads import WORKLOADS
from tools.postgres import PostgresUnavailable
from tools.programs import ProgramFailed

ROUNDS, SECONDS, ORDERS = 5, 3.0, 100_000


def main() -> int:
    options, json_file = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that what was started is ended
    folder = Path(tempfile.mkdtemp(prefix="till-benchmark-"))
    started = time.monotonic()
    rows: list[Row] = []
    try:
        with opened(options, folder) as run:
            about = machine(run)
            print("\n".join(f"{name:11} {said}" for name, said in about.items()), flush=True)
            for name in options.only:
                print(f"{time.monotonic() - started:4.0f} s  {name} …", file=sys.stderr, flush=True)
                rows += WORKLOADS[name](run)
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has ended.", file=sys.stderr)
        return 130
    except (NotWhole, ShopFailed, PgbenchFailed, PostgresUnavailable, ProgramFailed) as failure:
        print(f"{failure}\nWhat the programs said is in {folder}.", file=sys.stderr)
        return 1
    print(f"\n{figures.table(rows)}\n\n{options.rounds} rounds of {options.seconds:g} s; every round was whole.")
    shutil.rmtree(folder, ignore_errors=True)
    if json_file:
        result = {"about": about, "seconds": options.seconds, "rows": [row.as_json() for row in rows]}
        json_file.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _options() -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark", description=tools.benchmark.__doc__)
    parser.add_argument("--only", help=f"some of the workloads, with commas between: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each measurement ({ROUNDS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a round ({SECONDS:g})")
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"in the large database of `growth` ({ORDERS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every round there, too")
    given = parser.parse_args()
    only = tuple(given.only.split(",")) if given.only else tuple(WORKLOADS)
    if unknown := set(only) - set(WORKLOADS):
        parser.error(f"--only knows {', '.join(WORKLOADS)}; not {', '.join(sorted(unknown))}.")
    if given.rounds < 1 or given.seconds <= 0 or given.orders < 1:
        parser.error("--rounds, --seconds and --orders are above zero.")
    return Options(given.rounds, given.seconds, given.orders, only), given.json


if __name__ == "__main__":
    sys.exit(main())
