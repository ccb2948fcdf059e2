"""Card testing: somebody tries many stolen cards to see which of them work."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Payment


def count_declines(session: Session, order_ids: Collection[int]) -> int:
    """How many cards were declined on these orders."""
    declines = select(func.coalesce(func.sum(Payment.declines), 0)).where(Payment.order_id.in_(order_ids))
    return session.scalars(declines).one()
