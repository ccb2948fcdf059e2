"""Who works in the shop, and what each may do."""

from __future__ import annotations

from enum import StrEnum

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 72  # characters; zxcvbn, which judges them, reads as many
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
