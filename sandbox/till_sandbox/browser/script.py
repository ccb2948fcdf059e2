"""Each script a browser loads as one file, put together from the ES modules it is written in.

A page that loads Stripe.js expects `Stripe` to be there as soon as the script has run, which modules cannot promise;
and a card field is there sooner when its frame asks for one file instead of ten. The modules keep to a small part of
the language so that joining them needs no build step: they import by name from relative paths, export declarations
only, and no two of them in one script use the same name at the top.
"""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "js"

_IMPORT = re.compile(r'^import \{[^}]*\} from "(?P<path>\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) )", re.MULTILINE)
_TOP_LEVEL_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (?P<name>[\w$]+)", re.MULTILINE)


@cache
def assemble(entry: str) -> str:
    """The classic script that begins at a module, such as "stripe/main.js".

    Raises ValueError when two modules declare the same name.
    """
    modules = _in_order(_FOLDER / entry)
    sources = {path: _EXPORT.sub("", _IMPORT.sub("", text)) for path, text in modules.items()}
    _refuse_clashes(sources)
    body = "\n".join(f"// {path.relative_to(_FOLDER)}\n{source}" for path, source in sources.items())
    return f'(() => {{\n"use strict";\n\n{body}}})();\n'


def _in_order(entry: Path) -> dict[Path, str]:
    """Every module that is reached from the entry, each after those it imports."""
    ordered: dict[Path, str] = {}
    visited: set[Path] = set()

    def visit(path: Path) -> None:
        if path in visited:
            return
        visited.add(path)
        text = path.read_text(encoding="utf-8")
        for found in _IMPORT.finditer(text):
            visit((path.parent / found["path"]).resolve())
        ordered[path] = text

    visit(entry.resolve())
    return ordered


def _refuse_clashes(sources: dict[Path, str]) -> None:
    owners: dict[str, Path] = {}
    for path, source in sources.items():
        for name in _TOP_LEVEL_NAME.findall(source):
            if owners.setdefault(name, path) != path:
                raise ValueError(f"{name} is declared in {owners[name].name} and in {path.name}.")
