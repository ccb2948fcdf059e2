"""The staff as Flask-Security sees them, and how it reads and writes them: in the store's own transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g
from flask_security import EmailValidateException, MailUtil, SQLAlchemySessionUserDatastore, UserMixin
from flask_security.utils import get_message
from sqlalchemy import Executable
from sqlalchemy.orm import Session

from models import StaffMember, StaffPasskey
from store.admin.presentation.words import LOCKED
from store.domain.errors import StoreBusy
from store.services import staff_log
from store.services.staff import tries
from store.web.current import now, services

Work = Callable[[Session], Any]


class Account(UserMixin, StaffMember):  # type: ignore[misc]  # the library names the same attributes, without a database
    """A member of staff who signs in."""

    @property
    def active(self) -> bool:  # type: ignore[override]  # nobody sets it
        """Whether it is an account. That of the shop on one machine is none while real money moves."""
        return not (self.local and services().settings.live)

    def is_locked(self, form_error: list[str] | None = None) -> bool:
        """Whether nobody is let in for now. The sign-in page does not say so: it has one sentence for all refusals."""
        locked = tries.is_locked(services(), self.id, now())
        if locked and form_error is not None:
            form_error.append(LOCKED)
        return locked

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:  # noqa: ARG002  # whatever was wrong
        tries.failed(services(), self.id, now())


class Addresses(MailUtil):
    """Addresses as accounts are named by. Whoever signs in is looked up, not written to."""

    def normalize(self, email: str) -> str:
        if not email.isprintable():
            raise EmailValidateException(get_message("INVALID_EMAIL_ADDRESS")[0])
        return email.strip().casefold()


class StaffSession:
    """What Flask-Security takes for a session. Each of its reads is a transaction, and so is all that it has written at
    the end of a request: none is open while passwords are hashed and pages are made. What it reads is detached, and
    only the columns that it changes are written.
    """

    def scalar(self, statement: Executable) -> Any:
        """One row, or None. Where the database does not answer, nobody is asked for again: the page that says so looks
        for who is signed in, too.
        """
        if g.get("staff_unread"):
            return None
        try:
            with services().database.reading() as session:
                return session.scalar(statement)
        except StoreBusy:
            g.staff_unread = True
            raise

    def add(self, row: object) -> None:
        row = _itself(row)
        self.later(lambda session: session.add(row))

    def delete(self, row: object) -> None:
        row = _itself(row)
        self.later(lambda session: session.delete(row))

    def later(self, work: Work) -> None:
        """Do this with what else the request writes."""
        _waiting().append(work)

    def commit(self) -> None:
        works = _waiting()[:]
        _waiting().clear()
        if works:
            with services().database.transaction() as session:
                for work in works:
                    work(session)


class StaffDatastore(SQLAlchemySessionUserDatastore):
    """Finds and changes the staff. A role is a column of theirs, so there are no rows of roles."""

    def __init__(self) -> None:
        self.writes = StaffSession()
        super().__init__(self.writes, Account, None, StaffPasskey)  # type: ignore[arg-type]

    def mf_set_recovery_codes(self, user: UserMixin, rcs: list[str] | None) -> None:
        """The library sends no signal here, so it is noted where they are kept."""
        super().mf_set_recovery_codes(user, rcs)
        at, email = now(), user.email
        self.writes.later(lambda rows: staff_log.add(rows, at, email, "staff.recovery_codes_made", email))


def _waiting() -> list[Work]:
    waiting: list[Work] = g.setdefault("staff_writes", [])
    return waiting


def _itself(row: object) -> object:
    """What a proxy such as `current_user` stands for now."""
    return row._get_current_object() if hasattr(row, "_get_current_object") else row
