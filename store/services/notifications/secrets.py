"""Signatures as Standard Webhooks has them (standardwebhooks.com), and the secrets that sign, encrypted while they are
kept: with a key made of SECRET_KEY, as those of authenticators are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret such as `whsec_…`: 256 random bits in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(keys: Iterable[str], message_id: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`: one signature for each secret, of which the receiver needs to know one."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return " ".join(f"v1,{_signed(key, signed)}" for key in keys)


def seal(signing_keys: Sequence[str], secret: str) -> str:
    """A secret as it is kept."""
    return _box(signing_keys).encrypt(secret.encode()).decode()


def unseal(signing_keys: Sequence[str], sealed: str) -> str | None:
    """A kept secret; None where SECRET_KEY has changed, and the one before is not in SECRET_KEY_FALLBACKS."""
    try:
        return _box(signing_keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _signed(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _box(signing_keys: Sequence[str]) -> MultiFernet:
    """The newest key encrypts, all of them decrypt."""
    derived = (hashlib.sha256(b"endpoint:" + key.encode()).digest() for key in reversed(signing_keys))
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
