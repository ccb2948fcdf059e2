"""The accounts of the staff. There is no registration: whoever runs the store adds them, at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import StaffMember
from store.domain import contacts
from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_EMAIL, Role
from store.services import staff_log
from store.services.services import Services

LOCAL_EMAIL = "owner@localhost"
OPERATOR = "flask staff"  # who does what is done at the terminal


def add(
    services: Services, email: str, role: Role, password_hash: str, now: datetime, *, local: bool = False
) -> StaffMember:
    """Add an account for an `address`. Raises StaffRefused where it has one."""
    with services.database.transaction() as session:
        known = session.scalars(select(StaffMember.id).where(StaffMember.email == email)).one_or_none()
        if known is not None:
            raise StaffRefused(StaffRefusal.EXISTS)
        member = StaffMember(email=email, role=role, password=password_hash, local=local, added_at=now)
        session.add(member)
        staff_log.add(session, now, OPERATOR, "staff.added", email, {"role": role})
    return member


def address(email: str) -> str:
    """An address as accounts are named by. Raises StaffRefused where it is none."""
    try:
        email = contacts.email(email).casefold()
    except contacts.NotAnEmail:
        raise StaffRefused(StaffRefusal.EMAIL_INVALID) from None
    if len(email) > LONGEST_EMAIL:
        raise StaffRefused(StaffRefusal.EMAIL_INVALID)
    return email


def ensure_local(services: Services, password_hash: str, fits: Callable[[str], bool], now: datetime) -> None:
    """See to it that the shop on this machine has an owner, LOCAL_EMAIL, whose password is the one that was hashed;
    `fits` says whether that is so of a hash. Raises StaffRefused with live keys: they never get such an account, and
    one that is there is no account any more.
    """
    if services.settings.live:
        raise StaffRefused(StaffRefusal.LIVE)
    with services.database.reading() as session:
        known = session.scalar(select(StaffMember.password).where(StaffMember.email == LOCAL_EMAIL))
    if known is None:
        add(services, LOCAL_EMAIL, Role.OWNER, password_hash, now, local=True)
    elif not fits(known):
        set_password(services, LOCAL_EMAIL, password_hash, OPERATOR, now)


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
    """Remove an account, wherever it is signed in. What it did stays in the log. Raises as `change_role` does."""
    with services.database.transaction() as session:
        member = _lock(session, email)
        _keep_an_owner(session, member)
        session.delete(member)
        staff_log.add(session, now, actor, "staff.removed", member.email)


def set_password(services: Services, email: str, password_hash: str, actor: str, now: datetime) -> None:
    """Give an account another password. It is locked no more, asked for no second factor until one is set up anew, and
    signed out everywhere. Raises StaffRefused.
    """
    with services.database.transaction() as session:
        member = _lock(session, email)
        member.password, member.failures, member.locked_until = password_hash, 0, None
        member.tf_primary_method = member.tf_totp_secret = member.mf_recovery_codes = None
        member.webauthn.clear()
        member.fs_uniquifier = uuid4().hex
        staff_log.add(session, now, actor, "staff.password_set", member.email)


def sign_out_everywhere(services: Services, email: str, actor: str, now: datetime) -> None:
    """Sign an account out wherever it is signed in. Raises StaffRefused."""
    with services.database.transaction() as session:
        member = _lock(session, email)
        member.fs_uniquifier = uuid4().hex
        staff_log.add(session, now, actor, "staff.signed_out_everywhere", member.email)


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
