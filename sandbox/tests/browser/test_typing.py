"""What is typed into the card field: how it is written, what brand it is, what is wrong with it."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Shop

pytestmark = pytest.mark.browser


@pytest.fixture
def card(card: Shop) -> Shop:
    card.input("cardnumber").click()
    return card


def test_a_number_is_written_in_the_groups_of_its_brand(card: Shop, subtests: pytest.Subtests) -> None:
    for typed, written, brand in [
        ("4242424242424242", "4242 4242 4242 4242", "visa"),
        ("5555555555554444", "5555 5555 5555 4444", "mastercard"),
        ("2223003122003222", "2223 0031 2200 3222", "mastercard"),
        ("378282246310005", "3782 822463 10005", "amex"),
        ("6011111111111117", "6011 1111 1111 1117", "discover"),
        ("36227206271667", "3622 720627 1667", "diners"),
        ("3056930009020004", "3056 9300 0902 0004", "diners"),
        ("3566002020360505", "3566 0020 2036 0505", "jcb"),
        ("6205500000000000004", "6205 5000 0000 0000 004", "unionpay"),
        ("5062210000000009", "5062 2100 0000 0009", "unknown"),
    ]:
        with subtests.test(typed):
            card.page.evaluate("() => card.clear()")
            card.input("cardnumber").click()

            card.page.keyboard.type(typed)

            expect(card.input("cardnumber")).to_have_value(written)
            expect(card.input("exp-date")).to_be_focused()
            card.see_change("brand", brand)


def test_a_date_is_written_as_month_and_year(card: Shop, subtests: pytest.Subtests) -> None:
    for typed, written in [
        ("5", "05 / "),
        ("12", "12 / "),
        ("1234", "12 / 34"),
        ("1/34", "01 / 34"),
        ("134", "01 / 34"),
        ("00", "0"),
    ]:
        with subtests.test(typed):
            card.input("exp-date").fill("")
            card.input("exp-date").click()

            card.page.keyboard.type(typed)

            expect(card.input("exp-date")).to_have_value(written)


def test_a_date_comes_in_as_browsers_and_clipboards_write_it(card: Shop, subtests: pytest.Subtests) -> None:
    for filled in ["12/34", "12 / 34", "1234", "12/2034", "122034", "12-34"]:
        with subtests.test(filled):
            card.input("exp-date").fill("")

            card.input("exp-date").fill(filled)

            expect(card.input("exp-date")).to_have_value("12 / 34")


def test_what_is_wrong_is_said_in_stripes_words(card: Shop, subtests: pytest.Subtests) -> None:
    for number, expiry, code, message in [
        ("4242424242424241", "12/34", "invalid_number", "Your card number is invalid."),
        ("424242", "12/34", "incomplete_number", "Your card number is incomplete."),
        ("4242424242424242", "12/25", "invalid_expiry_year_past", "Your card's expiration year is in the past."),
        ("4242424242424242", "13/34", "invalid_expiry_month", "Your card's expiration date is invalid."),
        ("4242424242424242", "12/99", "invalid_expiry_year", "Your card's expiration year is invalid."),
        ("4242424242424242", "12/3", "incomplete_expiry", "Your card's expiration date is incomplete."),
    ]:
        with subtests.test(code):
            card.input("cardnumber").fill(number)
            card.input("exp-date").fill(expiry)
            card.input("cvc").click()

            card.see_change("error.code", code)
            assert card.last_change()["error"] == {"type": "validation_error", "code": code, "message": message}
            wrong = "cardnumber" if "number" in code else "exp-date"
            expect(card.input(wrong)).to_have_attribute("aria-invalid", "true")


def test_a_month_that_has_gone_by_this_year_is_in_the_past(shop: Shop) -> None:
    shop.open()
    shop.mount()
    shop.page.clock.set_fixed_time("2026-06-15T12:00:00Z")

    shop.input("exp-date").fill("05/26")

    shop.see_change("error.code", "invalid_expiry_month_past")


def test_a_short_code_is_incomplete_once_it_is_left(card: Shop) -> None:
    card.fill_card(postal=None)
    card.input("cvc").fill("12")
    card.input("postal").fill("941")
    card.input("cardnumber").click()
    card.see_change("error.code", "incomplete_cvc")

    card.input("cvc").fill("123")

    card.see_change("error.code", "incomplete_zip")


def test_an_error_goes_while_it_is_being_mended(card: Shop) -> None:
    card.page.keyboard.type("424242")
    card.input("exp-date").click()
    card.see_change("error.code", "incomplete_number")

    card.input("cardnumber").press("End")
    card.page.keyboard.type("4")

    card.see_change("error", None)


def test_a_digit_can_be_put_in_and_taken_out_in_the_middle(card: Shop) -> None:
    card.page.keyboard.type("424242424242424")
    for _ in range(9):
        card.page.keyboard.press("ArrowLeft")

    card.page.keyboard.type("9")

    expect(card.input("cardnumber")).to_have_value("4242 4242 9424 2424")
    assert _caret(card) == len("4242 4242 9")
    card.page.keyboard.press("Backspace")
    expect(card.input("cardnumber")).to_have_value("4242 4242 4242 424")
    card.page.keyboard.press("Backspace")
    expect(card.input("cardnumber")).to_have_value("4242 4244 2424 24")


def test_backspace_takes_a_date_apart_from_the_end(card: Shop) -> None:
    card.input("exp-date").fill("12 / 3")
    card.input("exp-date").press("End")
    written = []

    for _ in range(3):
        card.page.keyboard.press("Backspace")
        written.append(card.input("exp-date").input_value())

    assert written == ["12", "1", ""]


def test_backspace_in_an_empty_input_goes_back_to_the_one_before(card: Shop) -> None:
    card.page.keyboard.type("4242424242424242")
    expect(card.input("exp-date")).to_be_focused()

    card.page.keyboard.press("Backspace")

    expect(card.input("cardnumber")).to_be_focused()
    expect(card.input("cardnumber")).to_have_value("4242 4242 4242 4242")


def test_a_whole_card_is_typed_without_leaving_the_keyboard(card: Shop) -> None:
    card.page.keyboard.type("4242424242424242123412394107")

    change = card.completed()
    assert change["value"] == {"postalCode": "94107"}
    assert change["elementType"] == "card"


def test_a_number_is_pasted_with_whatever_stands_between_its_digits(card: Shop) -> None:
    card.input("cardnumber").fill("4242-4242.4242 4242")

    expect(card.input("cardnumber")).to_have_value("4242 4242 4242 4242")


def test_amex_has_a_security_code_of_four_digits(card: Shop) -> None:
    card.page.keyboard.type("378282246310005")
    card.input("cvc").click()

    card.page.keyboard.type("12345")

    expect(card.input("cvc")).to_have_value("1234")


def _caret(card: Shop) -> int:
    caret: int = card.input("cardnumber").evaluate("input => input.selectionStart")
    return caret
