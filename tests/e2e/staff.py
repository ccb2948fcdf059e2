"""What the staff do in the admin."""

from playwright.sync_api import Page, expect

from tests.e2e.test_accessibility import see_no_sideways_scrolling
from tests.support.axe import obstacles
from tests.support.processes import StoreProcess
from tests.support.staff import HASH, PASSWORD


def hire(store: StoreProcess, email: str, role: str) -> None:
    """Somebody new, whose password is PASSWORD. `flask staff add` would do it, but takes as long as a page or five."""
    store.change(
        "INSERT INTO staff (email, role, password, fs_uniquifier, failures, local, added_at)"
        " VALUES (?, ?, ?, ?, 0, 0, '2026-11-28 12:00:00')",
        *(email, role, HASH, email),
    )


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/admin")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def work_as(page: Page, store: StoreProcess, role: str, name: str | None = None) -> None:
    """Somebody new of this name, with this role, signs in. Ends on the work list."""
    email = f"{name or role}@shop.example"
    hire(store, email, role)
    sign_in(page, email)
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()


def see_a_good_page(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    see_no_sideways_scrolling(page)
    assert obstacles(page) == []
