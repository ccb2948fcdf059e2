"""What the staff do in the admin."""

from playwright.sync_api import Page, expect

from tests.support.processes import StoreProcess
from tests.support.staff import HASH, PASSWORD


def hire(store: StoreProcess, email: str, role: str) -> None:
    """Somebody new, whose password is PASSWORD. `flask staff add` does it too, but takes longer than most pages."""
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
