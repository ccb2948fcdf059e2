"""Node.js for tests of JavaScript. `make setup-test` installs what they import; without it they fail and say so."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
#: The npm packages of the repository, beside whose package.json they are installed.
PACKAGES = PROJECT.parent / "node_modules"


def run_node(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What `node` did with these words, in the sandbox's folder. Fails the test where Node.js is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("This test runs JavaScript and needs Node.js 20 or newer: https://nodejs.org")
    return _run(node, "--no-warnings", *words, environment=environment)


def bundle(entry: Path, script: Path) -> None:
    """One script for browsers of a module in JSX and all it imports, as a shop's build makes it for development."""
    require_packages("esbuild")
    options = ["--bundle", "--jsx=automatic", '--define:process.env.NODE_ENV="development"', "--log-level=warning"]
    command = [str(PACKAGES / ".bin" / "esbuild"), str(entry), f"--outfile={script}", *options]
    done = _run(*command, environment={"NODE_PATH": str(PACKAGES)})  # wherever the entry is
    if done.returncode:
        pytest.fail(f"{entry.name} could not be bundled:\n{done.stderr}")


def require_packages(*names: str) -> None:
    """Fails the test where one of these npm packages is not installed."""
    missing = [name for name in names if not (PACKAGES / name / "package.json").is_file()]
    if missing:
        pytest.fail(f"npm packages are missing: {', '.join(missing)}. `make setup-test` installs them.")


def _run(*command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
