"""Disputes: what a cardholder's bank says, in any order and any number of times. The payment itself stays as it is."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment
from store.domain.states import DisputeEvent, DisputeState
from store.gateway.port import DisputeSnapshot
from store.services import mail, transitions
from store.services.history import Origin, Source
from store.services.orders import reviews

# The bank has not said its last word.
UNDECIDED = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)
# The merchant has to answer; while a bank looks at an answer, nobody has to do anything.
UNANSWERED = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE)
# In these the money is in question or gone: the order carries the flag, and nothing more should be sent out for it.
STANDING = (*UNDECIDED, DisputeState.LOST)
# In these the bank has the money, at least for now, so that none of the payment can be refunded. An inquiry takes none.
CHARGED_BACK = (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW, DisputeState.LOST)
ENDED = (DisputeState.CLOSED, DisputeState.WON, DisputeState.LOST)

# A decision can be reversed, and a webhook does not say which of two decisions is the newer one. What the payment
# service says when it is asked does.
REVERSED = {
    (DisputeState.LOST, DisputeEvent.WON): DisputeEvent.WON_AFTER_ALL,
    (DisputeState.WON, DisputeEvent.LOST): DisputeEvent.LOST_AFTER_ALL,
}


def record(session: Session, snapshot: DisputeSnapshot, origin: Origin) -> Order | None:
    """Record what a snapshot says of a dispute, and flag its order; returns the order, locked, or None when the dispute
    is not of this store.

    A second decision that contradicts the first opens a review, unless the payment service was asked for it.
    """
    found = transitions.lock_payment(session, snapshot.provider_payment_id)
    if found is None:
        return None
    order, payment = found
    record_of(session, order, payment, snapshot, origin)
    return order


def record_of(session: Session, order: Order, payment: Payment, snapshot: DisputeSnapshot, origin: Origin) -> None:
    """Record a dispute of a payment whose order is locked."""
    dispute = session.get(Dispute, snapshot.provider_dispute_id)
    before = dispute.state if dispute is not None else None
    if dispute is None:
        dispute = _add(session, payment, snapshot, origin)
    if snapshot.due_by is not None and snapshot.due_by != dispute.due_by:
        transitions.write(session, dispute, {"due_by": snapshot.due_by})
    event = snapshot.event
    if origin.source is Source.RECONCILIATION and before is not None:
        event = REVERSED.get((before, event), event)
    data = {"amount": snapshot.amount.minor}
    moved = transitions.apply(session, order, dispute, event, origin, data=data)
    if moved.rejected:
        reviews.open_review(
            session, order, "dispute_contradicted", origin, subject=snapshot.provider_dispute_id,
            known=before, reported=snapshot.event,
        )  # fmt: skip
    if moved.applied:
        if before is None:
            dedupe_key = f"dispute:{snapshot.provider_dispute_id}"
            mail.write(session, order, mail.Kind.DISPUTE_OPENED, origin.at, dedupe_key=dedupe_key)
        if moved.after in ENDED:
            decided = {"dispute": dispute.provider_dispute_id, "state": moved.after, **data}
            # A decision can be reversed, and reversed again: each is mailed.
            dedupe_key = f"dispute:{dispute.provider_dispute_id}:{moved.after}:{origin.at.isoformat()}"
            mail.write(session, order, mail.Kind.DISPUTE_DECIDED, origin.at, dedupe_key=dedupe_key, **decided)
        _flag(session, order)


def _add(session: Session, payment: Payment, snapshot: DisputeSnapshot, origin: Origin) -> Dispute:
    dispute = Dispute(
        provider_dispute_id=snapshot.provider_dispute_id,
        payment_id=payment.id,
        state=DisputeState.NEW,
        amount_minor=snapshot.amount.minor,
        opened_at=origin.at,
    )
    session.add(dispute)
    session.flush()
    return dispute


def _flag(session: Session, order: Order) -> None:
    """The order is disputed while any dispute of any of its payments stands."""
    standing = exists().where(
        Dispute.payment_id == Payment.id, Payment.order_id == order.id, Dispute.state.in_(STANDING)
    )
    transitions.write(session, order, {"disputed": bool(session.scalar(select(standing)))})
