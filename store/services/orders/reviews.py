"""Reviews: what no machine should decide. A person looks at the order, acts, and resolves the review with a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, contains_eager

from models import Order, Review
from store.domain.errors import ReviewNotResolved, ReviewRefusal
from store.services import history, mail, transitions
from store.services.history import Origin
from store.services.services import Services

LONGEST_NOTE = 500  # characters


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that waits for a person, and the order that it is about; `authorised` is whether its card is, and
    nothing was charged, `charged` whether any of its money is here.
    """

    reference: str
    review: Review
    authorised: bool
    charged: bool


def open_review(
    session: Session,
    order: Order,
    reason: str,
    origin: Origin,
    *,
    subject: str = "",
    lasting: bool = False,
    **data: Any,
) -> bool:
    """Have a person look at the order, and tell the merchant; returns whether a review was opened.

    `subject` is the id of the payment, refund or dispute that the reason is about: two of them are two reviews. A
    reason that is reported while its review is open adds nothing. After the review was resolved it opens another one,
    unless it is `lasting`: a fact that every later comparison reports again.
    """
    same = select(Review.id).where(Review.order_id == order.id, Review.reason == reason, Review.subject == subject)
    known = session.scalars(same if lasting else same.where(Review.resolved_at.is_(None))).first()
    if known is not None:
        return False
    review = Review(order_id=order.id, reason=reason, subject=subject, data=dict(data), opened_at=origin.at)
    session.add(review)
    said = {"reason": reason, **({"subject": subject} if subject else {}), **data}
    history.add(session, order, "review.opened", origin, data=said)
    session.flush()
    about = {"review": review.id, "reason": reason, "subject": subject}
    mail.write(session, order, mail.Kind.REVIEW_OPENED, origin.at, dedupe_key=f"review:{review.id}", **about)
    return True


def resolve(services: Services, reference: str, note: str, origin: Origin, review_id: int | None = None) -> int:
    """Resolve every open review of an order, or the one with this id, and say how many there were. The note is kept
    with them and in the history; the shopper does not read it.

    Nothing else about the order changes, and a new reason opens a new review. Raises NotFound; ReviewNotResolved for
    an order that has no open review, and for a note that is not one line of at most 500 characters.
    """
    note = note.strip()
    if not note or not note.isprintable() or len(note) > LONGEST_NOTE:
        raise ReviewNotResolved(ReviewRefusal.NOTE_INVALID, LONGEST_NOTE)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        return resolve_of(session, order, note, origin, review_id)


def resolve_of(session: Session, order: Order, note: str, origin: Origin, review_id: int | None = None) -> int:
    """The same for an order that is locked, with a note that can be kept."""
    open_ones = [Review.order_id == order.id, Review.resolved_at.is_(None)]
    if review_id is not None:
        open_ones.append(Review.id == review_id)
    resolved = session.scalars(
        update(Review)
        .where(*open_ones)
        .values(resolved_at=origin.at, resolved_by=origin.actor or origin.source, note=note)
        .returning(Review.id)
    ).all()
    if not resolved:
        raise ReviewNotResolved(ReviewRefusal.NOT_IN_REVIEW, LONGEST_NOTE)
    history.add(session, order, "review.resolved", origin, data={"note": note})
    return len(resolved)


def is_open(session: Session, order: Order) -> bool:
    """Whether the order waits for a person. Asked anew: what was read with a locked row may be older than the lock."""
    return bool(session.scalar(select(exists().where(Review.order_id == order.id, Review.resolved_at.is_(None)))))


def waiting(session: Session) -> Sequence[OpenReview]:
    """Every open review, the oldest first."""
    rows = session.execute(
        select(Order, Review)
        .join(Review)
        .join(Order.payment)
        .options(contains_eager(Order.payment))
        .where(Review.resolved_at.is_(None))
        .order_by(Review.opened_at, Review.id)
    )
    return [_waiting(order, review) for order, review in rows]


def _waiting(order: Order, review: Review) -> OpenReview:
    charged = order.payment.refunded_minor < order.payment.received_minor
    return OpenReview(order.reference, review, order.is_authorised, charged)
