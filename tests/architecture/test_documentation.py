"""What the documents name exists: files, classes, functions and commands, and each term of the glossary stands once."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tools.planted import MISTAKES

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/glossary.md")
ALL_PAGES = ("README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")))
SOURCES = ("models.py", "config.py", "app.py", "store/**/*.py", "sandbox/till_sandbox/**/*.py")


def quoted(page: str) -> set[str]:
    """What a page has in backticks, and what its examples run."""
    text = (ROOT / page).read_text("utf-8")
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    return set(inline) | {f"make {target}" for target in re.findall(r"^make ([a-z-]+)", text, flags=re.MULTILINE)}


@cache
def names_by_place() -> dict[str, set[str]]:
    """Classes, functions and constants by the module, the package or the class that has them; all of them by ''."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in [file for part in SOURCES for file in sorted(ROOT.glob(part))]:
        tree = ast.parse(file.read_text("utf-8"))
        for place in ("", file.stem, file.parent.name):
            found[place] |= defined(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name] |= defined(node)
    return found


def defined(node: ast.Module | ast.ClassDef) -> set[str]:
    names = set()
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            names.add(child.name)
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            names.add(child.target.id)
        elif isinstance(child, ast.Assign):
            names |= {target.id for target in child.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("page", ALL_PAGES)
def test_every_file_that_a_document_names_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link}
    ours = r"(store|sandbox|tests|tools|docs|static|templates|migrations)/[\w./-]*"
    paths = {name for name in quoted(page) if re.fullmatch(ours, name)}

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_every_class_and_function_that_the_glossary_names_exists() -> None:
    places = names_by_place()
    terms = quoted("docs/glossary.md")
    names = {name for name in terms if re.fullmatch(r"[A-Z]\w+", name)}
    members = {name for name in terms if re.fullmatch(r"\w+\.[a-z_]+", name)}

    missing = [name for name in names if name not in places[""]]
    missing += [name for name in members if name.partition(".")[2] not in places[name.partition(".")[0]]]

    assert names
    assert members
    assert missing == []


def test_every_function_that_the_readme_names_is_in_its_file() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    steps = re.findall(r"`([\w/]+\.(?:py|js))`: `(\w+)`", text)

    missing = [step for step in steps if not re.search(rf"\b{step[1]}\b", (ROOT / step[0]).read_text("utf-8"))]

    assert steps
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_document_names_exists(page: str) -> None:
    cli = "".join(file.read_text("utf-8") for file in (ROOT / "store" / "cli").glob("*.py"))
    commands = {"flask db"} | {f"flask {name}" for name in re.findall(r'click\.(?:command|group)\("([a-z-]+)"', cli)}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {f"make {name}" for name in re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)}

    named = {match[0] for name in quoted(page) if (match := re.match(r"(\.venv/bin/)?(flask|make) [a-z-]+", name))}

    assert named
    assert {name.removeprefix(".venv/bin/") for name in named} <= commands | targets


def test_the_glossary_has_each_term_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    terms = [term for term in re.findall(r"^\| ([^|]+) \|", text, flags=re.MULTILINE) if term not in ("term", "---")]

    assert terms
    assert sorted(terms) == sorted(set(terms))


def test_the_page_about_the_proofs_has_every_mistake_that_is_planted() -> None:
    text = (ROOT / "docs" / "proof.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \|", text, flags=re.MULTILINE)[2:]

    assert rows == [mistake.name for mistake in MISTAKES]
