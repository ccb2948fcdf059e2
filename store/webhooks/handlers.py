"""Which events the store acts on, and how: one table on one screen. Every other event is ignored."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from store.gateway.port import CardUsed, DisputeSnapshot, Notice, RefundSnapshot, Snapshot
from store.services import disputes, early_news, payments, refunds
from store.services.ledger import Told
from store.services.till import Till

# A handler writes the event's effects in the transaction it is given. It says whether the event was about this store.
Handler = Callable[[Session, Till, Notice, Told], bool]


def payment_told(session: Session, till: Till, notice: Notice, told: Told) -> bool:
    return isinstance(notice.about, Snapshot) and payments.record(session, till, notice.about, told)


def card_told(session: Session, _till: Till, notice: Notice, _told: Told) -> bool:
    return isinstance(notice.about, CardUsed) and payments.note_card(session, notice.about)


def refund_told(session: Session, _till: Till, notice: Notice, told: Told) -> bool:
    if not isinstance(notice.about, RefundSnapshot):
        return False
    known = refunds.record(session, notice.about, told)
    if not known:
        early_news.keep(session, notice.about, told)
    return known


def dispute_told(session: Session, _till: Till, notice: Notice, told: Told) -> bool:
    if not isinstance(notice.about, DisputeSnapshot):
        return False
    known = disputes.record(session, notice.about, told)
    if not known:
        early_news.keep(session, notice.about, told)
    return known


HANDLERS: dict[str, Handler] = {
    "payment_intent.created": payment_told,
    "payment_intent.requires_action": payment_told,
    "payment_intent.processing": payment_told,
    "payment_intent.payment_failed": payment_told,
    "payment_intent.succeeded": payment_told,
    "payment_intent.canceled": payment_told,
    "charge.succeeded": card_told,
    "refund.created": refund_told,
    "refund.updated": refund_told,
    "refund.failed": refund_told,
    "charge.dispute.created": dispute_told,
    "charge.dispute.updated": dispute_told,
    "charge.dispute.closed": dispute_told,
    "charge.dispute.funds_withdrawn": dispute_told,
    "charge.dispute.funds_reinstated": dispute_told,
}
