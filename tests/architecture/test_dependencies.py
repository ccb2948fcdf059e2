"""What is installed is what pyproject.toml asks for, and every direct dependency has its reason."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNNING: list[str] = PROJECT["project"]["dependencies"]
DEVELOPING: list[str] = PROJECT["dependency-groups"]["dev"]


def pins(requirements: str) -> set[str]:
    """The `name==version` of every line, without the platforms it is meant for."""
    lines = (ROOT / requirements).read_text().splitlines()
    return {line.partition(";")[0].strip() for line in lines if line and not line.lstrip().startswith("#")}


def test_every_direct_dependency_is_pinned_where_it_is_installed_from() -> None:
    assert set(RUNNING) <= pins("requirements.txt")
    assert set(DEVELOPING) <= pins("requirements-dev.txt")


def test_every_pin_is_exact() -> None:
    everything = pins("requirements.txt") | pins("requirements-dev.txt")

    assert [pin for pin in everything if not re.fullmatch(r"[a-z0-9._-]+==[0-9a-z.]+", pin)] == []


def test_the_tests_run_on_what_the_store_runs_on() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_direct_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()
    rows = set(re.findall(r"^\| `([^`]+)`", page, flags=re.MULTILINE))

    assert rows == {dependency.partition("==")[0] for dependency in RUNNING + DEVELOPING} | npm_packages()


def npm_packages() -> set[str]:
    return set(json.loads((ROOT / "package.json").read_text())["devDependencies"])
