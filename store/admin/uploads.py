"""Forms with a file in them: larger than any other, and taken from the staff alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.errors import page_of_address
from store.web.read_timeout_worker import allow_upload
from store.web.security import LARGEST_FORM

View = TypeVar("View", bound=Callable[..., Any])

_LARGEST = "largest_file"
_READ_ON = 10  # times the largest file
_PIECE = 64 * 1024


def takes_a_file(largest: int) -> Callable[[View], View]:
    """The view takes a form with a file of so many bytes, from who may ask for it; what is larger is refused with a
    sentence.
    """

    def mark(view: View) -> View:
        setattr(view, _LARGEST, largest)
        return view

    return mark


def register(app: Flask) -> None:
    """Must come before what reads a form. From whom is not let in, no more is read than of any form."""
    app.before_request(_take)


def _take() -> ResponseReturnValue | None:
    view = current_app.view_functions.get(request.endpoint or "")
    largest: int | None = getattr(view, _LARGEST, None)
    if largest is None or request.method != "POST" or not guard.lets_in(view):
        return None
    allow_upload(request.environ)
    request.max_content_length = largest + LARGEST_FORM
    sent = request.content_length or 0
    if sent <= request.max_content_length:
        return None
    _forget(min(sent, _READ_ON * largest))
    flash(f"This file is larger than {largest / 1024**2:.3g} MB. Save it smaller, and upload that.", "bad")
    return redirect(page_of_address(), 303)


def _forget(count: int) -> None:
    """Read what is still being sent: a browser that is cut off while it sends never reads the answer."""
    body = request.environ["wsgi.input"]
    while count > 0 and (piece := body.read(min(count, _PIECE))):
        count -= len(piece)
