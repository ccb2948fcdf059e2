"""Codes: those of an authenticator, each taken once, and those for the day it is lost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from flask_security import MfRecoveryCodesUtil, Totp
from markupsafe import Markup
from passlib.exc import UsedTokenError
from passlib.totp import TOTP, AppWallet, TotpMatch
from qrcode.image.svg import SvgPathFillImage
from qrcode.main import make

from store.services.staff import tries
from store.web.current import now, services


def totp_secrets(signing_keys: Sequence[str]) -> dict[str, str]:
    """What secrets of authenticators are encrypted with, by name; the last one encrypts."""
    return {
        hashlib.sha256(b"totp name:" + key.encode()).hexdigest()[:8]: _derived("totp", key).hex()
        for key in signing_keys
    }


def recovery_keys(signing_keys: Sequence[str]) -> list[bytes]:
    """What recovery codes are encrypted with; the first one encrypts."""
    return [base64.urlsafe_b64encode(_derived("recovery", key)) for key in reversed(signing_keys)]


class AuthenticatorCodes(Totp):
    """Takes the code of a half minute once, by the store's clock."""

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        wallet = AppWallet(secrets, default_tag=list(secrets)[-1])
        self._totp = TOTP.using(issuer=issuer, wallet=wallet, now=lambda: now().timestamp())

    def get_last_counter(self, user: Any) -> int | None:
        counter: int | None = user.totp_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: TotpMatch) -> None:
        """Two that send the same code at once have both found it unused: one of them is refused here."""
        if not tries.take_code(services(), user.id, tmatch.counter):
            raise UsedTokenError

    def generate_qrcode(self, username: str, totp: str) -> str:
        """The picture as a part of the page: a `data:` address is nothing that the page may show."""
        picture: Any = make(self.get_totp_uri(username, totp), image_factory=SvgPathFillImage)
        return Markup(picture.to_string(encoding="unicode"))  # noqa: S704  # squares that the library drew


class RecoveryCodes(MfRecoveryCodesUtil):
    """Takes each code once."""

    def delete_recovery_code(self, user: Any, code: str) -> bool:
        for stored in user.mf_recovery_codes or []:
            if self._decrypt_codes([stored]) == [code]:
                tries.spend_recovery_code(services(), user.id, stored)
                return True
        return False


def _derived(purpose: str, key: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{key}".encode()).digest()
