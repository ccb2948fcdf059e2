"""How the staff finds an order: by its reference, a name, an e-mail address, the last digits of a card, or the payment
service's id of a payment, a refund or a dispute.

Names, addresses and references are kept as keys, so that their beginnings are found by an index. Placing an order does
not write them, for nobody who pays is to wait for what somebody may look for. They are written afterwards, for orders
that are a minute old and so are all there; the orders of the last minute are looked through.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVarTuple

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.orm import Session

from models import Dispute, Order, OrderKey, OrderKeyMark, Payment, Refund
from store.domain import contacts
from store.domain.references import ALPHABET, LENGTH
from store.domain.search import phrase_of, phrases_of
from store.services import inserts
from store.services.history import insert_once
from store.services.services import Services

Columns = TypeVarTuple("Columns")

LONGEST = 80  # characters that are looked for
LONGEST_KEY = 120  # characters
BATCH = 2000  # orders
SETTLED = timedelta(minutes=1)  # after which no transaction that places an order is still open
LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, one of these: orders with a `key` that begins so, those paid with a card that ends so, or the
    `few` whose ids a statement finds.
    """

    key: str | None = None
    last4: str | None = None
    few: Select[int] | None = None


def parse(text: str) -> Search | None:
    """What somebody has typed; None where that is nothing."""
    typed = contacts.tidy(text)[:LONGEST]
    if not typed:
        return None
    if re.fullmatch(r"(pi|re|pyr|dp|du)_\w+", typed, re.ASCII):
        return Search(few=_by_provider_id(typed))
    if "@" in typed:
        return Search(key=f"@{typed.casefold().removeprefix('@')}")
    if re.fullmatch(r"[0-9]{4}", typed):
        return Search(last4=typed)
    if letters := _letters_of_a_reference(typed):
        return Search(key=f"#{letters}")
    return Search(key=phrase_of(typed) or typed)


def _letters_of_a_reference(typed: str) -> str:
    """What is typed, as a reference or its beginning is kept; empty where it is more likely a name."""
    letters = re.sub(r"[\s-]", "", typed.upper())
    if len(letters) < 4 or not set(letters) <= set(ALPHABET):
        return ""
    # A few references have no digit. Whole ones are known by their length: hardly a name is a word of 16 such letters.
    return letters if re.search(r"\d|-", typed) or len(typed) == LENGTH == len(letters) else ""


def found_by_key(key: str) -> Select[str, int]:
    """The keys that begin with `key` and their orders, of all that have keys; to be ordered and cut by the caller."""
    number = (-OrderKey.minus_order_id).label("order_id")
    return select(OrderKey.key, number).where(OrderKey.key >= key, OrderKey.key < f"{key}{LAST_CHARACTER}")


def recent_with(session: Session, key: str) -> list[int]:
    """The ids of the orders without keys yet whose keys will begin so, the newest first. No more is read of them, and
    made of it, than keys of this kind need: there may be thousands.
    """
    if key.startswith("@"):
        emails = session.execute(_recent(session, select(Order.id, Order.email)))
        return [order_id for order_id, email in emails if _email_key(email).startswith(key)]
    if key.startswith("#"):
        references = session.execute(_recent(session, select(Order.id, Order.reference)))
        return [order_id for order_id, reference in references if _reference_key(reference).startswith(key)]
    rows = session.execute(_recent(session, _columns()))
    return [row.id for row in rows if any(phrase.startswith(key) for phrase in _phrases(row))]


def write_keys(services: Services, now: datetime) -> bool:
    """Write the keys of the next orders that are settled; says whether there may be more of them."""
    with services.database.reading() as session:  # mostly there is none, and this takes no lock
        if session.execute(_settled(_mark(session), now).limit(1)).first() is None:
            return False
    with services.database.transaction() as session:
        insert_once(session, OrderKeyMark, {"id": 1, "order_id": 0})
        since = session.scalars(select(OrderKeyMark.order_id).with_for_update()).one()
        rows = session.execute(_settled(since, now).limit(BATCH)).all()
        if not rows:  # another worker has just written them
            return False
        # An order that is not settled yet ends the batch: those after it wait for it.
        first_open = session.scalar(select(func.min(Order.id)).where(Order.placed_at > now - SETTLED, Order.id > since))
        ready = [row for row in rows if first_open is None or row.id < first_open]
        if not ready:
            return False
        keys = [{"key": key, "minus_order_id": -row.id} for row in ready for key in sorted(_keys_of(row))]
        session.execute(inserts.into(session, OrderKey).on_conflict_do_nothing(), keys)
        session.execute(update(OrderKeyMark).values(order_id=ready[-1].id))
    return len(ready) == BATCH


def _settled(since: int, now: datetime) -> Select[int, str, str, str, str]:
    return _columns().where(Order.id > since, Order.placed_at <= now - SETTLED).order_by(Order.id)


def _columns() -> Select[int, str, str, str, str]:
    shipping, billing = (Order.__table__.c[f"{which}_full_name"] for which in ("shipping", "billing"))
    return select(Order.id, Order.reference, Order.email, shipping.label("shipped_to"), billing.label("billed_to"))


def _keys_of(row: Row[int, str, str, str, str]) -> Collection[str]:
    return {key[:LONGEST_KEY] for key in (*_phrases(row), _email_key(row.email), _reference_key(row.reference))}


def _phrases(row: Row[int, str, str, str, str]) -> Collection[str]:
    names: Iterator[str] = (name for name in (row.shipped_to, row.billed_to) if name)
    return {phrase for name in names for phrase in phrases_of(name)}


def _email_key(email: str) -> str:
    return f"@{email.casefold()}"


def _reference_key(reference: str) -> str:
    return f"#{reference.replace('-', '')}"


def _recent(session: Session, columns: Select[*Columns]) -> Select[*Columns]:
    return columns.where(Order.id > _mark(session)).order_by(Order.id.desc()).limit(BATCH)


def _mark(session: Session) -> int:
    return session.scalar(select(OrderKeyMark.order_id)) or 0


def _by_provider_id(name: str) -> Select[int]:
    payments = select(Payment.order_id)
    if name.startswith("pi_"):
        return payments.where(Payment.provider_payment_id == name)
    if name.startswith(("re_", "pyr_")):
        return payments.join(Refund).where(Refund.provider_refund_id == name)
    return payments.join(Dispute).where(Dispute.provider_dispute_id == name)
