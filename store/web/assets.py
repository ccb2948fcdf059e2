"""Static files under addresses that change with their content, so that a browser may keep them for a year."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.security import safe_join

_VERSION = "v"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"


def register(app: Flask) -> None:
    """`url_for("static", …)` gains a content hash; files asked for by it are kept, all others are asked for again."""
    versions: dict[str, tuple[float, str]] = {}

    def version(filename: str) -> str | None:
        """The start of the file's SHA-256, read again only when the file has changed; None when there is none."""
        path = safe_join(str(app.static_folder), filename)
        if path is None or not Path(path).is_file():
            return None
        changed = Path(path).stat().st_mtime
        known = versions.get(filename)
        if known is None or known[0] != changed:
            known = versions[filename] = (changed, hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12])
        return known[1]

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values and _VERSION not in values:
            found = version(values["filename"])
            if found is not None:
                values[_VERSION] = found

    @app.after_request
    def say_how_long(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in (200, 304):
            asked = request.args.get(_VERSION)
            filename = (request.view_args or {}).get("filename", "")
            known = asked is not None and asked == version(filename)
            response.headers["Cache-Control"] = _FOREVER if known else _ASK_AGAIN
        return response
