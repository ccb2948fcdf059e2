"""`python -m tools.chaos`: run it, print the report, and exit with 1 unless money and orders agree."""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tools.chaos import report
from tools.chaos.plan import draw
from tools.chaos.run import run

ORDERS, ORDERS_ON_SQLITE = 2000, 300


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that what was started is ended
    postgres = options.database == "postgresql"
    orders = options.orders or (ORDERS if postgres else ORDERS_ON_SQLITE)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    folder = Path(tempfile.mkdtemp(prefix="till-chaos-"))
    print(f"{orders} shoppers, {options.at_once} at once, on {options.database}. SEED={seed} has the same plan again.")
    plan = draw(seed, orders, database_restarts=postgres)
    case, outcome = run(plan, folder, postgres=postgres, at_once=options.at_once, capture=options.capture)
    print(f"\n{report.write(case, outcome)}")
    if outcome.agrees:
        shutil.rmtree(folder)
        return 0
    again = f"make chaos SEED={seed} ORDERS={orders} DATABASE={options.database} CAPTURE={options.capture}"
    print(f"Logs and every order's history are kept in {folder}. The same again: {again}")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=sys.modules["tools.chaos"].__doc__)
    parser.add_argument("--orders", type=int, help=f"shoppers ({ORDERS}; on SQLite {ORDERS_ON_SQLITE})")
    parser.add_argument("--seed", type=int, help="of everything drawn by chance; left out, a new one")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--capture", choices=("on_payment", "on_shipping"), default="on_payment")
    parser.add_argument("--at-once", type=int, default=24, help="shoppers at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
