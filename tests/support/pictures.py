"""Pictures as people upload them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def drawn(
    width: int = 640, height: int = 480, *, left: str = "red", right: str = "blue", mode: str = "RGB"
) -> Image.Image:
    """A picture with a left and a right half."""
    image = Image.new(mode, (width, height), left)
    image.paste(right, (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    body = BytesIO()
    image.save(body, file_format, **options)
    return body.getvalue()


def opened(body: bytes) -> Image.Image:
    return Image.open(BytesIO(body))


def colours(image: Image.Image) -> tuple[str, str]:
    """What the middle of its left half is most like, and of its right one."""
    places = ((image.width // 4, image.height // 2), (3 * image.width // 4, image.height // 2))
    return _name(image, places[0]), _name(image, places[1])


def _name(image: Image.Image, place: tuple[int, int]) -> str:
    red, green, blue = image.convert("RGB").crop((*place, place[0] + 1, place[1] + 1)).tobytes()
    if min(red, green, blue) > 200:
        return "white"
    return max(("red", red), ("green", green), ("blue", blue), key=lambda each: each[1])[0]
