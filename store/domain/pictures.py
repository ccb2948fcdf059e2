"""Pictures of products: each in a few sizes, and each size in two formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_PICTURES = 8  # of one product
LONGEST_ALT = 300  # characters
NO_PICTURE = "img/no-picture.svg"  # of `static/`: what a product without a picture shows
FOLDER = "pictures/"  # what the address of a stored file begins with, under the store's own


@dataclass(frozen=True, slots=True)
class PictureSize:
    """A picture at one size, in pixels, as two files: WebP, and JPEG for browsers that do not know it."""

    width: int
    height: int
    webp: str
    jpeg: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and what it shows, in words. `sizes` has one at least, the smallest first."""

    alt: str
    sizes: tuple[PictureSize, ...]

    @property
    def name(self) -> str:
        """What tells it from the other pictures of its product."""
        return self.largest.webp.partition(".")[0]

    @property
    def largest(self) -> PictureSize:
        return self.sizes[-1]

    @property
    def files(self) -> frozenset[str]:
        """The names of all its files."""
        return frozenset(name for size in self.sizes for name in (size.webp, size.jpeg))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` makes the same of."""
        return {"alt": self.alt, "sizes": [[size.width, size.height, size.webp, size.jpeg] for size in self.sizes]}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Picture:
        return cls(said["alt"], tuple(PictureSize(*size) for size in said["sizes"]))


Pictures = tuple[Picture, ...]


def find(pictures: Pictures, name: str) -> Picture | None:
    """The picture of this name, if there is one."""
    return next((picture for picture in pictures if picture.name == name), None)


def placed(pictures: Pictures, picture: Picture, place: int) -> Pictures:
    """The pictures with this one at a place, counted from 1, whether or not it was among them under its name; a place
    after the last is the last.
    """
    others = without(pictures, picture.name)
    before = max(place - 1, 0)
    return (*others[:before], picture, *others[before:])


def without(pictures: Pictures, name: str) -> Pictures:
    """The pictures but this one."""
    return tuple(picture for picture in pictures if picture.name != name)


def described(picture: Picture, alt: str) -> Picture:
    """The picture with other words for what it shows."""
    return replace(picture, alt=alt)


def unused(before: Sequence[Picture], after: Sequence[Picture]) -> frozenset[str]:
    """The files that nothing of `after` needs any more. Two pictures may have one in common."""
    return _files(before) - _files(after)


def _files(pictures: Sequence[Picture]) -> frozenset[str]:
    return frozenset().union(*(picture.files for picture in pictures))


def thumbnail(pictures: Sequence[Picture], drawing: str) -> str:
    """What is shown of a product where there is little room: a file of its first picture, or its drawing."""
    return f"{FOLDER}{pictures[0].sizes[0].jpeg}" if pictures else drawing
