"""The merchant's catalogue: a change is seen in the shop, touches no order, and takes nothing that is reserved."""

from typing import Any

import pytest

from models import StaffLogEntry
from store.services import catalogue
from tests.support.shop import CUSTOMER, Browser, Shop
from tests.support.staff import staff

PENCIL = "/admin/products/cedar-pencil"


def form_of(browser: Browser, shop: Shop, **changes: Any) -> dict[str, Any]:
    """The form of the pencil's page with some fields typed anew; None leaves a tick away."""
    with shop.services.database.reading() as session:
        product = catalogue.product(session, "cedar-pencil")
        category = product.category_id
    same = {
        "name": product.name, "summary": product.summary, "description": product.description, "alt": product.alt,
        "price": product.price.plain, "category": category, "position": product.position,
        "weight": product.weight_grams, "shippable": "y", "tax_class": product.tax_class,
    }  # fmt: skip
    return {name: value for name, value in {**same, **changes}.items() if value is not None}


def save(browser: Browser, shop: Shop, **changes: Any) -> int:
    return browser.post(PENCIL, form_of(browser, shop, **changes), page=PENCIL).status_code


def logged(shop: Shop) -> list[tuple[str, str, dict[str, Any]]]:
    with shop.services.database.reading() as session:
        entries = session.query(StaffLogEntry).order_by(StaffLogEntry.id)
        return [(each.action, each.subject, each.data) for each in entries if not each.action.startswith("staff.")]


@pytest.mark.on_both_databases
def test_a_price_change_is_charged_from_now_on_and_touches_no_order(shop: Shop) -> None:
    before = shop.order(2)
    browser = staff(shop)

    assert save(browser, shop, price="5,50", name="Red pencil") == 303
    after = shop.order(2)

    assert (shop.read(before.reference).total_minor, shop.read(after.reference).total_minor) == (800, 1100)
    assert shop.read(before.reference).lines[0].name == "Cedar pencil"
    assert "Red pencil" in shop.browser().get("/?q=red").text
    told = {"fields": "name, price_minor", "name": ["Cedar pencil", "Red pencil"], "price_minor": ["400", "550"]}
    assert logged(shop) == [("product.changed", "cedar-pencil", told)]
    shop.pay(before)
    shop.deliver()
    assert shop.read(before.reference).paid_at is not None


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"price": "0"}, "above nothing"),
        ({"price": "4.005"}, "an amount such as 12.00"),
        ({"price": "4 dollars"}, "an amount such as 12.00"),
        ({"price": "1000000"}, "an amount such as 12.00"),
        ({"name": "  "}, "Type a name."),
        ({"weight": "light"}, "whole grams"),
        ({"category": "99999"}, "Not a valid choice"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_lost(shop: Shop, typed: dict[str, str], says: str) -> None:
    browser = staff(shop)
    page = browser.post(PENCIL, form_of(browser, shop, summary="Something new", **typed), page=PENCIL)

    assert (page.status_code, says in page.text, "Something new" in page.text) == (400, True, True)
    assert shop.product().summary != "Something new"


@pytest.mark.on_both_databases
def test_a_hidden_product_is_shown_to_nobody_and_goes_into_no_cart(shop: Shop) -> None:
    in_a_cart = shop.cart(1)
    browser, shopper = staff(shop), shop.browser()

    assert save(browser, shop, hidden="y") == 303
    added = shopper.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/brass-pen")

    assert shopper.get("/products/cedar-pencil").status_code == added.status_code == 404
    assert "Cedar pencil" not in shopper.get("/").text + shopper.get("/?q=pencil").text
    assert shop.place(in_a_cart, CUSTOMER).total_minor == 400
    assert "Hidden" in browser.get("/admin/products?q=pencil").text


def test_stock_is_corrected_with_a_reason_and_never_below_what_is_reserved(shop: Shop) -> None:
    shop.set_stock("cedar-pencil", 10)
    shop.order(4)
    browser = staff(shop)

    def correct(by: str, reason: str = "counted") -> str:
        browser.post(f"{PENCIL}/stock", {"by": by, "reason": reason}, page=PENCIL)
        return browser.get(PENCIL).text

    assert "4 pieces are reserved" in correct("-7")
    assert "6 pieces are there now" not in correct("-4", " ")
    assert shop.product().stock == 10
    assert "4 pieces are there now" in correct("-6")
    assert "16 pieces are there now" in correct("12", "delivery")
    assert "no correction" in correct("0")
    assert (shop.product().stock, shop.product().available) == (16, 12)
    assert logged(shop)[-1] == ("stock.corrected", "cedar-pencil", {"by": "+12", "stock": 16, "reason": "delivery"})


def test_what_runs_out_is_filled_up_from_the_work_list(shop: Shop) -> None:
    shop.set_stock("cedar-pencil", 2)
    browser = staff(shop)

    listed = browser.get("/admin").text
    form = {"by": "20", "reason": "delivery", "back": "today"}
    done = browser.post(f"{PENCIL}/stock", form, page="/admin")

    assert "to Cedar pencil" in listed
    assert done.location == "/admin"
    assert "to Cedar pencil" not in browser.get("/admin").text


@pytest.mark.on_both_databases
def test_categories_are_added_renamed_ordered_and_removed_when_empty(shop: Shop) -> None:
    browser, path = staff(shop), "/admin/products/categories"

    def send(address: str, **form: Any) -> str:
        browser.post(address, form, page=path)
        return browser.get(path).text

    send(path, name="Paper goods")
    assert "There is one with the name" in send(path, name="Paper  goods")
    assert "needs letters" in send(path, name="!!!")
    with shop.services.database.reading() as session:
        found = {each.slug: each.id for each in catalogue.categories(session)}
    assert "is not empty" in send(f"{path}/{found['desk']}/remove")
    send(f"{path}/{found['desk']}", name="Writing", position="0")
    send(f"{path}/{found['paper-goods']}/remove")

    shopper = shop.browser()
    assert shopper.get("/").text.index("Writing") < shopper.get("/").text.index("Kitchen")
    assert "Cedar pencil" in shopper.get("/?q=writing").text
    assert "Paper goods" not in shopper.get("/").text
