"""The benchmark runs and compares; how fast it is on which machine is nobody's test."""

import re

from harness.processes import run_sandbox


def test_the_benchmark_prints_a_ratio_for_each_call() -> None:
    done = run_sandbox("benchmark", "--requests", "8", "--rounds", "1")

    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(\w+) +[\d,]+ +\d+% +1 : \d+\.\d$", done.stdout, re.MULTILINE) == [
        "create",
        "confirm",
        "retrieve",
    ]
    assert "sk_test" not in done.stdout + done.stderr
