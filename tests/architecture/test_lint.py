"""`make lint` is clean; each of its checks is a test, so that a test run says everything there is to say."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)  # with nothing kept of an earlier run, on a machine that has other things to do
@pytest.mark.parametrize("check", ["rules", "format", "types", "javascript"])
def test_lint_finds_nothing(check: str) -> None:
    done = subprocess.run(
        ["make", f"check-{check}"], cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )

    assert done.returncode == 0, f"make check-{check}\n{done.stdout}{done.stderr}"
