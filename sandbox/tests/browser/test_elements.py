"""A card Element as the shop's page sees it: events, classes, options, life and death."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Shop

pytestmark = pytest.mark.browser


def test_the_field_is_found_as_stripes_is(card: Shop) -> None:
    """By the names, classes and places that tests of other programs use."""
    card.input("cardnumber").fill("4242424242424242")

    frame = card.page.locator("#card iframe")
    expect(frame).to_have_attribute("title", "Secure card payment input frame")
    assert (frame.get_attribute("name") or "").startswith("__privateStripeFrame")
    assert "elements-inner-card" in (frame.get_attribute("src") or "")
    assert card.page.locator("iframe[name^=__privateStripeFrame]").count() == 1
    for name, autocomplete, label, stable_name, place in [
        ("cardnumber", "cc-number", "Credit or debit card number", "cardNumber", "number"),
        ("exp-date", "cc-exp", "Credit or debit card expiration date", "cardExpiry", "expiry"),
        ("cvc", "cc-csc", "Credit or debit card CVC/CVV", "cardCvc", "cvc"),
        ("postal", "postal-code", "ZIP", "postalCode", "postalCode"),
    ]:
        expect(card.input(name)).to_have_attribute("autocomplete", autocomplete)
        expect(card.input(name)).to_have_attribute("inputmode", "numeric")
        expect(card.input(name)).to_have_attribute("data-elements-stable-field-name", stable_name)
        expect(card.input(name)).to_contain_class("InputElement Input")
        expect(card.frame().get_by_label(label, exact=True)).to_have_attribute("name", name)
        expect(card.frame().locator(f".CardField-{place}.CardField-child input")).to_have_attribute("name", name)
    expect(card.frame().locator(".CardNumberField-input-wrapper input")).to_have_value("4242 4242 4242 4242")
    number = "#root > form > div > div.CardField-input-wrapper > span.CardField-number > span:nth-child(2) > div"
    rest = "#root > form > div > div.CardField-input-wrapper > span.CardField-restWrapper"
    for selector in (
        f"{number} > div.CardNumberField-input-wrapper > span.InputContainer > input",
        f"{rest} > span.CardField-expiry.CardField-child > span > span.InputContainer > input",
    ):
        expect(card.frame().locator(selector)).to_have_count(1)
    expect(card.frame().locator(".InputElement.is-empty")).to_have_count(3)


def test_the_inputs_fill_the_frame(card: Shop) -> None:
    inside = card.frame().locator(".ElementsApp").evaluate("field => field.getBoundingClientRect().toJSON()")
    frame = card.page.locator("#card iframe").evaluate("frame => frame.getBoundingClientRect().toJSON()")

    assert (inside["top"], inside["left"]) == (0, 0)
    assert inside["width"] == pytest.approx(frame["width"], abs=1)
    assert inside["height"] == pytest.approx(frame["height"], abs=1)


def test_a_change_event_has_stripes_shape(card: Shop) -> None:
    card.input("cardnumber").click()

    card.page.keyboard.type("4")

    assert card.told("change") == [
        {
            "name": "change",
            "elementType": "card",
            "error": None,
            "value": {"postalCode": ""},
            "empty": False,
            "complete": False,
            "brand": "visa",
        }
    ]


def test_events_come_once_and_only_when_something_is_another(card: Shop) -> None:
    card.input("cardnumber").click()

    card.page.keyboard.type("4242")
    card.page.keyboard.press("Tab")
    card.page.keyboard.press("Escape")
    card.page.locator("#pay").focus()

    expect(card.page.locator("#card")).not_to_contain_class("StripeElement--focus")
    names = [event["name"] for event in card.page.evaluate("() => events")]
    assert names == ["focus", "change", "change", "escape", "blur"]


def test_the_container_wears_the_state_as_classes(shop: Shop) -> None:
    shop.open()
    shop.mount(options={"classes": {"focus": "is-here now", "invalid": "is-wrong"}})
    box = shop.page.locator("#card")
    expect(box).to_have_class("box StripeElement StripeElement--empty")

    shop.input("cardnumber").fill("4242424242424241")
    expect(box).to_have_class("box StripeElement is-here now is-wrong")

    shop.fill_card()
    expect(box).to_have_class("box StripeElement is-here now StripeElement--complete")

    shop.page.evaluate("() => card.unmount()")
    expect(box).to_have_class("box")


def test_the_shops_style_reaches_the_inputs_and_the_rest_is_warned_of(shop: Shop) -> None:
    shop.open()
    style = {
        "base": {
            "color": "rgb(1, 2, 3)",
            "fontSize": "20px",
            "border": "1px solid red",
            "::placeholder": {"color": "rgb(4, 5, 6)"},
            ":focus": {"color": "rgb(7, 8, 9)"},
        },
        "invalid": {"color": "rgb(9, 9, 9)", "iconColor": "rgb(8, 8, 8)"},
    }
    shop.mount(options={"style": style})

    number = shop.input("cardnumber")
    expect(number).to_have_css("color", "rgb(1, 2, 3)")
    expect(number).to_have_css("font-size", "20px")
    expect(number).to_have_css("border-top-width", "0px")
    assert number.evaluate("input => getComputedStyle(input, '::placeholder').color") == "rgb(4, 5, 6)"
    assert any("base.border" in warning for warning in shop.warnings)
    expect(shop.page.locator("#card iframe")).to_have_css("height", "24px")

    number.focus()
    expect(number).to_have_css("color", "rgb(7, 8, 9)")
    shop.page.evaluate("() => card.update({style: {invalid: {color: 'rgb(9, 9, 9)', iconColor: 'rgb(8, 8, 8)'}}})")
    number.fill("4242424242424241")
    expect(number).to_have_css("color", "rgb(9, 9, 9)")
    expect(shop.frame().locator(".CardBrandIcon-container")).to_have_css("color", "rgb(8, 8, 8)")


def test_no_style_can_break_out_of_its_rule(shop: Shop) -> None:
    shop.open()
    shop.mount(options={"style": {"base": {"color": "red; } * { visibility: hidden"}}})

    expect(shop.input("cardnumber")).to_be_visible()


def test_options_change_while_the_field_is_there(shop: Shop) -> None:
    shop.open()
    shop.mount(options={"value": {"postalCode": "94107"}, "hideIcon": True})
    shop.input("cardnumber").fill("4242424242424242")
    expect(shop.input("postal")).to_have_value("94107")
    expect(shop.frame().locator(".CardBrandIcon-container")).to_be_hidden()

    shop.page.evaluate("() => card.update({hidePostalCode: true, disabled: true, hideIcon: false})")
    expect(shop.input("postal")).to_have_count(0)
    expect(shop.input("cardnumber")).to_be_disabled()
    expect(shop.frame().locator(".CardBrandIcon-container")).to_be_visible()

    shop.page.evaluate("() => card.update({disabled: false})")
    expect(shop.input("cardnumber")).to_be_enabled()
    shop.fill_card()
    assert shop.completed()


def test_the_page_can_focus_leave_and_clear_the_field(card: Shop) -> None:
    card.fill_card()

    card.page.evaluate("() => card.clear()")
    for name in ("cardnumber", "exp-date", "cvc"):
        expect(card.input(name)).to_have_value("")
    expect(card.input("postal")).to_have_count(0)
    card.see_change("empty", True)

    card.page.locator("#pay").focus()
    card.page.evaluate("() => card.focus()")
    expect(card.input("cardnumber")).to_be_focused()
    card.page.evaluate("() => card.blur()")
    expect(card.input("cardnumber")).not_to_be_focused()
    expect(card.page.locator("#card")).not_to_contain_class("StripeElement--focus")


def test_label_and_padding_lead_into_the_field(card: Shop) -> None:
    card.page.locator("#card-label").click()
    expect(card.input("cardnumber")).to_be_focused()

    card.page.locator("#pay").focus()
    card.page.locator("#card").click(position={"x": 3, "y": 3})
    expect(card.input("cardnumber")).to_be_focused()


def test_enter_submits_the_form_around_the_field(card: Shop) -> None:
    card.input("cvc").press("Enter")
    card.page.wait_for_function("() => submits === 1")
    card.page.evaluate("() => { document.getElementById('pay').disabled = true; }")
    card.input("cvc").press("Enter")
    card.input("cvc").press("Escape")

    expect(card.page.locator("#card")).to_contain_class("StripeElement--focus")
    assert len(card.told("escape")) == 1
    assert card.page.evaluate("() => submits") == 1


def test_the_keyboard_goes_through_the_field_and_on(card: Shop) -> None:
    card.fill_card()
    card.input("cardnumber").focus()

    for name in ("exp-date", "cvc", "postal"):
        card.page.keyboard.press("Tab")
        expect(card.input(name)).to_be_focused()
    card.page.keyboard.press("Tab")

    expect(card.page.locator("#pay")).to_be_focused()


def test_an_element_can_be_taken_down_put_up_again_and_destroyed(shop: Shop) -> None:
    shop.open()
    shop.mount()
    shop.fill_card()

    shop.page.evaluate("() => { card.unmount(); card.mount('#card'); }")
    expect(shop.input("cardnumber")).to_have_value("")
    assert shop.page.evaluate("() => elements.getElement('card') === card") is True

    shop.page.evaluate("() => card.destroy()")
    expect(shop.page.locator("#card iframe")).to_have_count(0)
    assert shop.page.evaluate("() => elements.getElement('card')") is None
    shop.mount()
    expect(shop.input("cardnumber")).to_be_visible()


def test_handlers_come_and_go(shop: Shop) -> None:
    shop.open()
    shop.mount()
    shop.page.evaluate(
        """() => {
            window.count = {on: 0, once: 0, off: 0};
            const gone = () => count.off++;
            card.on('change', () => { throw new Error('on purpose'); }).on('change', () => count.on++);
            card.once('change', () => count.once++).on('change', gone).off('change', gone);
            addEventListener('error', (event) => event.preventDefault());
        }"""
    )

    shop.fill_card()

    shop.violations.clear()
    counted = shop.page.evaluate("() => count")
    assert counted["on"] > 1
    assert (counted["once"], counted["off"]) == (1, 0)


def test_a_field_speaks_the_shoppers_language(shop: Shop, subtests: pytest.Subtests) -> None:
    shop.open()
    for locale, label, message in [
        ("de", "Kredit- oder Debitkartennummer", "Die Kartennummer ist unvollständig."),
        ("fr-CA", "Numéro de carte de crédit ou de débit", "Le numéro de votre carte est incomplet."),
        ("es", "Número de tarjeta de crédito o débito", "El número de tu tarjeta está incompleto."),
        ("it", "Numero della carta di credito o di debito", "Il numero della carta è incompleto."),
        ("nl", "Nummer van creditcard of betaalpas", "Het kaartnummer is onvolledig."),
        ("ja", "Credit or debit card number", "Your card number is incomplete."),
    ]:
        with subtests.test(locale):
            shop.start(options={"locale": locale})
            shop.mount()

            shop.frame().get_by_label(label).fill("4242")
            shop.input("cvc").focus()

            shop.see_change("error.message", message)
            shop.page.evaluate("() => card.destroy()")


def test_the_field_turns_round_on_a_page_that_reads_from_right_to_left(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("() => { document.dir = 'rtl'; }")
    shop.mount()
    shop.fill_card()

    number, cvc = (shop.input(name).bounding_box() for name in ("cardnumber", "cvc"))
    assert number
    assert cvc
    assert number["x"] > cvc["x"]
    expect(shop.input("cardnumber")).to_have_css("direction", "ltr")


def test_every_input_is_in_reach_in_a_narrow_page(shop: Shop) -> None:
    shop.page.set_viewport_size({"width": 360, "height": 700})
    shop.open()
    shop.mount()

    shop.fill_card()

    frame = shop.page.locator("#card iframe").bounding_box()
    assert frame
    for name in ("exp-date", "cvc", "postal"):
        box = shop.input(name).bounding_box()
        assert box
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    shop.input("cardnumber").click()
    expect(shop.input("cardnumber")).to_be_focused()
    expect(shop.input("cardnumber")).to_have_css("text-indent", "0px")


def test_a_field_that_cannot_load_says_so(shop: Shop) -> None:
    shop.page.route("**/elements-inner-card.html*", lambda route: route.abort())
    shop.page.clock.install()
    shop.open()

    shop.page.evaluate(
        """() => {
            mount('card');
            window.failed = new Promise(done => card.once('loaderror', done));
            const frame = document.querySelector('#card iframe');
            return new Promise(loaded => frame.addEventListener('load', () => loaded(true)));
        }"""
    )
    shop.page.clock.fast_forward(3000)
    shop.page.evaluate("() => failed.then(() => true)")

    assert shop.events("loaderror")[0]["error"]["type"] == "api_connection_error"
