"""3-D Secure challenges: completed, failed, abandoned."""

from playwright.sync_api import Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import SandboxProcess


def test_a_completed_challenge_pays_the_order(page: Page) -> None:
    reference = shop.go_to_payment(page)

    shop.type_card(page, shop.ASKS_FOR_3DS)
    shop.pay(page)
    expect(page.get_by_text("Your bank wants to make sure that it is you.")).to_be_visible()
    shop.answer_bank(page, "Complete")

    shop.see_paid(page, reference)
    expect(shop.timeline(page, "Your bank asked to make sure that it was you.")).to_be_visible()
    expect(shop.timeline(page, "was received")).to_contain_text("reported by the payment service")


def test_after_a_failed_challenge_the_same_payment_takes_another_card(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)

    shop.type_card(page, shop.ALWAYS_ASKS_FOR_3DS)
    shop.pay(page)
    shop.answer_bank(page, "Fail")
    expect(shop.message(page)).to_contain_text("Your bank could not confirm that it was you. Nothing was charged.")
    shop.type_card(page, shop.PAYS)
    shop.pay(page)

    shop.see_paid(page, reference)
    (intent,) = sandbox.payments_of(reference)
    assert intent.amount_received == 2800


def test_a_challenge_closed_with_its_tab_can_be_resumed_in_a_new_one(
    new_browser: NewBrowser, sandbox: SandboxProcess
) -> None:
    browser = new_browser()
    closed_tab = browser.new_page()
    reference = shop.go_to_payment(closed_tab)
    shop.type_card(closed_tab, shop.ASKS_FOR_3DS)
    shop.pay(closed_tab)
    expect(shop.bank(closed_tab).get_by_role("button", name="Complete")).to_be_visible()
    closed_tab.close()

    page = browser.new_page()
    page.goto(f"/orders/{reference}")
    expect(shop.message(page)).to_contain_text("Your bank’s check was not finished. Nothing was charged.")
    shop.type_card(page, shop.ASKS_FOR_3DS)
    shop.pay(page)
    shop.answer_bank(page, "Complete")

    shop.see_paid(page, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_a_challenge_closed_with_its_own_button_charges_nothing(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)

    shop.type_card(page, shop.ASKS_FOR_3DS)
    shop.pay(page)
    expect(shop.bank(page).get_by_role("button", name="Complete")).to_be_visible()
    page.get_by_role("button", name="Cancel authentication").click()

    expect(shop.message(page)).to_contain_text("Nothing was charged.")
    shop.see_card_form(page)
    assert sandbox.charges_of(reference) == []
