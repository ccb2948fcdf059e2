"""The coupons as the merchant keeps them. A coupon is never removed, for orders name it: it is switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import CouponRow
from store.domain.coupons import CouponKind, read_code
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.services import staff_log
from store.services.services import Services
from store.services.staff_log import Actor


@dataclass(frozen=True, slots=True)
class CouponValues:
    """All of a coupon but its code. What its kind does not need is nothing: `thousandths` of a percent, an amount."""

    kind: CouponKind
    thousandths: int
    amount_minor: int | None
    minimum_minor: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    once_per_customer: bool
    max_uses: int | None
    active: bool


def everything(session: Session) -> Sequence[CouponRow]:
    """Every coupon, those that are offered first, each by its code."""
    return session.scalars(select(CouponRow).order_by(CouponRow.active.desc(), CouponRow.code)).all()


def find(session: Session, coupon_id: int) -> CouponRow:
    """Raises NotFound."""
    found = session.get(CouponRow, coupon_id)
    if found is None:
        raise NotFound(Subject.CHARGE)
    return found


def add(services: Services, code: str, values: CouponValues, actor: Actor) -> None:
    """Raises CatalogueRefused where there is a coupon with this code, or the code is empty."""
    known_form = read_code(code)
    if not known_form:
        raise CatalogueRefused(CatalogueRefusal.NO_NAME)
    with services.database.transaction() as session:
        if session.scalar(select(CouponRow.id).where(CouponRow.code == known_form)) is not None:
            raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=known_form)
        session.add(CouponRow(code=known_form, currency=services.settings.store_currency, **asdict(values)))
        staff_log.add(session, actor.at, actor.name, "coupon.added", known_form)


def change(services: Services, coupon_id: int, values: CouponValues, actor: Actor) -> None:
    """Give a coupon these values; orders that were placed with it keep what it took off. Raises NotFound, and
    CatalogueRefused where more orders have a use of it than it would have.
    """
    with services.database.transaction() as session:
        coupon = session.get(CouponRow, coupon_id, with_for_update=True)
        if coupon is None:
            raise NotFound(Subject.CHARGE)
        if values.max_uses is not None and values.max_uses < coupon.used:
            raise CatalogueRefused(CatalogueRefusal.FEWER_THAN_USED, coupon.used)
        fields = [name for name, value in asdict(values).items() if getattr(coupon, name) != value]
        for name in fields:
            setattr(coupon, name, getattr(values, name))
        if fields:
            told = {"fields": ", ".join(fields)}
            staff_log.add(session, actor.at, actor.name, "coupon.changed", coupon.code, told)
