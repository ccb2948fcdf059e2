"""What the staff reads of a coupon."""

from __future__ import annotations

from datetime import datetime

from models import CouponRow
from store.admin.charge_forms import percent_text
from store.admin.presentation.orders import Label
from store.domain.coupons import CouponKind
from store.domain.money import Money
from store.web.presentation.states import Tone


def coupon_sentence(coupon: CouponRow) -> str:
    """What it takes off, and of what."""
    amount = Money(coupon.amount_minor or 0, coupon.currency).text()
    percent = f"{percent_text(coupon.thousandths)} %"
    off = {CouponKind.PERCENT: percent, CouponKind.AMOUNT: amount, CouponKind.FREE_SHIPPING: "the shipping"}
    least = f", of orders of at least {Money(coupon.minimum_minor or 0, coupon.currency).text()}"
    once = ", once for each customer" if coupon.once_per_customer else ""
    return f"{off[coupon.kind]}{least if coupon.minimum_minor else ''}{once}"


def coupon_state(coupon: CouponRow, now: datetime) -> Label:
    """Whether it is taken now, and if not, why."""
    if not coupon.active:
        return Label("switched off", Tone.CALM, "cross")
    if coupon.starts_at is not None and now < coupon.starts_at:
        return Label("not yet", Tone.WAIT, "clock")
    if coupon.ends_at is not None and now >= coupon.ends_at:
        return Label("over", Tone.CALM, "clock")
    if coupon.max_uses is not None and coupon.used >= coupon.max_uses:
        return Label("used up", Tone.CALM, "check")
    return Label("taken", Tone.GOOD, "check")
