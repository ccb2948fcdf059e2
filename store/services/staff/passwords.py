"""Passwords of the staff, hashed with Argon2."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.references import new_token
from store.domain.staff import flaw_of

_hasher = PasswordHasher()  # the parameters of RFC 9106 for little memory: 64 MiB, a tenth of a second


def hashed(password: str, email: str) -> str:
    """What is kept of a new password for the account of `email`. Raises StaffRefused."""
    flaw = flaw_of(password, email)
    if flaw is not None:
        raise StaffRefused(StaffRefusal.PASSWORD_UNFIT, flaw)
    return _hasher.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether it is the password that was hashed. Without a hash it is not, which takes as long to say."""
    try:
        _hasher.verify(password_hash or _of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _of_nobody() -> str:
    return _hasher.hash(new_token())
