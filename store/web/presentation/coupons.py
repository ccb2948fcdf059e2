"""What a shopper reads when a discount code takes nothing off."""

from __future__ import annotations

from collections.abc import Mapping

from store.domain.errors import CouponRefusal, CouponRefused

REFUSALS: Mapping[CouponRefusal, str] = {
    CouponRefusal.UNKNOWN: "We do not know this code. Check its spelling, or leave this empty.",
    CouponRefusal.NOT_YET: "This code is not good yet.",
    CouponRefusal.OVER: "This code is not good any more.",
    CouponRefusal.BELOW_MINIMUM: "This code needs things for {minimum} at least.",
    CouponRefusal.OTHER_CURRENCY: "This code is for another currency.",
    CouponRefusal.USED_UP: "This code has been used as often as it could be.",
    CouponRefusal.NO_SHIPPING: "This code is for the shipping, and there is none to pay.",
    CouponRefusal.USED_BEFORE: "You have an order with this code already, and it is good for one.",
}


def coupon_refusal(refused: CouponRefused) -> str:
    """Why the code takes nothing off, and what would help."""
    minimum = refused.minimum.text() if refused.minimum is not None else ""
    return REFUSALS[refused.reason].format(minimum=minimum)
