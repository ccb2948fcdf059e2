"""A new SECRET_KEY: what the old one signed stays good while it is a fallback."""

from collections.abc import Callable

import pytest

from store.services.orders import links
from tests.support.shop import FORM, Shop

OLD, NEW = "the-key-of-last-year", "the-key-of-this-year"


@pytest.mark.parametrize(("fallbacks", "kept"), [(OLD, True), ("", False)])
def test_carts_forms_and_links_survive_a_new_key(shop_with: Callable[..., Shop], fallbacks: str, kept: bool) -> None:
    shop = shop_with(secret_key=OLD)
    browser, reference = shop.browser_with_order()
    link = links.order_link(shop.services, reference).removeprefix(shop.services.settings.store_url)
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "1"}, page="/products/brass-pen")
    cookie, token = browser.cookie("till"), browser.token("/checkout")

    rolled = shop_with(secret_key=NEW, secret_key_fallbacks=fallbacks)
    shopper = rolled.browser()
    shopper.set_cookie("till", cookie)

    assert ("Brass" in shopper.get("/cart").text) is kept
    assert (shopper.open("POST", "/checkout", data={**FORM, "csrf_token": token}).status_code == 303) is kept
    assert (rolled.browser().get(link).status_code == 303) is kept
