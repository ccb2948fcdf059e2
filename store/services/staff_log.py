"""The log of what the staff did, written in the transaction in which they did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import StaffLogEntry
from store.services import paging

LISTED = 50


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, by their address, and when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StaffLog:
    """Some of the log, the newest first. Older entries come `before` the id of the last of these; None where there are
    none.
    """

    entries: Sequence[StaffLogEntry]
    before: int | None


def add(
    session: Session, at: datetime, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None
) -> None:
    """Note that `actor` did `action` to `subject`: an order's reference, a product's slug, an address of the staff."""
    session.add(StaffLogEntry(at=at, actor=actor, action=action, subject=subject[:80], data=dict(data or {})))


def read(session: Session, *, actor: str | None = None, before: int | None = None) -> StaffLog:
    """The newest entries, or the newest `before` an entry's id, of everybody or of one `actor`."""
    wanted = select(StaffLogEntry).order_by(StaffLogEntry.id.desc())
    if actor is not None:
        wanted = wanted.where(StaffLogEntry.actor == actor)
    if before is not None:
        wanted = wanted.where(StaffLogEntry.id < before)
    found, more = paging.first(session, wanted, LISTED)
    return StaffLog(found, found[-1].id if more else None)
