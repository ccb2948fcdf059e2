"""Builds the static files, once for each content of `static/`, and knows under which name each is served.

A built file is named by its content and never changes, so any number of processes may build at once, and the files of
earlier builds stay where they are: a page that was open before an update still finds its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
SOURCES, BUILT = ROOT / "static", ROOT / ".cache" / "static"

# Pages link these; every other script and sheet is a part of one of them. What only developers see is kept apart, so
# that a store with live keys can leave it out.
ENTRIES = ("pages", "test_mode")
_JOINED = (".css", ".js")


class CannotJoin(Exception):
    """A module or a sheet is written in a way that cannot be joined; the message says where and what."""


class CannotBuild(Exception):
    """There are no static files of this version; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class StaticBuild:
    """The folder of the built files, and the built name of each source, both as in `css/pages/shop.css`.

    The folder has one folder for all that every store serves, `pages`, and one for what is served in test mode alone.
    """

    folder: Path
    names: Mapping[str, str]


def build(more: Mapping[str, bytes], sources: Path = SOURCES, folder: Path = BUILT) -> StaticBuild:
    """The static files of what `sources` hold now, and of `more` by name, built unless they are in `folder` already.

    A folder with a finished build is only read. Raises CannotBuild and CannotJoin.
    """
    list_of_names = folder / f"{_fingerprint(sources, more)}.json"
    if not list_of_names.exists():
        try:
            names = {name: _add(folder, name, content) for name, content in _contents(sources, more)}
            _write(list_of_names, json.dumps(names).encode())
        except OSError as problem:
            raise CannotBuild(
                f"The static files of this version are not built, and cannot be written to {folder} "
                f"({problem.strerror}). Run `make static` as a user who may write there."
            ) from problem
    return StaticBuild(folder, json.loads(list_of_names.read_bytes()))


def _fingerprint(sources: Path, more: Mapping[str, bytes]) -> str:
    """Of everything that a build depends on: the sources, and the code that builds."""
    digest = hashlib.sha256(repr(sorted(more.items())).encode())
    for root in (sources, Path(__file__).parent):
        for file in _files(root):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root)} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _files(root: Path) -> list[Path]:
    """What an editor or a system keeps beside them is none of ours."""
    found = (file for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return sorted(file for file in found if not file.name.startswith("."))


def _contents(sources: Path, more: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """What is served, by the name of its source."""
    from store.static_build import join  # with the minifiers, which are needed for building alone

    yield from more.items()
    pictures = {file: _name(sources, file) for file in _files(sources) if file.suffix not in _JOINED}
    for file, name in pictures.items():
        yield name, file.read_bytes()
    for kind in ENTRIES:
        for entry in sorted((sources / "js" / kind).glob("*.js")):
            yield _name(sources, entry), join.script(entry).encode()
        for entry in sorted((sources / "css" / kind).glob("*.css")):
            here = PurePosixPath(_name(sources, entry)).parent

            def address_of(file: Path, here: PurePosixPath = here) -> str:
                if file not in pictures:
                    raise CannotJoin(f"A style sheet names {file}, which does not exist.")
                return os.path.relpath(_named_by_content(pictures[file], file.read_bytes()), here)

            yield _name(sources, entry), join.sheet(entry, address_of).encode()


def _name(sources: Path, file: Path) -> str:
    return file.relative_to(sources).as_posix()


def _named_by_content(name: str, content: bytes) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"))


def _add(folder: Path, name: str, content: bytes) -> str:
    """Write the file and its compressed forms; returns its built name."""
    from whitenoise.compress import Compressor

    built = _named_by_content(name, content)
    kind = next((kind for kind in reversed(ENTRIES) if kind in PurePosixPath(name).parts), ENTRIES[0])
    file = folder / kind / built
    if Compressor(quiet=True).should_compress(name):
        forms = {".br": Compressor.compress_brotli(content), ".gz": Compressor.compress_gzip(content)}
        for suffix, form in forms.items():
            if len(form) < len(content):
                _write(file.with_name(file.name + suffix), form)
    _write(file, content)
    return built


def _write(file: Path, content: bytes) -> None:
    """At once and whole, for every user to read: another process may be writing the same."""
    for folder in reversed(file.parents):
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
    descriptor, written = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "wb") as output:
        output.write(content)
    Path(written).chmod(0o644)
    os.utime(written, (0, 0))  # its name says which content it is: no answer needs to say since when
    Path(written).replace(file)
