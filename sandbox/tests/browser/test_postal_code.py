"""The postal code in a card Element: asked for where the card's country has banks check it, in that country's form."""

import pytest
from playwright.sync_api import expect

from browser.conftest import SandboxServer, Shop

pytestmark = pytest.mark.browser

AMERICAN = "4242424242424242"
CANADIAN = "4000001240000000"
BRITISH = "4000008260000000"
GERMAN = "4000002760000016"


def type_number(shop: Shop, number: str) -> None:
    """Over the number that is there, as a person would."""
    shop.input("cardnumber").select_text()
    shop.page.keyboard.type(number)
    expect(shop.input("exp-date")).to_be_focused()


def test_the_cards_country_decides_form_label_and_keyboard(card: Shop, subtests: pytest.Subtests) -> None:
    for number, typed, label, keyboard, written in [
        (AMERICAN, "94107-1234", "ZIP", "numeric", "94107"),
        (CANADIAN, "k1a-0b1", "Postal code", "text", "K1A0B1"),
        (BRITISH, "sw1a 1aa", "Postal code", "text", "SW1A 1AA"),
        (AMERICAN, "９４１０７", "ZIP", "numeric", "94107"),
    ]:
        with subtests.test(number):
            card.fill_card(number, postal=None)
            card.input("postal").fill("")

            card.page.keyboard.type(typed)

            expect(card.frame().get_by_label(label, exact=True)).to_have_value(written)
            expect(card.input("postal")).to_have_attribute("inputmode", keyboard)
            assert card.completed()


def test_none_is_asked_for_where_the_country_is_unknown_or_checks_none(card: Shop) -> None:
    expect(card.input("postal")).to_have_count(0)

    card.fill_card(GERMAN, postal=None)

    expect(card.input("postal")).to_have_count(0)
    assert card.completed()


def test_a_postal_code_of_another_form_is_incomplete(card: Shop) -> None:
    card.fill_card(CANADIAN, postal="10115")

    card.input("cardnumber").click()

    card.see_change("error.code", "incomplete_zip")


def test_it_is_kept_when_another_card_is_tried_after_a_decline(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    card.fill_card("4000000000000002")
    card.pay(secret)
    assert card.outcome()["error"]["code"] == "card_declined"

    type_number(card, GERMAN)
    type_number(card, "5555555555554444")

    expect(card.input("postal")).to_have_value("94107")
    card.pay(secret)
    paid = card.outcome()["paymentIntent"]
    assert paid["status"] == "succeeded"
    method = sandbox_server.get(f"/v1/payment_methods/{paid['payment_method']}")
    assert method["billing_details"]["address"]["postal_code"] == "94107"


def test_one_that_fits_no_longer_is_asked_for_again(card: Shop) -> None:
    card.fill_card(AMERICAN)

    type_number(card, BRITISH)

    expect(card.input("postal")).to_have_value("")


def test_a_field_told_to_hide_it_sends_what_the_page_knows(shop: Shop, sandbox_server: SandboxServer) -> None:
    """A US card with an address in Canada: nobody is asked for a ZIP code that there is not."""
    shop.open()
    shop.mount(options={"hidePostalCode": True, "value": {"postalCode": "H0H 0H0"}})
    shop.page.evaluate("() => card.update({disabled: false})")
    shop.fill_card(AMERICAN, postal=None)
    expect(shop.input("postal")).to_have_count(0)

    from_element = shop.page.evaluate("() => stripe.createPaymentMethod({type: 'card', card})")["paymentMethod"]
    shop.page.evaluate("() => card.update({value: {postalCode: ''}})")
    paid = shop.page.evaluate(
        """secret => stripe.confirmCardPayment(secret, {
            payment_method: {card, billing_details: {address: {country: 'CA', postal_code: 'K1A 0B1'}}},
        })""",
        sandbox_server.payment_intent()["client_secret"],
    )["paymentIntent"]

    assert from_element["billing_details"]["address"]["postal_code"] == "H0H 0H0"
    method = sandbox_server.get(f"/v1/payment_methods/{paid['payment_method']}")
    assert method["billing_details"]["address"]["postal_code"] == "K1A 0B1"


def test_a_given_one_is_filled_in_where_it_fits(shop: Shop) -> None:
    shop.open()
    shop.mount(options={"value": {"postalCode": "K1A 0B1"}})

    type_number(shop, AMERICAN)
    expect(shop.input("postal")).to_have_value("")
    type_number(shop, CANADIAN)
    expect(shop.input("postal")).to_have_value("K1A 0B1")

    shop.page.evaluate("() => card.update({value: {postalCode: 'V6B 1A1'}})")
    expect(shop.input("postal")).to_have_value("V6B 1A1")


def test_what_was_typed_goes_before_the_pages_billing_details(card: Shop, sandbox_server: SandboxServer) -> None:
    card.fill_card(postal="10001")

    made = card.page.evaluate(
        "() => stripe.createPaymentMethod({type: 'card', card, billing_details: {address: {postal_code: '94107'}}})"
    )["paymentMethod"]

    assert made["billing_details"]["address"]["postal_code"] == "10001"


def test_a_shop_that_knows_it_and_asks_all_the_same_is_told_how_not_to(
    card: Shop, sandbox_server: SandboxServer
) -> None:
    card.fill_card(postal=None)

    refused = card.page.evaluate(
        "secret => stripe.confirmCardPayment(secret, "
        "{payment_method: {card, billing_details: {address: {postal_code: '94107'}}}})",
        sandbox_server.payment_intent()["client_secret"],
    )

    assert refused["error"]["code"] == "incomplete_zip"
    assert any("hidePostalCode: true" in warning for warning in card.warnings)
