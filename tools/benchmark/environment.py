"""A virtual environment for the time of a run, with packages that this project's own does not have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class PackagesMissing(Exception):
    """They cannot be installed; the message says why."""


def environment(folder: Path, *packages: str) -> Path:
    """Where the programs of a new environment with these packages are. Raises PackagesMissing."""
    programs = folder / "bin"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(programs / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackagesMissing(done.stderr.strip()[-2000:])
    return programs
