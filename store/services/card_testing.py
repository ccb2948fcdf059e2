"""Card testing: somebody tries many stolen cards to see which of them work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import TooManyDeclines

# How far back declines are counted, and so how long the digests are kept with an order.
REMEMBERED = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Shopper:
    """By what somebody who orders or pays is known again: the browser's name, and digests of the network address and of
    the e-mail address, from which nobody can tell the address. What is not known is None.
    """

    browser_id: str | None
    address_digest: str | None
    email_digest: str | None = None


def check(session: Session, shopper: Shopper, now: datetime, most: int) -> None:
    """Raises TooManyDeclines when `most` cards or more were declined on the orders of the last two hours that were
    placed in this browser, from this address, or with this e-mail address.
    """
    refuse(session.scalars(_DECLINES, {**asdict(shopper), "since": now - REMEMBERED}).one(), most)


def refuse(declines: int, most: int) -> None:
    """Raises TooManyDeclines when so many were counted."""
    if declines >= most:
        raise TooManyDeclines


def forget(session: Session, now: datetime) -> None:
    """Remove the digests that do not count any more."""
    kept = or_(Order.address_digest.is_not(None), Order.email_digest.is_not(None))
    old = update(Order).where(kept, Order.placed_at <= now - REMEMBERED)
    session.execute(old.values(address_digest=None, email_digest=None).execution_options(synchronize_session=False))


# Each has the whole condition of its index, for SQLite looks for it there.
_DECLINED = [
    and_(column == bindparam(column.key), Order.declined_at.is_not(None))
    for column in (Order.browser_id, Order.address_digest, Order.email_digest)
]
_DECLINES = (
    select(func.coalesce(func.sum(Payment.declines), 0))
    .join(Order, Order.id == Payment.order_id)
    .where(or_(*_DECLINED), Order.placed_at > bindparam("since"))
)
