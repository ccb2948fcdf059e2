"""One word for each thing: no class name means two things in the package."""

import ast
from collections import Counter
from pathlib import Path

import till_sandbox

PACKAGE = Path(till_sandbox.__file__).parent


def test_no_class_name_is_defined_twice() -> None:
    names = Counter(
        node.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )

    assert [name for name, times in names.items() if times > 1] == []
