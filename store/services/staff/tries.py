"""What is tried to get into an account: wrong passwords and codes lock it, and a code is taken once.

Flask-Security calls these where it leaves room for them. Each is a transaction of its own, since what many try at once
is counted one after the other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models import StaffMember
from store.domain.errors import StaffRefusal, StaffRefused
from store.services import staff_log
from store.services.services import Services

MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)


def failed(services: Services, staff_id: int, now: datetime) -> None:
    """Count a wrong password or code; so many lock the account for a while. At a locked one nothing is counted."""
    with services.database.transaction() as session:
        member = session.get(StaffMember, staff_id, with_for_update=True)
        if member is None or _locked(member.locked_until, now):
            return
        member.failures += 1
        if member.failures >= MOST_FAILURES:
            member.failures, member.locked_until = 0, now + LOCKED_FOR


def is_locked(services: Services, staff_id: int, now: datetime) -> bool:
    """Whether nobody is let in for now, as the database says at this moment."""
    with services.database.reading() as session:
        until = session.scalar(select(StaffMember.locked_until).where(StaffMember.id == staff_id))
    return _locked(until, now)


def succeeded(session: Session, member: StaffMember, now: datetime) -> None:
    """Somebody is in: what was tried before counts no more, and the log says so."""
    unlocked = {"failures": 0, "locked_until": None}
    session.execute(update(StaffMember).where(StaffMember.id == member.id).values(unlocked))
    staff_log.add(session, now, member.email, "staff.signed_in", member.email)


def take_code(services: Services, staff_id: int, counter: int) -> bool:
    """Take the code of a half minute; False where this one, or a later one, was taken before."""
    earlier = or_(StaffMember.totp_counter.is_(None), StaffMember.totp_counter < counter)
    taken = update(StaffMember).where(StaffMember.id == staff_id, earlier).values(totp_counter=counter)
    with services.database.transaction() as session:
        return session.scalar(taken.returning(StaffMember.id)) is not None


def spend_recovery_code(services: Services, staff_id: int, stored: str) -> None:
    """Take a recovery code, as it is stored, off the account. Raises StaffRefused where another request has done so."""
    with services.database.transaction() as session:
        member = session.get(StaffMember, staff_id, with_for_update=True)
        codes = (member.mf_recovery_codes or []) if member is not None else []
        if member is None or stored not in codes:
            raise StaffRefused(StaffRefusal.CODE_SPENT)
        member.mf_recovery_codes = [code for code in codes if code != stored]


def _locked(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until
