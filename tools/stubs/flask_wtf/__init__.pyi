# The part of Flask-WTF 1.3 the store uses: Flask-WTF ships no annotations, and a form must not be of type Any.
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import Field
from wtforms import Form as Form

from .csrf import CSRFProtect as CSRFProtect

class FlaskForm(Form):
    # Left out, formdata is the request's own; None means none at all.
    def __init__(
        self, formdata: MultiDict[str, str] | None = ..., *, obj: object | None = ..., **kwargs: Any
    ) -> None: ...
    def is_submitted(self) -> bool: ...
    def validate_on_submit(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool: ...
    def hidden_tag(self, *fields: str | Field) -> Markup: ...
