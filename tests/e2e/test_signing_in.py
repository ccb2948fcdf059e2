"""The staff at the door of /admin, in a real browser with an authenticator for passkeys of its own."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewBrowser
from tests.e2e.staff import hire, sign_in
from tests.support.processes import StoreProcess

EMAIL = "passkeys@shop.example"


def test_a_passkey_is_asked_for_after_the_password(store: StoreProcess, new_browser: NewBrowser) -> None:
    hire(store, EMAIL, "packing")
    # A passkey belongs to a name, and 127.0.0.1 is none.
    page = new_browser(base_url=f"http://localhost:{urlsplit(store.url).port}").new_page()
    own_authenticator(page)

    sign_in(page, EMAIL)
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Add passkeys").click()
    page.get_by_label("Name of the passkey").fill("Telephone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("“Telephone” is added")
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page, EMAIL)
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_role("link", name="Account")).to_be_visible()


def own_authenticator(page: Page) -> None:
    """As a telephone has one, where somebody always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    agrees = {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options | agrees})
