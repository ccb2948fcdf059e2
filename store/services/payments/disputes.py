"""Disputes: what a cardholder's bank says, in any order and any number of times. The payment itself stays as it is."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment
from store.domain.states import DISPUTE, DisputeState, Impossible, Stale
from store.gateway.port import DisputeSnapshot
from store.services import mail, transitions
from store.services.transitions import LockedOrder, Origin, Source

# The bank has not said its last word.
UNDECIDED = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)
# In these the money is in question or gone: the order carries the flag, and nothing more should be sent out for it.
STANDING = (*UNDECIDED, DisputeState.LOST)


def record(session: Session, snapshot: DisputeSnapshot, origin: Origin) -> bool:
    """Write down what a snapshot says of a dispute, and flag the order. False when it is not of this store.

    A decision can be reversed, and an event does not say which of two decisions is the newer one. So the second is only
    set aside for a person, until reconciliation tells what the payment service says now.
    """
    order = transitions.lock(session, Payment.provider_payment_id == snapshot.provider_payment_id)
    if order is None:
        return False
    state = session.scalar(select(Dispute.state).where(Dispute.provider_dispute_id == snapshot.provider_dispute_id))
    answer = DISPUTE.answer(state or DisputeState.NEW, snapshot.event)
    if isinstance(answer, Stale):
        return True
    to = DisputeState(snapshot.event.value)
    if isinstance(answer, Impossible) and origin.by is not Source.RECONCILIATION:
        facts = {"dispute": snapshot.provider_dispute_id, "here": state, "said": to}
        transitions.flag_for_review(session, order, "dispute_contradicted", origin, **facts)
        return True
    _write_down(session, order, snapshot, origin, state, to)
    return True


def _write_down(
    session: Session,
    order: LockedOrder,
    snapshot: DisputeSnapshot,
    origin: Origin,
    state: DisputeState | None,
    to: DisputeState,
) -> None:
    """A dispute that is new or goes from `state` to another one; the order carries the flag that follows."""
    if state is None:
        session.add(
            Dispute(
                provider_dispute_id=snapshot.provider_dispute_id,
                order_id=order.id,
                state=to,
                amount_minor=snapshot.amount.minor,
                opened_at=origin.at,
            )
        )
        session.flush()
        mail.write(
            session, order.id, mail.Kind.DISPUTE_OPENED, origin.at, dedupe_key=f"dispute:{snapshot.provider_dispute_id}"
        )
    else:
        session.execute(
            update(Dispute).where(Dispute.provider_dispute_id == snapshot.provider_dispute_id).values(state=to)
        )
    detail = {"amount": snapshot.amount.minor}
    transitions.write(session, order.id, f"dispute.{snapshot.event}", origin, state, to, detail)
    standing = session.scalars(
        select(Dispute.provider_dispute_id).where(Dispute.order_id == order.id, Dispute.state.in_(STANDING)).limit(1)
    ).one_or_none()
    session.execute(update(Order).where(Order.id == order.id).values(disputed=standing is not None))
