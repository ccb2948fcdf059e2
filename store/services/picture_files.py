"""What becomes of a picture that somebody uploads: it is read by its content, turned upright, put into the colours of
screens, and written anew in the sizes that the pages use. Nothing of the file itself is kept, and so neither is what it
says of the place, the time and the camera.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from store.domain.errors import PictureRefusal, PictureRefused
from store.domain.pictures import Picture, PictureSize

LARGEST_UPLOAD: Final = 10 * 1024 * 1024  # bytes
MOST_PIXELS: Final = 50_000_000  # what a telephone takes, and up to 200 MB of memory
SMALLEST_SIDE: Final = 200  # pixels
LONGEST_SIDES: Final = 4  # times as long as wide, or as wide as long
WIDTHS: Final = (320, 640, 1280)  # pixels: a thumbnail, a card, the page of a product; twice as many on fine screens
_WEBP: Final = {"format": "WEBP", "quality": 80, "method": 4}
_JPEG: Final = {"format": "JPEG", "quality": 82, "progressive": True, "optimize": True}
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")
_SCREEN: Final = ImageCms.createProfile("sRGB")

# Pillow would warn of many pixels, and refuse four times as many; here they are counted before any is read.
Image.MAX_IMAGE_PIXELS = None
# Each takes much memory for a moment: a process reads one at a time.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A picture, and its files by their names."""

    picture: Picture
    files: Mapping[str, bytes]


def prepare(upload: bytes, alt: str) -> PreparedPicture:
    """Make a picture of what was uploaded; `alt` says what it shows. It takes a second or so. Raises PictureRefused."""
    if not upload:
        raise PictureRefused(PictureRefusal.EMPTY)
    if len(upload) > LARGEST_UPLOAD:
        raise PictureRefused(PictureRefusal.TOO_LARGE, LARGEST_UPLOAD)
    with _one_at_a_time:
        try:
            image = _for_screens(_upright(_opened(upload)))
        except PictureRefused:
            raise
        except Exception as failure:  # its decoders raise whatever goes wrong in them
            raise PictureRefused(PictureRefusal.BROKEN) from failure
        files: dict[str, bytes] = {}
        sizes = tuple(_size(image, width, files) for width in _widths(image.width))
    return PreparedPicture(Picture(alt, sizes), files)


def _opened(upload: bytes) -> Image.Image:
    """The picture, of which only the beginning is read so far. Its name and its Content-Type are not asked."""
    try:
        image = Image.open(BytesIO(upload), formats=_FORMATS)
    except UnidentifiedImageError as failure:
        raise PictureRefused(PictureRefusal.OTHER_TYPE) from failure
    shorter, longer = sorted(image.size)
    if shorter * longer > MOST_PIXELS:
        raise PictureRefused(PictureRefusal.TOO_MANY_PIXELS, MOST_PIXELS)
    if shorter < SMALLEST_SIDE:
        raise PictureRefused(PictureRefusal.TOO_SMALL, SMALLEST_SIDE)
    if longer > shorter * LONGEST_SIDES:
        raise PictureRefused(PictureRefusal.TOO_NARROW, LONGEST_SIDES)
    # A telephone's JPEG may have more pictures in it, such as a small one; the first is the one that was taken.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PictureRefused(PictureRefusal.ANIMATED)
    if image.mode == "CMYK":
        raise PictureRefused(PictureRefusal.FOR_PRINT)
    return image


def _upright(image: Image.Image) -> Image.Image:
    """All of its pixels, or, of a JPEG, as many as the largest size needs, turned as its camera was held."""
    scale = max(WIDTHS) / min(image.size)
    if scale < 1:
        image.draft(image.mode, (int(image.width * scale), int(image.height * scale)))
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _for_screens(image: Image.Image) -> Image.Image:
    """No wider than the largest size, with or without transparent parts, in sRGB, without anything but its pixels."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # sixteen bits of grey
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    seen_through = image.has_transparency_data
    mode = "RGBA" if seen_through else "L" if image.mode == "L" else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if image.width > max(WIDTHS):
        image = _resized(image, max(WIDTHS))
    if profile:
        image = _in_screen_colours(image, profile)
    image = image.convert("RGBA" if seen_through else "RGB")
    image.info.clear()
    return image


def _in_screen_colours(image: Image.Image, profile: bytes) -> Image.Image:
    """A profile that cannot be read, or is for other colours, is left out of account, as browsers do."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        changed = ImageCms.profileToProfile(image, BytesIO(profile), _SCREEN, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    return changed or image


def _widths(own: int) -> list[int]:
    """Those that the pages use up to its own; nothing is made larger than it is."""
    smaller = [width for width in WIDTHS if width < own]
    return [*smaller, min(own, max(WIDTHS))]


def _size(image: Image.Image, width: int, files: dict[str, bytes]) -> PictureSize:
    small = image if width == image.width else _resized(image, width)
    webp, jpeg = _written(small, _WEBP), _written(_on_white(small), _JPEG)
    names = [f"{hashlib.sha256(webp).hexdigest()[:32]}.webp", f"{hashlib.sha256(jpeg).hexdigest()[:32]}.jpg"]
    files.update(zip(names, (webp, jpeg), strict=True))
    return PictureSize(small.width, small.height, *names)


def _resized(image: Image.Image, width: int) -> Image.Image:
    height = max(round(image.height * width / image.width), 1)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _on_white(image: Image.Image) -> Image.Image:
    """JPEG knows no transparent parts."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _written(image: Image.Image, options: Mapping[str, object]) -> bytes:
    body = BytesIO()
    image.save(body, **options)  # type: ignore[arg-type]  # what it takes depends on the format
    return body.getvalue()
