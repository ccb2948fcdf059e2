"""The files of the products' pictures, for browsers: each under the name of its content, to be kept for ever."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Final

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue

from config import ROOT
from store.domain.pictures import FOLDER, NO_PICTURE, Picture
from store.services import pictures
from store.web.current import services

blueprint = Blueprint("pictures", __name__)

TYPES: Final = {"webp": "image/webp", "jpg": "image/jpeg"}
_NAME = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(TYPES)})", re.ASCII)
_FOR_EVER = "public, max-age=31536000, immutable"
_KEPT = 16 * 1024 * 1024  # bytes


class RecentFiles:
    """The files that were asked for last, up to so many bytes: a page of the shop has two dozen, and asks the database
    for none of these. For any number of threads.
    """

    def __init__(self, most: int = _KEPT) -> None:
        self._most, self._bytes = most, 0
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        with self._lock:
            if name in self._files:
                self._files.move_to_end(name)
            return self._files.get(name)

    def put(self, name: str, body: bytes) -> None:
        with self._lock:
            self._bytes += len(body) - len(self._files.pop(name, b""))
            self._files[name] = body
            while self._bytes > self._most:
                self._bytes -= len(self._files.popitem(last=False)[1])


def register(app: Flask) -> None:
    app.extensions["recent_files"] = RecentFiles()
    app.register_blueprint(blueprint)


@blueprint.get("/pictures/<name>")
def show(name: str) -> ResponseReturnValue:
    """A file of a picture. Of one that was removed, a drawing that says so: orders and pages in other tabs name it."""
    found = _NAME.fullmatch(name)
    body = _read(name) if found else None
    if found is None or body is None:
        drawing = (ROOT / "static" / NO_PICTURE).read_bytes()
        return Response(drawing, 404, {"Cache-Control": "no-store"}, mimetype="image/svg+xml")
    response = Response(body, 200, {"Cache-Control": _FOR_EVER}, mimetype=TYPES[found[1]])
    response.set_etag(name)
    return response.make_conditional(request)


def image_url(image: str) -> str:
    """The address of what a product shows: of a file of a picture, or of a drawing in `static/`."""
    if image.startswith(FOLDER):
        return f"{services().settings.path_prefix}/{image}"
    address: str = current_app.jinja_env.globals["static_url"](image)  # type: ignore[operator]  # a function of ours
    return address


def srcset(picture: Picture, kind: str) -> str:
    """The files of a picture of one kind, `webp` or `jpeg`, with their widths, as HTML lists them."""
    return ", ".join(f"{image_url(FOLDER + getattr(size, kind))} {size.width}w" for size in picture.sizes)


def fallback(picture: Picture) -> str:
    """The address of the file for browsers that choose none themselves."""
    return image_url(FOLDER + picture.sizes[min(1, len(picture.sizes) - 1)].jpeg)


def _read(name: str) -> bytes | None:
    recent: RecentFiles = current_app.extensions["recent_files"]
    body = recent.get(name)
    if body is None:
        with services().database.reading() as session:
            body = pictures.read_file(session, name)
        if body is not None:
            recent.put(name, body)
    return body
