"""Members of staff, and the browsers they are signed in with."""

from __future__ import annotations

import time

from argon2 import PasswordHasher

from models import StaffMember
from store.domain.staff import Role
from tests.support.shop import Browser, Shop

PASSWORD = "four words nobody guesses"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # checked in a moment


def hire(shop: Shop, role: Role, email: str | None = None, **more: object) -> StaffMember:
    """Somebody with this role, whose password is PASSWORD."""
    email = email or f"{role}@shop.example"
    with shop.services.database.transaction() as session:
        member = StaffMember(email=email, role=role, password=HASH, added_at=shop.clock(), **more)
        session.add(member)
    return member


def browser_of(shop: Shop, member: StaffMember, signed_in_ago: float = 0) -> Browser:
    """A browser in which somebody has signed in, so many seconds ago."""
    browser = shop.browser()
    with browser.staff_session() as cookie:
        cookie["_user_id"], cookie["fs_paa"] = member.fs_uniquifier, time.time() - signed_in_ago
        cookie.permanent = True
    return browser


def staff(shop: Shop, role: Role = Role.OWNER) -> Browser:
    """A browser in which somebody of this role is signed in."""
    return browser_of(shop, hire(shop, role))
