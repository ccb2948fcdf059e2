"""Stripe's official Node.js library works with the sandbox as it is; only told another address.

The checks are written in JavaScript, in node/library.mjs; here each of them is a test of its own.
"""

import re
from pathlib import Path

import pytest

from harness.node import require_packages, run_node
from harness.processes import SandboxProcess

PROGRAM = Path(__file__).parent / "node" / "library.mjs"
CHECKS = re.findall(r'^test\("(.+)", async', PROGRAM.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program says about each check, in the Test Anything Protocol: from its `ok` or `not ok` on."""
    require_packages("stripe")
    with SandboxProcess(tmp_path_factory.mktemp("node"), key="sk_test_sandbox") as sandbox:
        environment = {"SANDBOX_PORT": str(sandbox.port)}
        done = run_node("--test", "--test-reporter=tap", str(PROGRAM), environment=environment)
    results = re.split(r"^(?=(?:not )?ok \d+ - )", done.stdout, flags=re.MULTILINE)[1:]
    if not results:
        pytest.fail(f"the program did not run:\n{done.stdout}{done.stderr}")
    return {result.splitlines()[0].partition(" - ")[2]: result for result in results}


def test_there_are_checks(report: dict[str, str]) -> None:
    assert CHECKS
    assert list(report) == CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=[check.replace(" ", "_") for check in CHECKS])
def test_the_official_node_library(check: str, report: dict[str, str]) -> None:
    assert report[check].startswith("ok "), report[check]
