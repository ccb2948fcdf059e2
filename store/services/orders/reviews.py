"""The way back from being set aside: a person looked into an order, and says what came of it."""

from __future__ import annotations

from sqlalchemy import update

from models import Order
from store.domain.errors import ReviewNotResolved, ReviewRefusal
from store.services import transitions
from store.services.services import Services
from store.services.transitions import Origin

LONGEST_NOTE = 500


def settle(services: Services, reference: str, note: str, origin: Origin) -> None:
    """Take an order out of those that are set aside. The note is kept in its history; the shopper does not read it.

    Nothing else about the order changes, and a new reason sets it aside again. Raises NotFound;
    ReviewNotResolved for an order that is not set aside, and for a note that is not one line of at most 500 characters.
    """
    note = note.strip()
    if not note or not note.isprintable() or len(note) > LONGEST_NOTE:
        raise ReviewNotResolved(ReviewRefusal.NOTE_INVALID, LONGEST_NOTE)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        set_aside = update(Order).where(Order.id == order.id, Order.needs_review)
        if session.scalar(set_aside.values(needs_review=False).returning(Order.id)) is None:
            raise ReviewNotResolved(ReviewRefusal.NOT_IN_REVIEW, LONGEST_NOTE)
        transitions.write(session, order.id, transitions.SETTLED, origin, detail={"note": note})
