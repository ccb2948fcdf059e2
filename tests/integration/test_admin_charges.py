"""What the merchant charges beside the products: shipping, taxes and coupons are kept at /admin, and charged."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from models import CouponRow, Order, ShippingZoneMethod, TaxRateRow
from store.domain.errors import CouponRefused
from store.services import charges
from tests.support.shop import CUSTOMER, Browser, Shop
from tests.support.staff import staff

METHOD = {"name": "Parcel", "estimate": "2 days", "basis": "value", "position": "1", "active": "y"}


def steps(*rows: tuple[str, str]) -> dict[str, str]:
    """The rows of the prices as the form sends them."""
    return {
        f"prices-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in zip(("measure", "price"), row, strict=True)
    }


def send(browser: Browser, path: str, page: str = "", **form: Any) -> str:
    """What the page that follows says."""
    answer = browser.post(path, form, page=page or path)
    return browser.get(answer.location).text if answer.status_code == 303 else answer.text


def zone_of(shop: Shop, browser: Browser, name: str, places: str) -> int:
    send(browser, "/admin/charges/zones", page="/admin/charges", name=name)
    with shop.services.database.reading() as session:
        zone_id = next(each.zone.id for each in charges.zones(session) if each.zone.name == name)
    send(browser, f"/admin/charges/zones/{zone_id}", name=name, places=places)
    return zone_id


def shipping_of(order: Order, shop: Shop) -> list[tuple[str, int]]:
    return [(each.label, each.amount_minor) for each in shop.read(order.reference).adjustments]


@pytest.mark.on_both_databases
def test_a_zone_and_its_method_are_made_and_charged(shop: Shop) -> None:
    browser = staff(shop)
    zone_id = zone_of(shop, browser, "West", "us-california, US-OR us")
    path = f"/admin/charges/zones/{zone_id}/methods"

    before = shop.order()
    send(browser, path, **METHOD, **steps(("0", "4,90"), ("50", "2.90")), free_from="100")
    page = browser.get("/admin/charges").text
    small, large = shop.order(1), shop.order(15)

    assert "US, US-CA, US-OR" in page
    assert shipping_of(before, shop) == []
    assert shipping_of(small, shop) == [("Parcel, 2 days", 490)]
    assert shipping_of(large, shop) == [("Parcel, 2 days", 290)]


def test_a_method_is_changed_switched_off_and_removed(shop: Shop) -> None:
    browser = staff(shop)
    zone_id = zone_of(shop, browser, "Home", "US")
    send(browser, f"/admin/charges/zones/{zone_id}/methods", **METHOD, **steps(("0", "5")))
    with shop.services.database.reading() as session:
        method_id = session.scalars(select(ShippingZoneMethod.id)).one()
    placed, path = shop.order(), f"/admin/charges/methods/{method_id}"

    send(browser, path, **{**METHOD, "basis": "weight"}, **steps(("0", "3"), ("100", "7")))
    heavier = shop.order(20)
    send(browser, path, **{**METHOD, "active": ""}, **steps(("0", "3")))
    in_use = send(browser, f"/admin/charges/zones/{zone_id}/remove", page="/admin/account")
    send(browser, f"{path}/remove", page="/admin/account")
    gone = send(browser, f"/admin/charges/zones/{zone_id}/remove", page="/admin/account")

    assert shipping_of(placed, shop) == [("Parcel, 2 days", 500)]
    assert shipping_of(heavier, shop) == [("Parcel, 2 days", 700)]
    assert "“Home” is not empty" in in_use
    assert "The zone is removed." in gone
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((), "Type a price"),
        ((("0", "free"),), "In each row type"),
        ((("", "3"),), "In each row type"),
        ((("0", "3"), ("0.00", "4")), "begin at the same"),
    ],
)
def test_prices_that_make_no_sense_are_said(shop: Shop, rows: tuple[tuple[str, str], ...], says: str) -> None:
    browser = staff(shop)
    zone_id = zone_of(shop, browser, "Home", "US")

    page = send(browser, f"/admin/charges/zones/{zone_id}/methods", **METHOD, **steps(*rows))

    assert says in page
    assert 'value="Parcel"' in page


def test_a_place_is_one_and_in_one_zone(shop: Shop) -> None:
    browser = staff(shop)
    zone_of(shop, browser, "Home", "US, *")
    other = zone_of(shop, browser, "Abroad", "DE")
    path = f"/admin/charges/zones/{other}"

    assert "“US” is in another zone" in send(browser, path, name="Abroad", places="DE, US")
    assert "“Narnia” is no country" in send(browser, path, name="Abroad", places="Narnia")
    assert "“US-XX” is no country or region" in send(browser, path, name="Abroad", places="US-XX")
    assert "There is one with the name “Home”" in send(browser, path, name="Home", places="DE")
    with shop.services.database.reading() as session:
        assert charges.zone(session, other).places == ["DE"]


@pytest.mark.on_both_databases
def test_a_tax_rate_is_added_changed_and_charged(shop: Shop) -> None:
    browser, new = staff(shop), "/admin/charges/taxes/new"
    form = {"place": "us-il", "tax_class": "standard", "name": "Sales tax", "percent": "6.25"}

    send(browser, new, **form)
    taxed = shop.order(25)  # $100.00
    again = send(browser, new, **form)
    wrong = send(browser, new, **{**form, "name": "Other", "percent": "101"})
    with shop.services.database.reading() as session:
        rate_id = session.scalars(select(TaxRateRow.id)).one()
    send(browser, f"/admin/charges/taxes/{rate_id}", **{**form, "percent": "7,5 %", "included": "y"})
    included = shop.order(25)

    assert shipping_of(taxed, shop) == [("Sales tax 6.25%", 625)]
    assert "There is one with the name “Sales tax”" in again
    assert "from 0 to 100" in wrong
    assert shipping_of(included, shop) == [("Sales tax 7.5%, included", 0)]
    send(browser, f"/admin/charges/taxes/{rate_id}/remove", page="/admin/account")
    assert "No tax is charged." in browser.get("/admin/charges/taxes").text


@pytest.mark.on_both_databases
def test_a_coupon_is_made_counted_changed_and_switched_off(shop: Shop) -> None:
    browser, new = staff(shop), "/admin/coupons/new"
    form = {"code": " spring 25 ", "kind": "percent", "percent": "25", "max_uses": "2", "active": "y"}

    made = send(browser, new, **form)
    with_code = replace(CUSTOMER, code="SPRING25")
    first, _second = shop.order(10, customer=with_code), shop.order(10, customer=with_code)
    with shop.services.database.reading() as session:
        coupon = session.scalars(select(CouponRow)).one()
    path = f"/admin/coupons/{coupon.id}"
    fewer = send(browser, path, **{**form, "max_uses": "1"})
    send(browser, path, **{**form, "max_uses": "", "percent": "50", "code": "OTHER"})
    third = shop.order(10, customer=with_code)
    off = send(browser, path, **{**form, "max_uses": "", "active": ""})

    assert "25 %" in made
    assert "2 orders have a use of it already." in fewer
    assert [shop.read(order.reference).total_minor for order in (first, third)] == [3000, 2000]
    assert "switched off" in off
    with pytest.raises(CouponRefused):
        shop.order(10, customer=with_code)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"kind": "percent"}, "how many percent"),
        ({"kind": "amount"}, "how much it takes off"),
        ({"kind": "amount", "amount": "much"}, "an amount such as"),
        ({"kind": "free_shipping", "max_uses": "-1"}, "a whole number"),
        ({"kind": "free_shipping", "first_day": "2026-12-02", "last_day": "2026-12-01"}, "ends before it begins"),
        ({"kind": "free_shipping", "code": ""}, "Type a code."),
        ({"kind": "free_shipping", "code": "welcome"}, "There is one with the name “WELCOME”"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_said(shop: Shop, typed: dict[str, str], says: str) -> None:
    browser, new = staff(shop), "/admin/coupons/new"
    send(browser, new, code="WELCOME", kind="free_shipping", last_day="2026-12-24", active="y")

    page = send(browser, new, **{"code": "NEW", "active": "y", **typed})

    assert says in page
    assert ">25 Dec 2026, 00:00 UTC<" in browser.get("/admin/coupons").text
