"""Stripe's official Node.js library works with the sandbox as it is; only told another address.

The checks are written in JavaScript, in node/library.mjs; here each of them is a test of its own.
"""

import re
from pathlib import Path

import pytest

from tests.support.node import require_packages, run_node
from tests.support.processes import SandboxProcess
from tools.programs import free_port

PROGRAM = Path(__file__).parent / "node" / "library.mjs"
CHECKS = re.findall(r'^test\("(.+)", async', PROGRAM.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the program says about each check, in the Test Anything Protocol: from its `ok` or `not ok` on."""
    require_packages("stripe")
    folder, port = tmp_path_factory.mktemp("node"), free_port()
    sandbox = SandboxProcess(folder, port, forward_to=f"http://127.0.0.1:{free_port()}/nobody")
    sandbox.start()
    try:
        done = run_node("--test", "--test-reporter=tap", str(PROGRAM), environment={"SANDBOX_PORT": str(port)})
    finally:
        sandbox.stop()
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
