"""Shipping at the checkout: what it costs is chosen, shown, kept with the order, and never other than shown."""

import re

import pytest
from sqlalchemy import delete, update

from models import ShippingPrice, ShippingZoneMethod, TaxRateRow
from store.domain.addresses import NOWHERE
from store.domain.money import Money
from store.domain.pricing import AdjustmentKind
from store.domain.states import OrderState
from store.services import tariffs
from store.services.operations import audit
from tests.support.shop import FORM, Browser, Shop

CANADA = FORM | {"country": "CA", "city": "Ottawa", "region": "ON", "postal_code": "K1A 0B1"}
CONTACT = {"email": FORM["email"], "full_name": FORM["full_name"], "country": "US"}


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    """A shop with the sample shipping methods, and no taxes."""
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
        session.execute(delete(TaxRateRow))
    usual_shop.services.tariffs.forget()
    return usual_shop


@pytest.fixture
def browser(shop: Shop) -> Browser:
    """A browser with a mug in its cart: $28.00, 420 g."""
    browser = shop.browser()
    put(browser, "stoneware-mug")
    return browser


def put(browser: Browser, slug: str) -> None:
    browser.post("/cart/lines", {"slug": slug, "quantity": "1"}, page=f"/products/{slug}")


def shown(page: str) -> str:
    """The total that a checkout page carries along."""
    found = re.search(r'name="shown"[^>]*value="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def raise_prices(shop: Shop, by: int) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(ShippingPrice).values(price_minor=ShippingPrice.price_minor + by))
    shop.services.tariffs.forget()


def reference(location: str) -> str:
    return location.split("/")[2]


def test_the_chosen_method_is_part_of_the_order_and_of_what_is_charged(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", {**FORM, "shipping_method": "express"}, page="/checkout")

    order = shop.read(reference(placed.location))
    assert [(each.kind, each.label, each.amount) for each in order.adjustments] == [
        (AdjustmentKind.SHIPPING, "Express, 2 working days", Money(1200, "usd"))
    ]
    assert order.total == Money(4000, "usd")
    payment = shop.open(order)
    assert payment.snapshot.amount == order.total
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_every_page_of_the_order_lists_its_shipping(shop: Shop, browser: Browser) -> None:
    placed = browser.post("/checkout", {**FORM, "shipping_method": "express"}, page="/checkout")
    order = shop.read(reference(placed.location))

    payment_page = browser.get(placed.location).text
    shop.pay(order)
    shop.deliver()

    for page in (payment_page, browser.get(f"/orders/{order.reference}").text):
        assert "Express, 2 working days" in page
        assert "$12.00" in page
        assert "$40.00" in page


def test_the_checkout_offers_what_goes_to_the_address(browser: Browser) -> None:
    form = {**CANADA, "email": "", "shipping_method": "overnight"}

    page = browser.post("/checkout/total", form, page="/checkout")

    assert page.status_code == 200
    assert re.findall(r'value="(\w+)"(?: checked)?>\s*<span class="choice-name">', page.text) == ["standard", "express"]
    assert "$9.50" in page.text
    assert "$37.50" in page.text
    assert 'value="Ottawa"' in page.text


def test_a_method_that_does_not_go_there_is_asked_about_again(shop: Shop, browser: Browser) -> None:
    refused = browser.post("/checkout", {**CANADA, "shipping_method": "overnight"}, page="/checkout")

    assert refused.status_code == 400
    assert "This way does not go to your address." in refused.text
    assert shop.product("stoneware-mug").reserved == 0


def test_a_country_that_no_zone_has_is_named(shop: Shop, browser: Browser) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(ShippingZoneMethod).where(ShippingZoneMethod.zone_id == 3).values(active=False))
        session.execute(update(ShippingZoneMethod).where(ShippingZoneMethod.zone_id == 5).values(active=False))
    shop.services.tariffs.forget()

    refused = browser.post("/checkout", CANADA, page="/checkout")

    assert refused.status_code == 400
    assert "We do not send to Canada." in refused.text


def test_a_price_that_changed_after_it_was_shown_is_told_first(shop: Shop, browser: Browser) -> None:
    form = {**FORM, "shipping_method": "express", "shown": shown(browser.get("/checkout").text)}
    form["shown"] = shown(browser.post("/checkout/total", form, page="/checkout").text)
    raise_prices(shop, by=300)

    told = browser.post("/checkout", form, page="/checkout")
    placed = browser.post("/checkout", {**form, "shown": shown(told.text)}, page="/checkout")

    assert told.status_code == 409
    assert "Your order costs $43.00 now." in told.text
    assert 'value="express" checked' in told.text
    assert placed.status_code == 303
    assert shop.read(reference(placed.location)).total == Money(4300, "usd")


def test_what_the_shopper_chose_after_it_was_shown_goes_on_and_is_told(shop: Shop, browser: Browser) -> None:
    form = {**CANADA, "shown": shown(browser.get("/checkout").text)}

    placed = browser.post("/checkout", form, page="/checkout")

    assert placed.status_code == 303
    assert placed.location.endswith("?because=new-total")
    assert "The total has changed with what you chose." in browser.get(placed.location).text
    assert shop.read(reference(placed.location)).total == Money(3750, "usd")


@pytest.mark.parametrize("nonsense", ["total=x", "total=99999999999999", "total=-1", "%00", "country=US&total=1"])
def test_a_shown_total_that_is_no_total_of_ours_is_no_crash(browser: Browser, nonsense: str) -> None:
    answer = browser.post("/checkout", {**FORM, "shown": nonsense}, page="/checkout")

    assert answer.status_code in (303, 409)


def test_what_comes_by_email_asks_for_no_address_and_costs_no_shipping(shop: Shop) -> None:
    browser = shop.browser()
    put(browser, "plain-bread")
    page = browser.get("/checkout").text

    placed = browser.post("/checkout", CONTACT, page="/checkout")

    assert 'name="address_line1"' not in page
    assert 'name="shipping_method"' not in page
    order = shop.read(reference(placed.location))
    assert (order.shipping, order.is_shipped, order.adjustments) == (NOWHERE, False, [])
    assert order.addressee == FORM["full_name"]
    intent = shop.pay(order)
    shop.deliver()
    assert intent["shipping"] is None
    page = browser.get(f"/orders/{order.reference}").text
    assert "what you ordered follows by e-mail" in page
    assert "<dt>To</dt>" not in page


def test_an_address_is_asked_for_once_the_cart_has_something_to_ship(shop: Shop) -> None:
    browser = shop.browser()
    put(browser, "plain-bread")
    put(browser, "stoneware-mug")

    refused = browser.post("/checkout", CONTACT, page="/cart")

    assert refused.status_code == 400
    assert "Enter the street and the number" in refused.text
    assert 'value="Ada Shopper"' in refused.text


def test_cart_and_product_say_what_shipping_costs(browser: Browser) -> None:
    cart, mug, book = (browser.get(path).text for path in ("/cart", "/products/stoneware-mug", "/products/plain-bread"))

    assert "Standard, 4 to 7 working days" in cart
    assert "Shipped to United States free of charge, in 4 to 7 working days." in mug
    assert "It comes by e-mail, so there is no shipping to pay." in book


def test_tariffs_are_read_once_for_some_seconds(shop: Shop, browser: Browser) -> None:
    browser.get("/cart")
    with shop.services.database.transaction() as session:
        session.execute(update(ShippingPrice).values(price_minor=77))

    before = browser.get("/cart").text
    shop.clock.forward(seconds=tariffs.KEPT.total_seconds())
    after = browser.get("/cart").text

    assert "$0.77" not in before
    assert "$0.77" in after


def test_seeding_again_leaves_the_merchants_tariffs_alone(shop: Shop) -> None:
    raise_prices(shop, by=100)

    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
        prices = session.query(ShippingPrice).filter_by(price_minor=100).count()
        methods = session.query(ShippingZoneMethod).count()

    assert (methods, prices) == (11, 1)


def test_an_order_before_any_tariff_is_what_its_lines_are(usual_shop: Shop) -> None:
    order = usual_shop.order(2)

    assert order.total == usual_shop.product().price * 2
    assert usual_shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
