"""The staff at the door of /admin, in a real browser with an authenticator for passkeys of its own."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewBrowser
from tests.support.processes import StoreProcess
from tests.support.staff import HASH, PASSWORD

EMAIL = "passkeys@shop.example"


def test_a_passkey_is_asked_for_after_the_password(store: StoreProcess, new_browser: NewBrowser) -> None:
    store.change(
        "INSERT INTO staff (email, role, password, fs_uniquifier, failures, local, added_at)"
        " VALUES (?, 'packing', ?, 'passkeys', 0, 0, '2026-11-28 12:00:00')",
        *(EMAIL, HASH),
    )
    # A passkey belongs to a name, and 127.0.0.1 is none.
    page = new_browser(base_url=f"http://localhost:{urlsplit(store.url).port}").new_page()
    own_authenticator(page)

    sign_in(page)
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Add passkeys").click()
    page.get_by_label("Name of the passkey").fill("Telephone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("“Telephone” is added")
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page)
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_role("link", name="Account")).to_be_visible()


def sign_in(page: Page) -> None:
    page.goto("/admin")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def own_authenticator(page: Page) -> None:
    """As a telephone has one, where somebody always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    agrees = {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options | agrees})
