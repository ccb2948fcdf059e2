"""Taxes at the checkout: shown per rate, on top of prices or in them, and not charged to a business elsewhere."""

import re

import pytest
from sqlalchemy import update

from models import TaxRateRow
from store.domain.money import Money
from store.services import tariffs
from store.services.operations import audit
from tests.support.shop import FORM, Browser, Shop

SEATTLE = FORM | {"city": "Seattle", "region": "", "postal_code": "98101"}
BERLIN = FORM | {"country": "DE", "city": "Berlin", "region": "", "postal_code": "10115"}


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    """A shop with the sample shipping methods and tax rates."""
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    usual_shop.services.tariffs.forget()
    return usual_shop


@pytest.fixture
def browser(shop: Shop) -> Browser:
    """A browser with a mug in its cart: $28.00."""
    browser = shop.browser()
    put(browser, "stoneware-mug")
    return browser


def put(browser: Browser, slug: str) -> None:
    browser.post("/cart/lines", {"slug": slug, "quantity": "1"}, page=f"/products/{slug}")


def reference(location: str) -> str:
    return location.split("/")[2]


def rows(page: str) -> dict[str, str]:
    """The lines of the receipt on a page: name and amount."""
    found = re.findall(r'<span class="receipt-name">(.*?)</span>\s*<span class="amount">(.*?)</span>', page)
    return {name.strip(): amount for name, amount in found}


def test_a_sales_tax_is_added_shown_charged_and_audited(shop: Shop, browser: Browser) -> None:
    shown = browser.post("/checkout/total", SEATTLE, page="/checkout").text
    placed = browser.post("/checkout", SEATTLE, page="/checkout")

    order = shop.read(reference(placed.location))
    intent = shop.pay(order)
    shop.deliver()
    for page in (shown, browser.get(f"/orders/{order.reference}").text):
        assert rows(page)["Sales tax 6.5%"] == "$1.82"
    assert order.total == Money(2982, "usd")
    assert intent["amount"] == 2982
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_a_vat_is_in_the_price_and_shown(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", BERLIN, page="/checkout")

    page = browser.get(placed.location).text
    order = shop.read(reference(placed.location))
    # Of 28.00 and of 14.00 for the shipping, each rounded for itself.
    assert rows(page)["VAT 19%, included"] == "$6.71"
    assert order.total == Money(4200, "usd")
    assert [each.contained for each in order.adjustments] == [None, Money(671, "usd")]
    assert order.quote.total == order.total


def test_a_product_says_which_tax_its_price_includes(browser: Browser) -> None:
    german = {"Accept-Language": "de-DE"}

    page = browser.get("/products/stoneware-mug", headers=german).text

    assert "Shipped to Germany for $14.00, in 7 to 12 working days. The price includes VAT 19%." in page


def test_a_business_is_not_charged_what_it_pays_by_itself(shop: Shop, browser: Browser) -> None:
    form = BERLIN | {"tax_id": "136 695 976"}

    shown = browser.post("/checkout/total", form, page="/checkout").text
    placed = browser.post("/checkout", form, page="/checkout")

    order = shop.read(reference(placed.location))
    assert rows(shown)["VAT 19% not charged: reverse charge"] == "-$6.71"
    assert (order.total, order.tax_id) == (Money(3529, "usd"), "DE136695976")
    shop.pay(order)
    shop.deliver()
    assert "DE136695976" in browser.get(f"/orders/{order.reference}").text


@pytest.mark.parametrize("number", ["136695977", "FR40303265045", "none"])
def test_a_vat_number_of_another_form_is_refused_and_charged_meanwhile(browser: Browser, number: str) -> None:
    refused = browser.post("/checkout", BERLIN | {"tax_id": number}, page="/checkout")

    assert refused.status_code == 400
    assert "Enter a VAT number of Germany, or leave this empty." in refused.text
    assert rows(refused.text)["VAT 19%, included"] == "$6.71"


def test_nobody_is_asked_for_a_vat_number_where_it_changes_nothing(shop: Shop, browser: Browser) -> None:
    page = browser.get("/checkout").text

    placed = browser.post("/checkout", SEATTLE | {"tax_id": "136695976"}, page="/checkout")

    assert 'name="tax_id"' not in page
    assert shop.read(reference(placed.location)).tax_id is None


def test_an_ebook_is_taxed_where_its_reader_is_and_a_gift_card_is_not(shop: Shop) -> None:
    browser = shop.browser()
    put(browser, "plain-bread")
    put(browser, "gift-card")
    contact = {"email": FORM["email"], "full_name": FORM["full_name"], "country": "DE"}

    placed = browser.post("/checkout", contact, page="/checkout")

    order = shop.read(reference(placed.location))
    assert [(each.label, each.contained) for each in order.adjustments] == [("VAT 7%, included", Money(92, "usd"))]
    assert order.total == Money(6400, "usd")
    assert not order.is_shipped


def test_a_rate_that_changed_after_it_was_shown_is_told_first(shop: Shop, browser: Browser) -> None:
    shown = browser.post("/checkout/total", SEATTLE, page="/checkout").text
    carried = re.search(r'name="shown"[^>]*value="([^"]*)"', shown)
    assert carried is not None
    with shop.services.database.transaction() as session:
        session.execute(update(TaxRateRow).where(TaxRateRow.region == "WA").values(thousandths=10000))
    shop.services.tariffs.forget()

    told = browser.post("/checkout", SEATTLE | {"shown": carried[1].replace("&amp;", "&")}, page="/checkout")

    assert told.status_code == 409
    assert "Your order costs $30.80 now." in told.text


def test_mails_list_the_taxes_and_a_refund_the_whole_order(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", SEATTLE, page="/checkout")
    order = shop.read(reference(placed.location))
    rendered = {
        kind: shop.app.jinja_env.get_template(f"mail/{kind}.txt").render(order=order, amount="$1.00", link="", store="")
        for kind in ("order_paid", "refunded")
    }

    assert all("Sales tax 6.5%  $1.82" in text and "Total  $29.82" in text for text in rendered.values())
