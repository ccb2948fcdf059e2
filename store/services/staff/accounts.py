"""The accounts of the staff. There is no registration: whoever runs the store adds them, at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import StaffMember, StaffSession
from store.domain import contacts
from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_EMAIL, Role
from store.services import staff_log
from store.services.services import Services
from store.services.staff import passwords

LOCAL_EMAIL = "owner@localhost"
OPERATOR = "flask staff"  # who does what is done at the terminal


def add(services: Services, email: str, role: Role, password: str, now: datetime) -> StaffMember:
    """Add an account. Raises StaffRefused: no address, one that has an account, a password that is not taken."""
    try:
        email = contacts.email(email).casefold()
    except contacts.NotAnEmail:
        raise StaffRefused(StaffRefusal.EMAIL_INVALID) from None
    if len(email) > LONGEST_EMAIL:
        raise StaffRefused(StaffRefusal.EMAIL_INVALID)
    return _add(services, email, role, passwords.hashed(password, email), now)


def ensure_local(services: Services, password: str, now: datetime) -> str:
    """See to it that the shop on this machine has an owner with this password; returns the address to sign in with.
    Raises StaffRefused with live keys: they never get such an account, and one that is there is no account any more.
    """
    if services.settings.live:
        raise StaffRefused(StaffRefusal.LIVE)
    with services.database.reading() as session:
        known = session.scalars(select(StaffMember).where(StaffMember.email == LOCAL_EMAIL)).one_or_none()
    if known is None:
        _add(services, LOCAL_EMAIL, Role.OWNER, passwords.hashed(password, LOCAL_EMAIL), now, local=True)
    elif not passwords.fits(password, known.password_hash):
        set_password(services, LOCAL_EMAIL, password, OPERATOR, now)
    return LOCAL_EMAIL


def everybody(session: Session) -> Sequence[StaffMember]:
    """Every account, in the order of its address."""
    return session.scalars(select(StaffMember).order_by(StaffMember.email)).all()


def change_role(services: Services, email: str, role: Role, actor: str, now: datetime) -> None:
    """Raises StaffRefused: an address without an account, or the last owner."""
    with services.database.transaction() as session:
        member = _lock(session, email)
        if role is not Role.OWNER:
            _keep_an_owner(session, member)
        before, member.role = member.role, role
        staff_log.add(session, now, actor, "staff.role_changed", member.email, {"from": before, "to": role})


def remove(services: Services, email: str, actor: str, now: datetime) -> None:
    """Remove an account; its browsers are signed out. What it did stays in the log. Raises as `change_role` does."""
    with services.database.transaction() as session:
        member = _lock(session, email)
        _keep_an_owner(session, member)
        session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))
        session.delete(member)
        staff_log.add(session, now, actor, "staff.removed", member.email)


def set_password(services: Services, email: str, password: str, actor: str, now: datetime) -> None:
    """Give an account another password. It is locked no more, asked for no second factor until that is set up anew,
    and signed out everywhere. Raises StaffRefused.
    """
    email = email.strip().casefold()
    password_hash = passwords.hashed(password, email)
    with services.database.transaction() as session:
        member = _lock(session, email)
        member.password_hash, member.failures, member.locked_until = password_hash, 0, None
        member.totp_secret = member.totp_step = None
        session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))
        staff_log.add(session, now, actor, "staff.password_set", member.email)


def change_own_password(
    services: Services, member: StaffMember, current: str, new: str, keep: str, now: datetime
) -> None:
    """Change somebody's own password; every browser but that of the session with the digest `keep` is signed out.
    Raises StaffRefused.
    """
    if not passwords.fits(current, member.password_hash):
        raise StaffRefused(StaffRefusal.PASSWORD_WRONG)
    password_hash = passwords.hashed(new, member.email)
    with services.database.transaction() as session:
        session.execute(update(StaffMember).where(StaffMember.id == member.id).values(password_hash=password_hash))
        session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id, StaffSession.digest != keep))
        staff_log.add(session, now, member.email, "staff.password_changed", member.email)


def _add(
    services: Services, email: str, role: Role, password_hash: str, now: datetime, *, local: bool = False
) -> StaffMember:
    with services.database.transaction() as session:
        known = session.scalars(select(StaffMember.id).where(StaffMember.email == email)).one_or_none()
        if known is not None:
            raise StaffRefused(StaffRefusal.EXISTS)
        member = StaffMember(email=email, role=role, password_hash=password_hash, local=local, added_at=now)
        session.add(member)
        staff_log.add(session, now, OPERATOR, "staff.added", email, {"role": role})
    return member


def _lock(session: Session, email: str) -> StaffMember:
    found = select(StaffMember).where(StaffMember.email == email.strip().casefold()).with_for_update()
    member = session.scalars(found).one_or_none()
    if member is None:
        raise StaffRefused(StaffRefusal.UNKNOWN)
    return member


def _keep_an_owner(session: Session, member: StaffMember) -> None:
    """Somebody has to be able to do everything."""
    if member.role is not Role.OWNER:
        return
    owners = select(StaffMember.id).where(StaffMember.role == Role.OWNER).with_for_update().subquery()
    if session.scalar(select(func.count()).select_from(owners)) == 1:
        raise StaffRefused(StaffRefusal.LAST_OWNER)
