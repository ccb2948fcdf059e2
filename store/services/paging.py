"""Long lists in parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

T = TypeVar("T")


def first(session: Session, wanted: Select[T], most: int) -> tuple[Sequence[T], bool]:
    """The first things that a query finds, so many at the most, and whether there are more."""
    found = session.scalars(wanted.limit(most + 1)).all()
    return found[:most], len(found) > most
