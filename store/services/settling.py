"""The way back from being set aside: a person looked into an order, and says what came of it."""

from __future__ import annotations

from sqlalchemy import update

from models import Order
from store.domain.errors import NotSettled
from store.services import ledger
from store.services.ledger import Told
from store.services.till import Till

LONGEST_NOTE = 500


def settle(till: Till, reference: str, note: str, told: Told) -> None:
    """Take an order out of those that are set aside. The note is kept in its history; the shopper does not read it.

    Nothing else about the order changes, and a new reason sets it aside again. Raises NotFound; NotSettled for an order
    that is not set aside, and for a note that is not one line of at most 500 characters.
    """
    note = note.strip()
    if not note or not note.isprintable() or len(note) > LONGEST_NOTE:
        raise NotSettled(f"Say in one line, of at most {LONGEST_NOTE} characters, what came of it.")
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
        set_aside = update(Order).where(Order.id == order.id, Order.needs_review)
        if session.scalar(set_aside.values(needs_review=False).returning(Order.id)) is None:
            raise NotSettled("This order is not set aside, so there is nothing to settle.")
        ledger.write(session, order.id, ledger.SETTLED, told, detail={"note": note})
