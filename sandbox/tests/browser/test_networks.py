"""Cards of two networks: the cardholder chooses which one the payment goes over."""

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import SandboxServer, Shop

pytestmark = pytest.mark.browser

BOTH = "4000002500001001"  # Cartes Bancaires and Visa


def choice(shop: Shop, kind: str = "card") -> Locator:
    return shop.frame(kind).get_by_role("combobox", name="Card brand")


def paid_over(shop: Shop, sandbox: SandboxServer) -> str:
    """Pay with the card that was typed; the network of the charge."""
    intent = sandbox.payment_intent(currency="eur")
    shop.pay(intent["client_secret"])
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"
    paid = sandbox.get(f"/v1/payment_intents/{intent['id']}?expand[]=latest_charge")
    return str(paid["latest_charge"]["payment_method_details"]["card"]["network"])


def test_the_cardholder_chooses_between_the_networks_of_the_card(card: Shop, sandbox_server: SandboxServer) -> None:
    expect(choice(card)).to_be_hidden()

    card.fill_card(BOTH)
    expect(choice(card)).to_have_value("")
    assert choice(card).locator("option").all_inner_texts() == ["Card brand", "Cartes Bancaires", "Visa"]
    choice(card).focus()
    for network, mark in (("Cartes Bancaires", "cartes_bancaires"), ("Visa", "visa")):
        choice(card).select_option(network)
        expect(card.frame().locator(".CardBrandIcon-container use")).to_have_attribute("href", f"#mark-{mark}")

    assert paid_over(card, sandbox_server) == "visa"


def test_the_shop_may_prefer_one(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.open()
    shop.mount(options={"hidePostalCode": True, "preferredNetwork": ["mastercard", "visa"]})

    shop.fill_card(BOTH, postal=None)
    expect(choice(shop)).to_have_value("visa")

    assert paid_over(shop, sandbox_server) == "visa"


def test_without_a_choice_the_card_s_first_network_is_used(card: Shop, sandbox_server: SandboxServer) -> None:
    card.fill_card(BOTH)

    assert paid_over(card, sandbox_server) == "cartes_bancaires"


def test_the_page_hears_when_there_is_a_choice_and_when_none_is_left(shop: Shop) -> None:
    shop.open()
    shop.mount("cardNumber")

    shop.input("cardnumber", "cardNumber").fill(BOTH)
    expect(choice(shop, "cardNumber")).to_be_visible()
    shop.input("cardnumber", "cardNumber").fill("4242424242424242")
    expect(choice(shop, "cardNumber")).to_be_hidden()

    assert [event["elementType"] for event in shop.told("networkschange", 2)] == ["cardNumber", "cardNumber"]
