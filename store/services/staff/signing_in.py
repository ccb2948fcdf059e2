"""Signing in and out. A browser holds a token; the database holds its digest, whose it is, and when it was seen.

Five wrong passwords or codes lock an account for a quarter of an hour, for whoever tries. What is refused does not say
whether there is an account, nor takes another time for it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, joinedload

from models import StaffMember, StaffSession
from store.domain.errors import SignInRefusal, SignInRefused, StaffRefusal, StaffRefused
from store.services import staff_log
from store.services.services import Services
from store.services.staff import passwords

MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)
# A browser is signed out when nobody has used it for two hours, and after half a day in any case.
IDLE, LONGEST = timedelta(hours=2), timedelta(hours=12)
# For how long a right password waits for its code.
CODE_WITHIN = timedelta(minutes=5)
SEEN_EVERY = timedelta(minutes=1)  # the time is not written at each request


def check_password(services: Services, email: str, password: str, now: datetime) -> StaffMember:
    """Whose password it is. With a second factor that is not enough: see `begin`. Raises SignInRefused."""
    with services.database.reading() as session:
        named = select(StaffMember).where(StaffMember.email == email.strip().casefold())
        member = session.scalars(named).one_or_none() if email.isprintable() else None
    if member is not None and member.local and services.settings.live:
        member = None
    right = passwords.fits(password, member.password_hash if member is not None else None)
    if member is None or not _count(services, member.id, right=right, now=now):
        raise SignInRefused(SignInRefusal.WRONG)
    return member


def begin(
    services: Services, staff_id: int, code: str | None, now: datetime, *, password_at: datetime | None = None
) -> str:
    """Sign in somebody whose password was right; returns the token for the cookie. Where a second factor is asked for,
    `code` has to be one that was not used before, and the password at most five minutes old. Raises SignInRefused.
    """
    with services.database.transaction() as session:
        member = session.get(StaffMember, staff_id, with_for_update=True)
        if member is None or _is_locked(member, now) or (password_at is not None and now - password_at > CODE_WITHIN):
            raise SignInRefused(SignInRefusal.TOO_LATE)
        step = _step_of(member.totp_secret, code, member.totp_step, now) if member.totp_secret else None
        right = member.totp_secret is None or step is not None
        if right:
            member.failures, member.locked_until, member.totp_step = 0, None, step or member.totp_step
            _forget_ended(session, member.id, now)
            token = secrets.token_urlsafe(32)
            session.add(StaffSession(digest=digest_of(token), staff_id=member.id, began_at=now, seen_at=now))
            staff_log.add(session, now, member.email, "staff.signed_in", member.email)
            return token
        _fail(member, now)
    raise SignInRefused(SignInRefusal.CODE_WRONG)


def look_up(services: Services, token: str, now: datetime) -> StaffSession | None:
    """Whose token it is, with its `member`; None where it was signed out or has ended."""
    with services.database.reading() as session:
        found = session.scalars(
            select(StaffSession).where(StaffSession.digest == digest_of(token)).options(joinedload(StaffSession.member))
        ).one_or_none()
    if found is None or now - found.seen_at > IDLE or now - found.began_at > LONGEST:
        return None
    if found.member.local and services.settings.live:
        return None
    if now - found.seen_at >= SEEN_EVERY:
        with services.database.transaction() as session:
            session.execute(update(StaffSession).where(StaffSession.digest == found.digest).values(seen_at=now))
    return found


def sign_out(services: Services, signed_in: StaffSession, now: datetime) -> None:
    """Sign this browser out."""
    with services.database.transaction() as session:
        session.execute(delete(StaffSession).where(StaffSession.digest == signed_in.digest))
        staff_log.add(session, now, signed_in.member.email, "staff.signed_out", signed_in.member.email)


def sign_out_everywhere(services: Services, email: str, actor: str, now: datetime) -> int:
    """Sign out every browser of an account; says how many there were. Raises StaffRefused."""
    with services.database.transaction() as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == email)).one_or_none()
        if member is None:
            raise StaffRefused(StaffRefusal.UNKNOWN)
        of_member = delete(StaffSession).where(StaffSession.staff_id == member.id).returning(StaffSession.digest)
        ended = len(session.scalars(of_member).all())
        staff_log.add(session, now, actor, "staff.signed_out_everywhere", email, {"browsers": ended})
    return ended


def sessions_of(session: Session, staff_id: int, now: datetime) -> list[StaffSession]:
    """The browsers that an account is signed in with, the last one used first."""
    of_member = select(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.seen_at > now - IDLE)
    return list(session.scalars(of_member.order_by(StaffSession.seen_at.desc())))


def new_secret() -> str:
    """A secret for an authenticator, to be confirmed with a code of its."""
    return pyotp.random_base32()


def authenticator_link(services: Services, member: StaffMember, secret: str) -> str:
    """What an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name=services.settings.store_name)


def add_authenticator(services: Services, member: StaffMember, secret: str, code: str, now: datetime) -> None:
    """Ask for a code of this secret from now on. Raises StaffRefused where `code` is none."""
    step = _step_of(secret, code, None, now)
    if step is None:
        raise StaffRefused(StaffRefusal.CODE_WRONG)
    with services.database.transaction() as session:
        values = {"totp_secret": secret, "totp_step": step}
        session.execute(update(StaffMember).where(StaffMember.id == member.id).values(values))
        staff_log.add(session, now, member.email, "staff.authenticator_added", member.email)


def remove_authenticator(services: Services, member: StaffMember, password: str, now: datetime) -> None:
    """Ask for the password alone from now on. Raises StaffRefused where it is not the account's."""
    if not passwords.fits(password, member.password_hash):
        raise StaffRefused(StaffRefusal.PASSWORD_WRONG)
    with services.database.transaction() as session:
        values = {"totp_secret": None, "totp_step": None}
        session.execute(update(StaffMember).where(StaffMember.id == member.id).values(values))
        staff_log.add(session, now, member.email, "staff.authenticator_removed", member.email)


def digest_of(token: str) -> str:
    """What the database knows of a token: it cannot be told from it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _count(services: Services, staff_id: int, *, right: bool, now: datetime) -> bool:
    """Count a try at a password; says whether it was right and the account is not locked. What was tried meanwhile by
    others counts: a right one among many at once is refused, too.
    """
    with services.database.transaction() as session:
        member = session.get(StaffMember, staff_id, with_for_update=True, populate_existing=True)
        if member is None or _is_locked(member, now):
            return False
        if not right:
            _fail(member, now)
        return right


def _is_locked(member: StaffMember, now: datetime) -> bool:
    return member.locked_until is not None and now < member.locked_until


def _fail(member: StaffMember, now: datetime) -> None:
    member.failures += 1
    if member.failures >= MOST_FAILURES:
        member.failures, member.locked_until = 0, now + LOCKED_FOR


def _step_of(secret: str, code: str | None, last: int | None, now: datetime) -> int | None:
    """Which half minute a code is of; None where it is of none that is near `now` and later than the `last` one."""
    totp = pyotp.TOTP(secret)
    digits = "".join(each for each in code or "" if each in "0123456789")
    for nearby in (-1, 0, 1):
        step = totp.timecode(now) + nearby
        if (last is None or step > last) and secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def _forget_ended(session: Session, staff_id: int, now: datetime) -> None:
    ended = (StaffSession.seen_at <= now - IDLE) | (StaffSession.began_at <= now - LONGEST)
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id, ended))
