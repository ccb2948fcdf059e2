"""Node.js for tests of JavaScript, which fail and say so without it."""

import shutil
import subprocess

import pytest

from tests.support.databases import ROOT


def run_node(*words: str) -> subprocess.CompletedProcess[str]:
    """What `node` did with these words, in the project's folder. Fails the test where Node.js is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("This test runs JavaScript and needs Node.js 20 or newer: https://nodejs.org")
    return subprocess.run(
        [node, "--no-warnings", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
