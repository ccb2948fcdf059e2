"""The forms of a product's pictures: one for each, and one for another. Every message says what to do instead."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField
from wtforms.validators import ValidationError

from store.admin.product_forms import WholeField, one_line, required
from store.domain.pictures import LONGEST_ALT, MOST_PICTURES, Picture

TAKEN = "image/jpeg,image/png,image/webp,image/avif"


class PictureForm(FlaskForm):
    """A picture by its name, or a new one where it has none. `file` is another file for it."""

    file = FileField("File", render_kw={"accept": TAKEN})
    alt = StringField(
        "What it shows",
        filters=[one_line],
        validators=required("Say what is seen, for who cannot see it.", LONGEST_ALT),
    )
    place = WholeField("Place", 1, MOST_PICTURES, f"Type a place from 1 to {MOST_PICTURES}.")

    def __init__(self, picture: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.picture = picture
        if picture:
            self.file.label.text = "Another file for it"
        else:
            del self.place

    @classmethod
    def of(cls, picture: Picture, place: int) -> PictureForm:
        """The form of a picture as it is now."""
        return cls(picture.name, formdata=None, data={"alt": picture.alt, "place": place})

    def validate_file(self, field: FileField) -> None:
        if not self.picture and not field.data:
            raise ValidationError("Choose a file: a JPEG, PNG, WebP or AVIF.")

    @property
    def upload(self) -> bytes:
        """What was uploaded, once the form is valid."""
        return self.file.data.read() if self.file.data else b""
