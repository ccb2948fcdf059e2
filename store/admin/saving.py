"""A form that changes something the store may refuse."""

from __future__ import annotations

from collections.abc import Callable

from flask_wtf import FlaskForm
from wtforms import Field

from store.admin.presentation.refusals import refusal
from store.domain.errors import CatalogueRefused, EndpointRefused


def saves(form: FlaskForm, field: Field, change: Callable[[], object]) -> bool:
    """Whether the form was sent, is right, and `change` was made. Where the store refuses it, `field` says why."""
    if not form.validate_on_submit():
        return False
    try:
        change()
    except (CatalogueRefused, EndpointRefused) as refused:
        field.errors = [refusal(refused)]
        return False
    return True
