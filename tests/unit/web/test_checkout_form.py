"""The form of the checkout: a question about an e-mail address, and who pays."""

import re
from dataclasses import replace

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from store.domain.addresses import Address
from store.web.checkout_form import CheckoutForm
from tests.support.shop import FORM, Browser, Shop

BILL_TO = {
    "bill_to_full_name": "Grace Hopper",
    "bill_to_country": "CA",
    "bill_to_address_line1": "1 Compiler Court",
    "bill_to_address_line2": "",
    "bill_to_city": "Ottawa",
    "bill_to_region": "ON",
    "bill_to_postal_code": "k1a-0b1",
    "bill_to_asked": "1",
}
GRACE = Address("Grace Hopper", "1 Compiler Court", "", "Ottawa", "ON", "K1A 0B1", "CA")


def filled(shop: Shop, **typed: str) -> CheckoutForm:
    with shop.app.test_request_context(method="POST"):
        return CheckoutForm(MultiDict({**FORM, **typed}))


def check_out(browser: Browser, **typed: str) -> TestResponse:
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    return browser.post("/checkout", {**FORM, **typed}, page="/checkout")


def value_of(page: str, name: str) -> str:
    field = re.search(rf'<(?:input|button)[^>]*\bname="{name}"[^>]*>', page)
    found = re.search(r'value="([^"]*)"', field[0]) if field else None
    return found[1] if found else ""


def test_a_likely_typo_in_the_email_is_questioned_and_can_be_kept(browser: Browser) -> None:
    asked = check_out(browser, email="ada@gmail.con")
    kept = value_of(asked.text, "email_kept")

    again = check_out(browser, email="ada@gmail.con", email_kept=kept)

    assert asked.status_code == 400
    assert "Did you mean ada@gmail.com?" in asked.text
    assert value_of(asked.text, "email") == "ada@gmail.con"
    assert again.status_code == 303


def test_the_button_of_the_question_takes_the_other_address(browser: Browser, shop: Shop) -> None:
    asked = check_out(browser, email="ada@gmail.con")
    meant = value_of(asked.text, "email_meant")

    placed = check_out(browser, email="ada@gmail.con", email_meant=meant)

    assert placed.status_code == 303
    assert shop.read(placed.location.split("/")[2]).email == "ada@gmail.com"


def test_another_slip_is_another_question(browser: Browser) -> None:
    asked = check_out(browser, email="ada@gmail.con")

    again = check_out(browser, email="ada@yaho.com", email_kept=value_of(asked.text, "email_kept"))

    assert again.status_code == 400
    assert "Did you mean ada@yahoo.com?" in again.text


def test_an_email_that_our_mail_cannot_reach_is_refused_with_a_sentence(browser: Browser) -> None:
    refused = check_out(browser, email="jörg@example.com")

    assert refused.status_code == 400
    assert "only the letters a to z before the @" in refused.text


def test_an_email_at_an_international_domain_is_accepted(browser: Browser, shop: Shop) -> None:
    placed = check_out(browser, email="ada@bücher.example")
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "1"}, page="/products/brass-pen")

    assert shop.read(placed.location.split("/")[2]).email == "ada@xn--bcher-kva.example"
    assert value_of(browser.get("/checkout").text, "email") == "ada@bücher.example"


def test_the_shipping_address_is_the_billing_address_by_default(shop: Shop) -> None:
    without_a_box = filled(shop)
    ticked = filled(shop, **BILL_TO, same_as_shipping="y")

    for form in (without_a_box, ticked):
        assert form.validate()
        assert form.billing() == form.shipping()
        assert form.shipping().line1 == FORM["address_line1"]


def test_a_shopper_can_give_another_billing_address(shop: Shop) -> None:
    form = filled(shop, **BILL_TO)

    assert form.validate()
    assert form.billing() == GRACE
    assert form.shipping().full_name == FORM["full_name"]


def test_an_unticked_box_without_an_address_asks_for_it_without_scripts(browser: Browser) -> None:
    page = check_out(browser, bill_to_asked="1").text

    assert page.count('name="bill_to_city"') == 1
    assert "<template>" not in page
    assert 'href="#bill_to_city">Enter' not in page, "the city is asked for once a country is chosen"
    assert 'href="#bill_to_full_name">Enter your full name.' in page
    assert "Please check these" in page


def test_with_one_address_the_page_has_one_city(browser: Browser) -> None:
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "1"}, page="/products/brass-pen")
    page = browser.get("/checkout").text

    outside = re.sub(r"<(template|noscript)>.*?</\1>", "", page, flags=re.DOTALL)

    assert outside.count(">City</label>") == 1
    assert re.search(r"<noscript>.*bill_to_city.*</noscript>", page, re.DOTALL)


def test_no_two_fields_of_the_checkout_have_the_same_label(browser: Browser) -> None:
    """Also without scripts, when the fields of a billing address stand below."""
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "1"}, page="/products/brass-pen")

    page = re.sub("<template>.*</template>", "", browser.get("/checkout").text, flags=re.DOTALL)

    labels = [re.sub("<[^>]*>", "", label).strip() for label in re.findall("<label[^>]*>(.*?)</label>", page)]
    assert len(labels) == len(set(labels))
    assert {"Full name", "City", "Billing Full name", "Billing City"} <= set(labels)


def test_the_form_of_an_earlier_order_shows_who_paid(shop: Shop) -> None:
    shipping = filled(shop).shipping()
    with shop.app.test_request_context():
        same = CheckoutForm.like(replace(shipping, phone="+12015550123"), shipping, "ada@example.com")
        other = CheckoutForm.like(shipping, GRACE, "ada@example.com")

    assert (same.same_as_shipping.data, other.same_as_shipping.data) == (True, False)
    assert other.bill_to.form.city.data == "Ottawa"
    assert other.city.data == shipping.city


def test_an_order_keeps_who_pays_and_the_next_form_shows_it(browser: Browser, shop: Shop) -> None:
    placed = check_out(browser, **BILL_TO)
    order = shop.read(placed.location.split("/")[2])
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "1"}, page="/products/brass-pen")
    page = browser.get("/checkout").text

    assert order.billing == GRACE
    assert order.shipping.full_name == FORM["full_name"]
    assert value_of(page, "bill_to_city") == "Ottawa"
    assert "checked" not in page.partition('name="same_as_shipping"')[0].rpartition("<input")[2]


def test_the_same_address_twice_is_no_other_payer(browser: Browser, shop: Shop) -> None:
    placed = check_out(browser, phone="201-555-0123")
    order = shop.read(placed.location.split("/")[2])

    assert order.billing == order.shipping
    assert order.shipping.phone == "+12015550123"
