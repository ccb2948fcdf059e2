"""Templates, compiled once for each content of theirs and kept in a folder, as Python keeps its modules."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import jinja2
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

FOLDER = Path(__file__).parents[2] / ".cache" / "templates"
# What a template is compiled to depends on these, too; Jinja itself looks at its content and at the version of Python.
_SETTINGS = Path(__file__).with_name("context.py")


class CompiledTemplates(FileSystemBytecodeCache):
    """A store that may not write, or has no room left, compiles anew at each start."""

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def register(app: Flask, folder: Path = FOLDER) -> None:
    """Keep them in `folder`."""
    fingerprint = hashlib.sha256(_SETTINGS.read_bytes() + jinja2.__version__.encode()).hexdigest()[:16]
    own = folder / fingerprint
    with suppress(OSError):
        own.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = CompiledTemplates(str(own))
