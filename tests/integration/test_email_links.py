"""An email leads back to its order from any browser, by a signed link."""

from collections.abc import Callable

import pytest

from store.services import mail
from store.services.orders import links
from tests.support.shop import Shop


def test_the_link_in_an_email_shows_the_order_in_another_browser(shop: Shop) -> None:
    _, reference = shop.browser_with_order()
    link = links.order_link(shop.services, reference).removeprefix(shop.services.settings.store_url)
    stranger = shop.browser()

    before = stranger.get(f"/orders/{reference}")
    stranger.get(link)
    after = stranger.get(f"/orders/{reference}?confirming=1")

    assert (before.status_code, after.status_code) == (404, 200)
    assert reference in after.text


@pytest.mark.parametrize(
    "change", [lambda key: key[:-1], lambda key: key + "x", lambda _key: "x", lambda _key: "é" * 99]
)
def test_a_link_that_was_changed_shows_nothing(shop: Shop, change: Callable[[str], str]) -> None:
    _, reference = shop.browser_with_order()
    path, _, key = (
        links.order_link(shop.services, reference).removeprefix(shop.services.settings.store_url).rpartition("/")
    )

    assert shop.browser().get(f"{path}/{change(key)}").status_code == 404


def test_a_link_opens_its_own_order_alone(shop: Shop) -> None:
    (_, mine), (_, other) = shop.browser_with_order(), shop.browser_with_order()
    key = links.order_link(shop.services, mine).rpartition("/")[2]

    assert shop.browser().get(f"/orders/{other}/from-mail/{key}").status_code == 404


def test_a_developer_reads_the_mails_in_the_browser(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    mail.send_due(shop.services, shop.clock())

    page = shop.browser().get("/dev/mail")

    assert page.status_code == 200
    assert f"Your order {order.reference} is paid" in page.text
    assert "No e-mail has been sent yet." not in page.text


def test_with_a_mail_server_there_is_no_page_of_mails(shop_with: Callable[..., Shop]) -> None:
    assert shop_with(mail_server="127.0.0.1").browser().get("/dev/mail").status_code == 404
