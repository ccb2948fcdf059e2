"""Serves the built static files, before Flask: each under the name of its content, to be kept for ever."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

from config import Settings
from store.static_build import CannotBuild, CannotJoin, StaticBuild, build
from store.web.presentation.declines import DECLINE_CODES
from store.web.presentation.details import REFUSED_DETAILS
from store.web.security import file_headers

__all__ = ["CannotBuild", "CannotJoin", "built", "register", "serve"]

_PATH = "/static"


def register(app: Flask, settings: Settings) -> None:
    """Serve what every store serves, and give templates `static_url`. Raises CannotBuild.

    Must come before what else wraps the application: the path arrives here without that of STORE_URL.
    """
    names = built().names

    def static_url(name: str) -> str:
        """The address of a file of `static/`, such as `css/pages/shop.css`; of one that is not there, a dead one."""
        return f"{settings.path_prefix}{_PATH}/{names.get(name, name)}"

    def add_headers(headers: Headers, _path: str, url: str) -> None:
        headers["ETag"] = f'"{url.rsplit(".", 2)[-2]}"'  # of its content, in its name
        for name, value in file_headers(settings, headers["Content-Type"] or "").items():
            headers[name] = value

    server = WhiteNoise(
        app.wsgi_app,
        allow_all_origins=False,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=add_headers,
    )
    app.wsgi_app = app.extensions["static_files"] = server  # type: ignore[method-assign]
    app.add_template_global(static_url)
    serve(app, "pages")


@cache
def built() -> StaticBuild:
    """What is in `static/` now, and every message about a refused card or detail. A process looks once: a change is
    seen after a restart. Raises CannotBuild and CannotJoin.
    """
    declines = [{"codes": codes, **asdict(message)} for message, codes in DECLINE_CODES.items()]
    refusals = {"declines": declines, "details": REFUSED_DETAILS}
    return build({"refusals.json": json.dumps(refusals, ensure_ascii=False).encode()})


def serve(app: Flask, kind: str) -> None:
    """Serve one kind of files, `pages` or `test_mode`, too."""
    server: WhiteNoise = app.extensions["static_files"]
    server.add_files(built().folder / kind, _PATH)
