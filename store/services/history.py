"""The history of an order: what happened, in the transaction in which it happened, and who reported it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Base, HistoryEntry, Order
from store.services import inserts, staff_log


class Source(StrEnum):
    """Who reported an event to the store, or did it."""

    SHOPPER = "shopper"
    WEBHOOK = "webhook"
    LOOKUP = "lookup"
    WORKER = "worker"
    RECONCILIATION = "reconciliation"
    STAFF = "staff"
    PROGRAM = "program"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event comes from, and when it was reported. `actor` is the person or the program's key behind it, where
    one is known.
    """

    source: Source
    at: datetime
    actor: str | None = None


def add(
    session: Session,
    order: Order,
    event: str,
    origin: Origin,
    before: StrEnum | None = None,
    after: StrEnum | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the order's history, and to the log of the staff where one of them, or a program with a key of
    theirs, did it. Entries are written together, at the next flush.
    """
    session.add(HistoryEntry(**_entry(order, event, origin, before, after, data)))
    if origin.source in (Source.STAFF, Source.PROGRAM) and origin.actor is not None:
        staff_log.add(session, origin.at, origin.actor, event, order.reference, data)


def add_once(
    session: Session,
    order: Order,
    event: str,
    origin: Origin,
    dedupe_key: str,
    data: Mapping[str, Any] | None = None,
) -> bool:
    """Add an entry unless the order has one with this `dedupe_key`; says whether it was added."""
    session.flush()  # so that the entries are in the order in which they were added
    return insert_once(session, HistoryEntry, {**_entry(order, event, origin, data=data), "dedupe_key": dedupe_key})


def insert_once(session: Session, table: type[Base], row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same unique columns is there; says whether it was inserted."""
    key = inspect(table).primary_key[0]
    return session.execute(unless_there(session, table, row).returning(key)).one_or_none() is not None


def unless_there(session: Session, table: type[Base], row: Mapping[str, Any]) -> postgresql.Insert | sqlite.Insert:
    """The statement that inserts a row unless one with the same unique columns is there. Tell by what it returns."""
    return inserts.into(session, table).values(dict(row)).on_conflict_do_nothing()


def _entry(
    order: Order,
    event: str,
    origin: Origin,
    before: StrEnum | None = None,
    after: StrEnum | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "at": origin.at,
        "type": event,
        "source": origin.source,
        "actor": origin.actor,
        "from_state": before,
        "to_state": after,
        "data": dict(data or {}),
    }
