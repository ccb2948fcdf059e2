"""Which events the store acts on, and how: one table on one screen. Every other event is remembered and ignored."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from store.gateway.port import Notice
from store.services import payments
from store.services.ledger import Told
from store.services.till import Till

# A handler writes the event's effects in the transaction it is given. It answers whether the event was about this
# store.
Handler = Callable[[Session, Till, Notice, Told], bool]


def payment_told(session: Session, till: Till, notice: Notice, told: Told) -> bool:
    return notice.snapshot is not None and payments.record(session, till, notice.snapshot, told)


def card_told(session: Session, _till: Till, notice: Notice, _told: Told) -> bool:
    return notice.card_used is not None and payments.note_card(session, notice.card_used)


HANDLERS: dict[str, Handler] = {
    "payment_intent.created": payment_told,
    "payment_intent.requires_action": payment_told,
    "payment_intent.processing": payment_told,
    "payment_intent.payment_failed": payment_told,
    "payment_intent.succeeded": payment_told,
    "payment_intent.canceled": payment_told,
    "charge.succeeded": card_told,
}
