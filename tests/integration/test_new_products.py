"""New products: added by the owner, hidden until they are looked at, at an address that stays once it is ordered."""

import re
from typing import Any

import pytest
from sqlalchemy import inspect, select
from werkzeug.test import TestResponse

from models import Product, StaffLogEntry
from store.domain.errors import CatalogueRefusal, CatalogueRefused
from store.domain.pricing import TaxClass
from store.services import products
from store.services.products import ProductValues
from store.services.staff_log import Actor
from tests.integration.test_admin_products import form_of
from tests.support.concurrency import at_once
from tests.support.shop import Browser, Shop
from tests.support.staff import staff

NEW = "/admin/products/new"
KETTLE = {
    "name": "Copper  kettle", "summary": "Sings when it boils", "description": "Two litres.\r\n\r\nSolid copper.",
    "price": "89,90", "category": "0", "position": "3", "weight": "1200", "shippable": "y", "tax_class": "reduced",
    "stock": "12", "reason": "opening stock",
}  # fmt: skip


def add(browser: Browser, **changes: Any) -> TestResponse:
    return browser.post(NEW, {**KETTLE, **changes}, page=NEW)


def product_of(shop: Shop, slug: str) -> Product | None:
    """A product, hidden or not."""
    with shop.services.database.reading() as session:
        return session.scalars(select(Product).where(Product.slug == slug)).one_or_none()


def logged(shop: Shop) -> list[tuple[str, str, dict[str, Any]]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id))
        return [(each.action, each.subject, each.data) for each in entries]


@pytest.mark.on_both_databases
def test_a_new_product_is_hidden_until_the_owner_shows_it(shop: Shop) -> None:
    browser, shopper = staff(shop), shop.browser()

    added = add(browser)

    assert (added.status_code, added.location) == (303, "/admin/products/copper-kettle")
    product = product_of(shop, "copper-kettle")
    assert product is not None
    kept = {column.key: getattr(product, column.key) for column in inspect(Product).columns}
    assert kept == {
        "id": product.id, "slug": "copper-kettle", "name": "Copper kettle", "summary": "Sings when it boils",
        "description": "Two litres.\n\nSolid copper.", "category_id": None, "image": "img/no-picture.svg", "alt": "",
        "pictures": (), "price_minor": 8990, "currency": "usd", "stock": 12, "reserved": 0, "position": 3,
        "weight_grams": 1200, "shippable": True, "hidden": True, "tax_class": TaxClass.REDUCED,
    }  # fmt: skip
    assert logged(shop) == [
        ("product.added", "copper-kettle", {"name": "Copper kettle", "price_minor": 8990}),
        ("stock.corrected", "copper-kettle", {"by": "+12", "stock": 12, "reason": "opening stock"}),
    ]
    assert shopper.get("/products/copper-kettle").status_code == 404
    page = browser.get(added.location).text
    assert ("It is added, and hidden." in page, "no-picture" in page, "Say what is seen" in page) == (True, True, False)

    form = {name: value for name, value in KETTLE.items() if name not in ("stock", "reason")}
    browser.post(added.location, form, page=added.location)
    assert "no-picture" in shopper.get("/products/copper-kettle").text
    assert "Copper kettle" in shopper.get("/?q=kettle").text
    assert shop.order(2, "copper-kettle").total_minor == 17980


def test_an_address_is_made_of_the_name_and_is_nobody_elses(shop: Shop) -> None:
    browser = staff(shop)

    made = [add(browser).location, add(browser).location, add(browser, name="COPPER-Kettle!").location]
    made += [add(browser, name="New").location, add(browser, slug="red-one").location]
    made.append(add(browser, name="k" * 120).location)

    named = ["copper-kettle", "copper-kettle-2", "copper-kettle-3", "new-2", "red-one", "k" * 75]
    assert made == [f"/admin/products/{slug}" for slug in named]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"slug": "cedar-pencil"}, "“cedar-pencil” is the address of something else."),
        ({"slug": "categories"}, "“categories” is the address of something else."),
        ({"slug": "Red One"}, "small letters, digits and hyphens, such as “red-one”."),
        ({"slug": "-red"}, "small letters, digits and hyphens, such as “red”."),
        ({"slug": "r" * 81}, "At most 80 characters."),
        ({"name": "!!!"}, "A name needs letters or digits."),
        ({"stock": "-1"}, "Type how many pieces there are, such as 12, or 0."),
        ({"stock": "few"}, "Type how many pieces there are, such as 12, or 0."),
        ({"reason": " "}, "Say where they come from"),
        ({"price": "0"}, "above nothing"),
    ],
)
def test_a_product_that_is_typed_wrong_is_not_added(shop: Shop, typed: dict[str, str], says: str) -> None:
    browser = staff(shop)

    page = add(browser, **typed)

    assert (page.status_code, says in page.text, "Sings when it boils" in page.text) == (400, True, True)
    assert (product_of(shop, "copper-kettle"), logged(shop)) == (None, [])


def test_an_address_is_changed_until_somebody_orders_it(shop: Shop) -> None:
    browser, shopper = staff(shop), shop.browser()
    pencil, red = "/admin/products/cedar-pencil", "/admin/products/red-pencil"
    shop.order(1, "enamel-pot")  # of something else

    changed = browser.post(pencil, form_of(browser, shop, slug="red-pencil"), page=pencil)
    found = [shopper.get(f"/products/{slug}").status_code for slug in ("cedar-pencil", "red-pencil")]
    shop.order(1, "red-pencil")
    form = {**KETTLE, "alt": "A pencil", "price": "4.00", "slug": "blue-pencil"}
    refused = browser.post(red, form, page=red)
    kept = browser.post(red, {**form, "slug": "red-pencil", "summary": "Writes on"}, page=red)

    assert (changed.status_code, changed.location, found) == (303, red, [404, 200])
    assert logged(shop)[0] == (
        "product.changed", "cedar-pencil", {"fields": "slug", "slug": ["cedar-pencil", "red-pencil"]},
    )  # fmt: skip
    assert (refused.status_code, "so its address stays “red-pencil”" in refused.text) == (400, True)
    assert (kept.status_code, kept.location) == (303, red)
    assert shop.product("red-pencil").summary == "Writes on"


def test_the_next_product_is_offered_the_last_place(shop: Shop) -> None:
    browser = staff(shop)
    with shop.services.database.reading() as session:
        last = max(session.scalars(select(Product.position)))

    field = re.search(r'<input[^>]* name="position"[^>]*>', browser.get(NEW).text)
    assert field is not None
    assert f'value="{last + 1}"' in field[0]


@pytest.mark.on_both_databases
def test_of_two_who_take_one_address_at_once_one_gets_it(shop: Shop) -> None:
    values = ProductValues("Flag", "flag", "Red", "Wool.", "", 900, None, 5, 0, True, False, TaxClass.STANDARD)
    actor = Actor("owner@shop.example", shop.clock())

    outcomes = at_once(4, lambda number: products.add(shop.services, values, number, "made", actor))

    refused = [each.reason for each in outcomes if isinstance(each, CatalogueRefused)]
    assert refused == [CatalogueRefusal.ADDRESS_TAKEN] * 3
    assert product_of(shop, "flag") is not None
    assert [entry[0] for entry in logged(shop)] == ["product.added", "stock.corrected"]
