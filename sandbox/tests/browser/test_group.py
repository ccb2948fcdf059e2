"""The group of Elements that `stripe.elements()` makes."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Shop

pytestmark = pytest.mark.browser


@pytest.fixture
def mounted(shop: Shop) -> Shop:
    shop.open()
    shop.mount()
    return shop


def test_another_locale_reaches_the_fields_that_are_there_already(mounted: Shop) -> None:
    expect(mounted.input("cardnumber")).to_have_attribute("placeholder", "Card number")

    mounted.page.evaluate("() => elements.on('update-end', () => events.push({name: 'update-end'}))")
    mounted.page.evaluate("() => elements.update({locale: 'de'})")

    expect(mounted.input("cardnumber")).to_have_attribute("placeholder", "Kartennummer")
    assert len(mounted.told("update-end")) == 1


def test_an_element_is_found_until_it_is_destroyed(mounted: Shop) -> None:
    assert mounted.page.evaluate("() => elements.getElement('card') === card") is True
    assert mounted.page.evaluate("() => elements.getElement('cardCvc')") is None

    mounted.page.evaluate("() => card.destroy()")

    assert mounted.page.evaluate("() => elements.getElement('card')") is None


def test_card_elements_have_nothing_to_fetch_and_nothing_to_submit(card: Shop) -> None:
    assert card.page.evaluate("() => elements.fetchUpdates()") == {}
    assert card.page.evaluate("() => elements.submit()") == {"selectedPaymentMethod": "card"}


def test_a_library_may_name_itself(card: Shop) -> None:
    assert card.page.evaluate("() => stripe.registerAppInfo({name: 'a-wrapper', version: '1.0.0'}) ?? null") is None
