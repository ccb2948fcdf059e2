"""The sandbox beside an endpoint that does nothing: its own benchmark, `python -m till_sandbox benchmark`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from tools.benchmark.figures import Goal, Row
from tools.benchmark.run import Run
from tools.programs import ROOT, ProgramFailed

NAME = "sandbox"
REQUESTS = 300
GOALS = {"create": Goal("≥", 0.5), "confirm": Goal("≥", 0.5), "retrieve": None}


def run(run: Run) -> Iterator[Row]:
    command = [str(run.ours.programs / "python"), "-m", "till_sandbox", "benchmark"]
    command += ["--requests", str(REQUESTS), "--rounds", str(run.options.rounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    shares = {
        found[1]: (float(found[3]) / 100, found[2])
        for found in re.finditer(r"^(\w+) +([\d,]+) +(\d+)%", done.stdout, flags=re.MULTILINE)
    }
    if done.returncode or not shares.keys() >= GOALS.keys():
        raise ProgramFailed(f"The sandbox's own benchmark failed:\n{done.stdout}{done.stderr}")
    for name, goal in GOALS.items():
        share, rate = shares[name]
        detail = f"{rate}/s; the median of {run.options.rounds} rounds"
        yield Row(NAME, f"{name}: of an endpoint that does nothing", (share,), goal, detail)
