"""What is installed is what pyproject.toml asks for, and every direct dependency has its reason."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNNING: list[str] = PROJECT["project"]["dependencies"]
DEVELOPING: list[str] = PROJECT["dependency-groups"]["dev"]

# Documented as parts of Flask, Flask-Migrate, pydantic-settings and Flask-WTF, which are asked for.
CORE_OF_A_FRAMEWORK = {"alembic", "click", "jinja2", "markupsafe", "pydantic", "werkzeug", "wtforms"}


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
    rows = re.findall(r"^\| `([^`]+)`", page, flags=re.MULTILINE)

    packages = [dependency.partition("==")[0] for dependency in RUNNING + DEVELOPING]
    assert sorted(rows) == sorted([*packages, *npm_packages()])


def test_every_npm_package_is_pinned_exactly() -> None:
    assert [version for version in npm_packages().values() if not re.fullmatch(r"[0-9]+(\.[0-9]+){2}", version)] == []


def test_every_imported_package_is_a_declared_dependency() -> None:
    """Not only borrowed from what another dependency happens to bring, which may stop bringing it."""
    asked_for = {normal(dependency.partition("==")[0]) for dependency in RUNNING + DEVELOPING}
    providers = packages_distributions()

    borrowed = {
        f"{file.relative_to(ROOT)}: {root}"
        for file in python_files()
        for root in imported_roots(file)
        if root in providers and not asked_for & {normal(provider) for provider in providers[root]}
        if root not in CORE_OF_A_FRAMEWORK
    }

    assert borrowed == set()


def python_files() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for folder in ("store", "sandbox", "tools", "tests", "migrations"):
        yield from (ROOT / folder).rglob("*.py")


def imported_roots(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in plain | from_}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def npm_packages() -> dict[str, str]:
    """Version by name."""
    folders = (ROOT, ROOT / "tools" / "lighthouse")
    packages = [json.loads((folder / "package.json").read_text())["devDependencies"] for folder in folders]
    return {name: version for group in packages for name, version in group.items()}
