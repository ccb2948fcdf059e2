"""Which passwords are taken, and what is kept of them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_security import PasswordUtil, Security, hash_password, verify_password
from flask_security.utils import get_message

from models import StaffMember
from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_PASSWORD


class PasswordRules(PasswordUtil):
    """Not too short, not too long, and nothing that zxcvbn would guess: no kind of character is asked for."""

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:
        normal = self.normalize(password)
        if len(normal) > LONGEST_PASSWORD:
            return [get_message("PASSWORD_INVALID_LENGTH")[0]], normal
        return super().validate(password, is_register, **kwargs)


class Passwords:
    """The same for those who set passwords at a terminal."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def hashed(self, password: str, email: str) -> str:
        """What is kept of a new password for the account of `email`. Raises StaffRefused."""
        with self._app.app_context():
            flaws, normal = self._security.password_util.validate(password, False, user=StaffMember(email=email))
            if flaws:
                raise StaffRefused(StaffRefusal.PASSWORD_UNFIT, str(flaws[0]))
            return hash_password(normal)

    def fits(self, password: str, password_hash: str) -> bool:
        """Whether it is the password that was hashed."""
        with self._app.app_context():
            return verify_password(self._security.password_util.normalize(password), password_hash)

    @property
    def _security(self) -> Security:
        security: Security = self._app.extensions["security"]
        return security
