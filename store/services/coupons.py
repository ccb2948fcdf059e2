"""Coupons: found by their codes, and their uses counted. A use is reserved with an order and released with it, as its
stock is: an order that was paid keeps it, one that is closed gives it back.

`used` of a coupon counts the orders that have a use of it. Everybody who orders with one coupon at once waits for its
row, so that no more uses are given than there are.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from models import CouponRow, Order
from store.domain.coupons import PERCENT, Coupon, CouponKind
from store.domain.errors import CouponRefusal, CouponRefused
from store.domain.money import Money
from store.domain.pricing import price_from_cents
from store.domain.states import OrderState, ReservationState
from store.services.database import ROWS_ALONE

SEED = Path(__file__).parent.parent / "tariffs.json"
LONGEST_CODE = 40  # characters
HAS_USES = or_(CouponRow.max_uses.is_(None), CouponRow.used < CouponRow.max_uses)


def find(session: Session, code: str | None, cart_id: str | None) -> Coupon | None:
    """The coupon with this code, as `read_code` returns it, if there is one that is active. A use that the cart's own
    open order has counts as left.
    """
    if not code or len(code) > LONGEST_CODE:
        return None
    own = (
        select(func.count())
        .where(Order.cart_id == (cart_id or ""), Order.state == OrderState.AWAITING_PAYMENT)
        .where(Order.authorised_at.is_(None))
        .where(Order.coupon_id == CouponRow.id)
        .correlate(CouponRow)
        .scalar_subquery()
    )
    found = session.execute(select(CouponRow, own).where(CouponRow.code == code, CouponRow.active)).one_or_none()
    return _coupon(*found) if found is not None else None


def reserve(session: Session, coupon_id: int, code: str) -> None:
    """Take a use for an order that is being placed. Raises CouponRefused when there is none left; then roll the
    transaction back.
    """
    taken = update(CouponRow).where(CouponRow.id == coupon_id, CouponRow.active, HAS_USES)
    if session.scalar(taken.values(used=CouponRow.used + 1).returning(CouponRow.id)) is None:
        raise CouponRefused(CouponRefusal.USED_UP, code)


def reserve_again(session: Session, order_id: int) -> bool:
    """Take a use for an order that gave its own back, if it had one. False, and nothing changed, when there is none
    left, or its customer has used the coupon in another order meanwhile.
    """
    order = session.execute(select(Order.coupon_id, Order.coupon_customer).where(Order.id == order_id)).one()
    if order.coupon_id is None:
        return True
    taken = update(CouponRow).where(CouponRow.id == order.coupon_id, HAS_USES)
    if order.coupon_customer is not None:
        other = aliased(Order)
        used_before = exists().where(
            other.coupon_id == order.coupon_id,
            other.coupon_customer == order.coupon_customer,
            other.id != order_id,
            other.reservation != ReservationState.RELEASED,
        )
        taken = taken.where(~used_before)
    values = taken.values(used=CouponRow.used + 1).returning(CouponRow.id)
    return session.scalar(values, execution_options=ROWS_ALONE) is not None


def release(session: Session, order_id: int) -> None:
    """Give back the use that an order has, if it has one."""
    of_order = select(Order.coupon_id).where(Order.id == order_id).scalar_subquery()
    given_back = update(CouponRow).where(CouponRow.id == of_order).values(used=CouponRow.used - 1)
    session.execute(given_back, execution_options=ROWS_ALONE)


def seed(session: Session, currency: str, now: datetime, source: Path = SEED) -> int:
    """Add the coupons of the seed file, with amounts in `currency`, unless there are some already: the merchant's own
    are left as they are. Returns how many were added.
    """
    if session.scalar(select(func.count()).select_from(CouponRow)):
        return 0
    entries = json.loads(source.read_text("utf-8"))["coupons"]
    for entry in entries:
        amounts = {
            f"{name}_minor": price_from_cents(entry[name], currency).minor if name in entry else None
            for name in ("amount", "minimum")
        }
        session.add(
            CouponRow(
                code=entry["code"],
                kind=CouponKind(entry["kind"]),
                thousandths=entry.get("percent", 0) * PERCENT,
                currency=currency,
                **amounts,
                starts_at=now if "days" in entry else None,
                ends_at=now + timedelta(days=entry["days"]) if "days" in entry else None,
                once_per_customer=entry.get("once_per_customer", False),
                max_uses=entry.get("uses"),
                active=True,
            )
        )
    session.flush()
    return len(entries)


def _coupon(row: CouponRow, own: int) -> Coupon:
    def money(minor: int | None) -> Money | None:
        return Money(minor, row.currency) if minor is not None else None

    return Coupon(
        coupon_id=row.id,
        code=row.code,
        kind=row.kind,
        thousandths=row.thousandths,
        amount=money(row.amount_minor),
        minimum=money(row.minimum_minor),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        once_per_customer=row.once_per_customer,
        uses_left=row.max_uses - row.used + own if row.max_uses is not None else None,
    )
