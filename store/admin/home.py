"""The address `/admin`: the first part that who is signed in may see."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.domain.staff import Role

blueprint = Blueprint("home", __name__)


@blueprint.get("")
@guard.allowed(Role.PACKING)
def show() -> ResponseReturnValue:
    return redirect(url_for("orders.index"), 303)
