"""Who works in the shop, and what each may do."""

from __future__ import annotations

from enum import StrEnum

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200  # characters
LONGEST_EMAIL = 80  # characters: the history names its actors in as many


class Role(StrEnum):
    """What a member of staff may do; each may do what those before it may, too.

    packing: see orders and send them. service: return money, cancel, resolve, answer. owner: products, prices, coupons,
    staff.
    """

    PACKING = "packing"
    SERVICE = "service"
    OWNER = "owner"

    def includes(self, needed: Role) -> bool:
        """Whether who has this role may do what `needed` may."""
        roles = list(Role)
        return roles.index(self) >= roles.index(needed)


class PasswordFlaw(StrEnum):
    """Why a password is not taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LIKE_THE_EMAIL = "like_the_email"
    TOO_PLAIN = "too_plain"


def flaw_of(password: str, email: str) -> PasswordFlaw | None:
    """What is wrong with a new password for the account of `email`; None where nothing is. Length is what counts: no
    kind of character is asked for, but a few characters again and again are no length.
    """
    if len(password) < SHORTEST_PASSWORD:
        return PasswordFlaw.TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return PasswordFlaw.TOO_LONG
    if email.partition("@")[0].casefold() in password.casefold():
        return PasswordFlaw.LIKE_THE_EMAIL
    return PasswordFlaw.TOO_PLAIN if len(set(password)) < SHORTEST_PASSWORD // 2 else None
