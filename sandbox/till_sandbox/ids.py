"""Identifiers shaped like Stripe's: a prefix, then letters and digits. Opaque to everyone, the sandbox included."""

import hashlib
import secrets
import string
from functools import lru_cache

ALPHABET = string.ascii_letters + string.digits

#: Characters after the prefix where it is not 24.
SHORT = {"cus": 14, "req": 14}


#: For each byte, a letter or digit.
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


def random_text(length: int) -> str:
    return secrets.token_bytes(length).translate(_LETTERS).decode()


def new(prefix: str) -> str:
    length = SHORT.get(prefix, 24)
    return f"{prefix}_{random_text(length) if length < 24 else '1' + random_text(23)}"


def new_payment() -> str:
    """A PaymentIntent's id. Its charges, refunds and balance transactions share its stem (see `related`)."""
    return f"pi_3{random_text(15)}0{random_text(7)}"


def related(prefix: str, payment_id: str) -> str:
    """An id of the same payment: the same 17 characters after the prefix as `payment_id`."""
    stem = payment_id.split("_", 1)[1][:17]
    return f"{prefix}_{stem}{random_text(7)}"


@lru_cache(maxsize=1024)
def derived(prefix: str, text: str, length: int) -> str:
    """Always the same id for the same text; the text can't be read back from it."""
    digest = hashlib.blake2b(text.encode(), digest_size=length).digest()
    return prefix + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest)
