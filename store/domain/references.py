"""References and tokens that nobody can guess."""

from __future__ import annotations

import secrets

# No 0/O, 1/I/L or U: easy to read out over the telephone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16  # characters, without the dashes


def new_reference() -> str:
    """An order reference such as `K7QM-3XTR-9WHB-D2VN`: 16 of 30 characters, 78 bits."""
    number, characters = secrets.randbelow(len(ALPHABET) ** LENGTH), ""  # the system is asked once, not for each
    while len(characters) < LENGTH:
        number, place = divmod(number, len(ALPHABET))
        characters += ALPHABET[place]
    return "-".join(characters[start : start + 4] for start in range(0, LENGTH, 4))


def new_token() -> str:
    """A name for a cart or a browser: 128 bits, safe in a URL."""
    return secrets.token_urlsafe(16)
