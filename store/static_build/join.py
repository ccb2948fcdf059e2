"""Joins ES modules into one script and style sheets into one sheet.

Joining is what a bundler does. Those that come as a Python package hold a whole JavaScript engine or do not install on
every Python (docs/decisions/0016-what-browsers-are-sent.md), so it is done here for the few forms that the modules of
this project use: `import { a, b } from "./x.js"`; `export` before a function, a class or a constant; and an `import(…)`
of an address that is known only in the browser. Modules of one page share one scope, so their names differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import rjsmin

from store.static_build.build import CannotJoin

# As `rjsmin` leaves them.
_IMPORT = re.compile(r'import\{([\w,]*)\}from"(\.[^"]+)";?\n?')
_EXPORT = re.compile(r"\bexport (?=(?:async function|function|class|const) (\w+))")
_OTHER_FORM = re.compile(r"\b(?:import(?!\([\w.]+\))|export)\b[^;\n]{0,60}")
_NO_NAME = re.compile(r'"[^"\n]*"|(?<=[{,])\w+:')  # a string, and a key as in `{name:1}`
# As they are written: what begins a line is not inside anything.
_NAMED = re.compile(r"^(?:export )?(?:async function|function|class|const|let) (\w+)", re.MULTILINE)
_OTHER_NAMED = re.compile(
    r"^(?:export )?(?:var\b|(?:async )?function ?\*|(?:const|let) (?:\W|\w+(?: = [^\n(\[{]*)?, )).{0,60}", re.MULTILINE
)

_SHEET = re.compile(r'@import "([^"]+)";\n?')
_STRING, _COMMENT, _LAYOUT = r'("[^"]*")', r"/\*.*?\*/", r";?\s*(\})\s*|\s*([{;,>])\s*|(:)\s+|(\s)\s*"
_CSS_COMMENT = re.compile(f"{_STRING}|{_COMMENT}", re.DOTALL)
_CSS_LAYOUT = re.compile(f"{_STRING}|{_LAYOUT}")
_BRACE = re.compile(f"{_STRING}|([{{}}])")
_ADDRESS = re.compile(r'\burl\("([^"]+)"\)')


@dataclass(frozen=True, slots=True)
class _Module:
    code: str
    names: frozenset[str]  # that it gives to all of itself
    imported: frozenset[str]
    exported: tuple[str, ...]


def script(entry: Path) -> str:
    """`entry` and every module that it imports, minified, as one module that exports what `entry` does.

    Each module runs once, before those that import it, and all in one scope: what a module names at its top, no other
    one may name or use without an import. Raises CannotJoin.
    """
    modules: dict[Path, _Module] = {}

    def add(file: Path, importing: tuple[Path, ...]) -> None:
        if file in importing:
            raise CannotJoin(f"{file} imports itself, by way of {importing[-1]}.")
        if file in modules:
            return
        text = _read(file)
        code = rjsmin.jsmin(text)
        imports = _IMPORT.findall(code)
        for _, address in imports:
            add((file.parent / address).resolve(), (*importing, file))
        code = _IMPORT.sub("", code)
        exported = tuple(_EXPORT.findall(code))
        code = _EXPORT.sub("", code).strip("\n")
        if other := _OTHER_FORM.search(code) or _OTHER_NAMED.search(text):
            raise CannotJoin(f"{file} has a form that is not joined: {other[0]}")
        imported = frozenset(name for names, _ in imports for name in names.split(","))
        modules[file] = _Module(code, frozenset(_NAMED.findall(text)), imported, exported)

    add(entry.resolve(), ())
    _check_names(modules)
    exported = modules[entry.resolve()].exported
    parts = [module.code for module in modules.values()]
    return "\n".join([*parts, f"export{{{','.join(exported)}}};"] if exported else parts)


def _check_names(modules: dict[Path, _Module]) -> None:
    """A name that two modules give is an error in a browser; one that a module has for its own, be it the browser's
    name for something, would be found in another module by mistake.
    """
    given = {name: file for file, module in modules.items() for name in module.names}
    for file, module in modules.items():
        foreign = [name for name, other in given.items() if other != file and name not in module.imported]
        if not foreign:
            continue
        used = re.compile(rf"(?:(?<![.\w$#-])|(?<=\.\.\.))(?:{'|'.join(foreign)})(?![\w$])")
        if found := used.search(_NO_NAME.sub("", module.code)):
            name = found[0]
            raise CannotJoin(f"{given[name]} names `{name}` at its top, and {file} has that name without importing it.")


def sheet(entry: Path, address_of: Callable[[Path], str]) -> str:
    """`entry` with every sheet that it imports in its place, minified; one that is imported twice stands once, and what
    follows on each other in one layer is one block.

    `address_of` gives the address of a file that a sheet names, seen from the joined sheet. Raises CannotJoin.
    """
    joined: set[Path] = set()

    def add(file: Path) -> str:
        if file in joined:
            return ""
        joined.add(file)
        code = _ADDRESS.sub(lambda found: f'url("{address_of((file.parent / found[1]).resolve())}")', _read(file))
        code = _SHEET.sub(lambda found: add((file.parent / found[1]).resolve()), code)
        if "@import" in code:
            raise CannotJoin(f'{file} has an @import that is not written as @import "x.css";')
        return code

    return _whole_layers(without_layout(add(entry.resolve())))


def _whole_layers(sheet: str) -> str:
    """A block that goes on with the layer of the one before is the same block."""
    parts: list[str] = []
    layer = ""
    depth = ended = begun = 0
    for brace in _BRACE.finditer(sheet):
        if brace[2] == "{":
            depth += 1
            begun = brace.end() if depth == 1 else begun
        elif brace[2] == "}":
            depth -= 1
            if depth:
                continue
            before, _, head = sheet[ended : begun - 1].rpartition(";")
            inside = sheet[begun : brace.start()]
            if head == layer and not before:
                parts[-1:] = [inside, "}"]
            else:
                parts += [before and f"{before};", head, "{", inside, "}"]
            layer = head if head.startswith("@layer ") else ""
            ended = brace.end()
    return "".join([*parts, sheet[ended:]])


def without_layout(sheet: str) -> str:
    """A style sheet without comments, and without blanks that mean nothing. One before a colon means something."""
    sheet = _CSS_COMMENT.sub(lambda found: found[1] or " ", sheet)
    return _CSS_LAYOUT.sub(lambda found: (found.lastindex and found[found.lastindex]) or "", sheet).strip()


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise CannotJoin(f"{file} is imported and does not exist.") from None
