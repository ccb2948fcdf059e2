"""News of a refund or a dispute whose payment is not known here yet: kept, and told again once it is.

Webhooks come in any order, and an event that was answered does not come again. Most of what is kept is about payments
of other programs on the account; upkeep throws it away when it is old.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import UnmatchedEvent
from store.domain.money import Money
from store.domain.states import DisputeEvent, RefundEvent
from store.gateway.port import DisputeSnapshot, RefundSnapshot
from store.services.payments import disputes, refunds
from store.services.transitions import Origin

# Stripe goes on telling for three days.
KEPT = timedelta(days=7)

REFUND, DISPUTE = "refund", "dispute"


def keep(session: Session, news: RefundSnapshot | DisputeSnapshot, origin: Origin) -> None:
    """Remember what was told until its payment is known."""
    facts: dict[str, Any] = {
        "event": news.event,
        "amount": news.amount.minor,
        "currency": news.amount.currency,
    }
    if isinstance(news, RefundSnapshot):
        kind, facts = REFUND, {**facts, "id": news.provider_refund_id}
    else:
        kind, facts = DISPUTE, {**facts, "id": news.provider_dispute_id}
    session.add(
        UnmatchedEvent(provider_payment_id=news.provider_payment_id, kind=kind, facts=facts, received_at=origin.at)
    )


def tell(session: Session, provider_payment_id: str, origin: Origin) -> None:
    """Write down all that was told of a payment before it was known. It must be known by now."""
    kept = session.scalars(
        delete(UnmatchedEvent)
        .where(UnmatchedEvent.provider_payment_id == provider_payment_id)
        .returning(UnmatchedEvent)
    ).all()
    for news in sorted(kept, key=lambda news: news.id):
        if news.kind == REFUND:
            refunds.record(session, _refund(news), origin)
        else:
            disputes.record(session, _dispute(news), origin)


def delete_old(session: Session, now: datetime) -> None:
    session.execute(delete(UnmatchedEvent).where(UnmatchedEvent.received_at < now - KEPT))


def _refund(news: UnmatchedEvent) -> RefundSnapshot:
    facts = news.facts
    return RefundSnapshot(
        provider_refund_id=facts["id"],
        provider_payment_id=news.provider_payment_id,
        amount=Money(facts["amount"], facts["currency"]),
        event=RefundEvent(facts["event"]),
        key=None,  # the store asks for no refund of a payment it does not know, so it was made elsewhere
    )


def _dispute(news: UnmatchedEvent) -> DisputeSnapshot:
    facts = news.facts
    return DisputeSnapshot(
        provider_dispute_id=facts["id"],
        provider_payment_id=news.provider_payment_id,
        amount=Money(facts["amount"], facts["currency"]),
        event=DisputeEvent(facts["event"]),
    )
