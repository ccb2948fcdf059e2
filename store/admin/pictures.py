"""The pictures of a product: uploaded, described, put in order, exchanged and removed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard, uploads
from store.admin.picture_forms import PictureForm
from store.admin.presentation.refusals import refusal
from store.admin.products import picture_page
from store.domain.errors import PictureRefused
from store.domain.staff import Role
from store.services import pictures
from store.services.picture_files import LARGEST_UPLOAD
from store.web.current import services

blueprint = Blueprint("pictures", __name__, url_prefix="/products")


@blueprint.post("/<slug:slug>/pictures")
@guard.allowed(Role.OWNER)
@uploads.takes_a_file(LARGEST_UPLOAD)
def add(slug: str) -> ResponseReturnValue:
    """Add a picture after the others. Raises NotFound."""
    form = PictureForm()
    if not form.validate():
        return picture_page(slug, form)
    try:
        pictures.add(services(), slug, form.upload, form.alt.data or "", guard.actor())
    except PictureRefused as refused:
        form.file.errors = [refusal(refused)]
        return picture_page(slug, form)
    flash("The picture is added.")
    return _to_the_product(slug)


@blueprint.post("/<slug:slug>/pictures/<picture>")
@guard.allowed(Role.OWNER)
@uploads.takes_a_file(LARGEST_UPLOAD)
def change(slug: str, picture: str) -> ResponseReturnValue:
    """Describe a picture anew, give it another place, or another file. Raises NotFound."""
    form = PictureForm(picture)
    if not form.validate():
        return picture_page(slug, form)
    alt, place = form.alt.data or "", form.place.data or 1
    try:
        if form.file.data:
            pictures.exchange(services(), slug, picture, form.upload, alt, place, guard.actor())
        else:
            pictures.change(services(), slug, picture, alt, place, guard.actor())
    except PictureRefused as refused:
        form.file.errors = [refusal(refused)]
        return picture_page(slug, form)
    flash("Saved.")
    return _to_the_product(slug)


@blueprint.post("/<slug:slug>/pictures/<picture>/remove")
@guard.allowed(Role.OWNER)
def remove(slug: str, picture: str) -> ResponseReturnValue:
    """Take a picture away. Raises NotFound."""
    pictures.remove(services(), slug, picture, guard.actor())
    flash("The picture is removed.")
    return _to_the_product(slug)


def _to_the_product(slug: str) -> ResponseReturnValue:
    return redirect(url_for("products.edit", slug=slug), 303)
