"""One name, one thing: no class of the store has another's name, and a test's name is a sentence one can read."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_SENTENCE = 70  # characters of a test's name after `test_`


def definitions(folder: str) -> Iterator[tuple[Path, ast.stmt]]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield file.relative_to(ROOT), node


def test_no_class_name_is_defined_twice_in_the_store() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file, node in definitions("store"):
        if isinstance(node, ast.ClassDef):
            places[node.name].append(str(file))

    assert places
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_a_test_is_named_by_a_sentence_of_at_most_seventy_characters() -> None:
    names = [
        f"{file}: {node.name}"
        for file, node in definitions("tests")
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]

    too_long = [name for name in names if len(name.partition(": test_")[2]) > LONGEST_SENTENCE]

    assert names
    assert too_long == []
