"""Coupons: what a code takes off an order, and when it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from store.domain.errors import CouponRefusal
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Basket, Rule
from store.domain.rounding import half_up

PERCENT = 1000  # a percentage is kept in thousandths


class CouponKind(StrEnum):
    """A part of what the things cost, a fixed amount of it, or the whole shipping."""

    PERCENT = "percent"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code and what it is good for, as it was when it was read.

    `thousandths` are those of a percent. `minimum` is what the things of an order must cost at least. It is good from
    `starts_at` until before `ends_at`, for `uses_left` more orders where that is not None.
    """

    coupon_id: int
    code: str
    kind: CouponKind
    thousandths: int = 0
    amount: Money | None = None
    minimum: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    once_per_customer: bool = False
    uses_left: int | None = None


def read_code(typed: str | None) -> str:
    """A code as it is kept: in capitals, without blanks or anything that nobody sees."""
    return "".join(each for each in (typed or "").upper() if each.isprintable() and not each.isspace())


def refusal(coupon: Coupon, subtotal: Money, now: datetime) -> CouponRefusal | None:
    """Why the coupon takes nothing off an order whose things cost `subtotal`; None where it does."""
    if coupon.starts_at is not None and now < coupon.starts_at:
        return CouponRefusal.NOT_YET
    if coupon.ends_at is not None and now >= coupon.ends_at:
        return CouponRefusal.OVER
    if any(money is not None and money.currency != subtotal.currency for money in (coupon.amount, coupon.minimum)):
        return CouponRefusal.OTHER_CURRENCY
    if coupon.minimum is not None and subtotal.minor < coupon.minimum.minor:
        return CouponRefusal.BELOW_MINIMUM
    return CouponRefusal.USED_UP if coupon.uses_left is not None and coupon.uses_left <= 0 else None


def coupon_rule(coupons: Sequence[Coupon]) -> Rule:
    """What the coupons take off whose codes are in the basket, never more than there is. One that is refused takes
    nothing off.
    """

    def rule(basket: Basket) -> Iterator[Adjustment]:
        taken = Money(0, basket.quote.currency)
        for coupon in coupons:
            if coupon.code not in basket.codes or refusal(coupon, basket.quote.subtotal, basket.now) is not None:
                continue
            if coupon.kind is CouponKind.FREE_SHIPPING:
                yield from _off(AdjustmentKind.SHIPPING, f"Free shipping, {coupon.code}", basket.quote.net_shipping)
            else:
                left = Money(basket.quote.subtotal.minor - taken.minor, taken.currency)
                off = _amount(coupon, basket.quote.subtotal, left)
                taken += off
                yield from _off(AdjustmentKind.DISCOUNT, f"Discount, {coupon.code}", off)

    return rule


def _amount(coupon: Coupon, subtotal: Money, left: Money) -> Money:
    if coupon.kind is CouponKind.PERCENT:
        off = half_up(Fraction(subtotal.minor * coupon.thousandths, 100 * PERCENT), subtotal.currency)
    else:
        off = coupon.amount or Money(0, subtotal.currency)
    return min(off, left, key=lambda money: money.minor)


def _off(kind: AdjustmentKind, label: str, amount: Money) -> Iterator[Adjustment]:
    if amount.minor:
        yield Adjustment(kind, label, Money(-amount.minor, amount.currency))
