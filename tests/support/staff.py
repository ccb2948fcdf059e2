"""Members of staff, and the browsers they are signed in with."""

from __future__ import annotations

from argon2 import PasswordHasher

from models import StaffMember
from store.domain.staff import Role
from store.services.staff import signing_in
from tests.support.shop import Browser, Shop

PASSWORD = "four words nobody guesses"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # checked in a moment


def hire(shop: Shop, role: Role, email: str | None = None, **more: object) -> StaffMember:
    """Somebody with this role, whose password is PASSWORD."""
    email = email or f"{role}@shop.example"
    with shop.services.database.transaction() as session:
        member = StaffMember(email=email, role=role, password_hash=_HASH, added_at=shop.clock(), **more)
        session.add(member)
    return member


def browser_of(shop: Shop, member: StaffMember) -> Browser:
    """A browser in which somebody is signed in, as after the sign-in page."""
    browser = shop.browser()
    with browser.staff_session() as cookie:
        cookie["token"] = signing_in.begin(shop.services, member.id, None, shop.clock())
    return browser


def staff(shop: Shop, role: Role = Role.OWNER) -> Browser:
    """A browser in which somebody of this role is signed in."""
    return browser_of(shop, hire(shop, role))
