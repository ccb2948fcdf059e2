"""The benchmark runs and compares; how fast it is on which machine is nobody's test."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_benchmark_prints_a_ratio_for_each_call() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "till_sandbox", "bench", "--requests", "8", "--rounds", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(\w+) +[\d,]+ +\d+% +1 : \d+\.\d$", done.stdout, re.MULTILINE) == [
        "create",
        "confirm",
        "retrieve",
    ]
    assert "sk_test" not in done.stdout + done.stderr
