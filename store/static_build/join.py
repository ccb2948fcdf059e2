"""Joins ES modules into one script and style sheets into one sheet.

Joining is what a bundler does. Those that come as a Python package hold a whole JavaScript engine or do not install on
every Python (docs/decisions/0016-what-browsers-are-sent.md), so it is done here for the few forms that the modules of
this project use: `import { a, b as c } from "./x.js"`; `export` before a function, a class or a constant; and an
`import(…)` of an address that is known only in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import rjsmin

from store.static_build.build import CannotJoin

# As `rjsmin` leaves them.
_IMPORT = re.compile(r'import\{([^}]*)\}from"(\.[^"]+)";?\n?')
_EXPORT = re.compile(r"\bexport (?=(?:async function|function|class|const) (\w+))")
_OTHER_FORM = re.compile(r"\b(?:import(?!\([\w.]+\))|export)\b[^;\n]{0,60}")

_SHEET = re.compile(r'@import "([^"]+)";\n?')
_STRING, _COMMENT, _LAYOUT = r'("[^"]*")', r"/\*.*?\*/", r";?\s*(\})\s*|\s*([{;,>])\s*|(:)\s+|(\s)\s*"
_CSS_COMMENT = re.compile(f"{_STRING}|{_COMMENT}", re.DOTALL)
_CSS_LAYOUT = re.compile(f"{_STRING}|{_LAYOUT}")
_ADDRESS = re.compile(r'\burl\("([^"]+)"\)')


def script(entry: Path) -> str:
    """`entry` and every module that it imports, minified, as one module that exports what `entry` does.

    Each module keeps a scope of its own and runs once, before those that import it. Raises CannotJoin.
    """
    numbers: dict[Path, int] = {}
    parts: list[str] = []

    def add(file: Path, importing: tuple[Path, ...]) -> int:
        if file in importing:
            raise CannotJoin(f"{file} imports itself, by way of {importing[-1]}.")
        if file not in numbers:
            code = rjsmin.jsmin(_read(file))
            code = _IMPORT.sub(lambda found: take(found, file, (*importing, file)), code)
            exported = _EXPORT.findall(code)
            code = _EXPORT.sub("", code)
            if other := _OTHER_FORM.search(code):
                raise CannotJoin(f"{file} has a form of import or export that is not joined: {other[0]}")
            numbers[file] = len(parts)
            parts.append(f"const m{len(parts)}=(()=>{{{code}\nreturn{{{','.join(exported)}}}}})();")
            if not importing and exported:
                parts.append(f"export const{{{','.join(exported)}}}=m{numbers[file]};")
        return numbers[file]

    def take(found: re.Match[str], file: Path, importing: tuple[Path, ...]) -> str:
        names = found[1].replace(" as ", ":")
        return f"const{{{names}}}=m{add((file.parent / found[2]).resolve(), importing)};"

    add(entry.resolve(), ())
    return "\n".join(parts)


def sheet(entry: Path, address_of: Callable[[Path], str]) -> str:
    """`entry` with every sheet that it imports in its place, minified; one that is imported twice stands once.

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

    return without_layout(add(entry.resolve()))


def without_layout(sheet: str) -> str:
    """A style sheet without comments, and without blanks that mean nothing. One before a colon means something."""
    sheet = _CSS_COMMENT.sub(lambda found: found[1] or " ", sheet)
    return _CSS_LAYOUT.sub(lambda found: (found.lastindex and found[found.lastindex]) or "", sheet).strip()


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise CannotJoin(f"{file} is imported and does not exist.") from None
