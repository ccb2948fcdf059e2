"""The catalogue and the cart: adding, changing, removing, and what is sold out."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import StoreProcess

NOTEBOOK = "Cloth notebook"
SCARCE, SCARCE_SLUG = "Brass pen", "brass-pen"
SOLD_OUT = "Tape dispenser"


def test_the_shop_window_shows_products_with_pictures_and_prices(page: Page) -> None:
    page.goto("/")

    products = page.get_by_role("region", name="Everything in the shop").get_by_role("listitem")
    assert products.count() >= 12
    mug = products.filter(has_text=shop.MUG)
    expect(mug).to_contain_text("$28.00")
    expect(mug.get_by_role("img")).to_have_accessible_name("A slate-blue mug of coffee with a bare clay base, steaming")
    expect(products.filter(has_text="Sold out")).to_have_count(1)


def test_the_cart_shows_the_sum_of_its_lines(page: Page) -> None:
    shop.put_in_cart(page, shop.MUG, 2)
    shop.put_in_cart(page, NOTEBOOK)

    expect(line(page, shop.MUG)).to_contain_text("$56.00")
    expect(line(page, NOTEBOOK)).to_contain_text("$19.00")
    expect(summary(page)).to_contain_text("$75.00")
    expect(page.get_by_role("navigation", name="Shop").get_by_role("link", name="Cart")).to_contain_text("3")


def test_a_quantity_can_be_changed(page: Page) -> None:
    shop.put_in_cart(page, shop.MUG)

    line(page, shop.MUG).get_by_label("Quantity").fill("3")
    page.get_by_role("button", name=f"Update the quantity of {shop.MUG}").click()

    expect(line(page, shop.MUG).get_by_label("Quantity")).to_have_value("3")
    expect(summary(page)).to_contain_text("$84.00")


def test_an_impossible_quantity_is_explained_and_changes_nothing(page: Page) -> None:
    shop.put_in_cart(page, shop.MUG)

    line(page, shop.MUG).get_by_label("Quantity").fill("100")
    page.get_by_role("button", name=f"Update the quantity of {shop.MUG}").click()

    quantity = line(page, shop.MUG).get_by_label("Quantity")
    expect(quantity).to_have_value("100")
    expect(quantity).to_have_accessible_description("Error: Choose a quantity between 1 and 99.")
    expect(summary(page)).to_contain_text("$28.00")


def test_a_line_can_be_taken_out(page: Page) -> None:
    shop.put_in_cart(page, shop.MUG)
    shop.put_in_cart(page, NOTEBOOK)

    page.get_by_role("button", name=f"Remove {NOTEBOOK}").click()
    expect(summary(page)).to_contain_text("$28.00")
    page.get_by_role("button", name=f"Remove {shop.MUG}").click()

    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
    expect(page.get_by_role("link", name="Checkout")).to_have_count(0)


def test_more_than_there_is_cannot_be_put_in_the_cart(page: Page, store: StoreProcess) -> None:
    stock(store, SCARCE_SLUG, 3)
    shop.open_product(page, SCARCE)
    expect(page.get_by_text("Only 3 left")).to_be_visible()

    page.get_by_label("Quantity").fill("4")
    page.get_by_role("button", name="Add to cart").click()

    expect(page.get_by_role("main")).to_contain_text(f"Only 3 of “{SCARCE}” left.")


def test_a_cart_is_warned_when_others_bought_meanwhile(
    page: Page, new_browser: NewBrowser, store: StoreProcess
) -> None:
    stock(store, SCARCE_SLUG, 3)
    shop.put_in_cart(page, SCARCE, 3)

    shop.go_to_payment(new_browser().new_page(), SCARCE)
    page.goto("/cart")

    expect(line(page, SCARCE)).to_contain_text("Only 2 left. Your cart asks for 3.")
    expect(page.get_by_role("link", name="Checkout")).to_have_count(0)
    line(page, SCARCE).get_by_label("Quantity").fill("2")
    page.get_by_role("button", name=f"Update the quantity of {SCARCE}").click()
    expect(page.get_by_role("link", name="Checkout")).to_be_visible()


def test_the_last_piece_sold_at_the_checkout_is_explained(
    page: Page, new_browser: NewBrowser, store: StoreProcess
) -> None:
    stock(store, SCARCE_SLUG, 1)
    shop.buy_now(page, SCARCE)
    shop.fill_in_details(page)
    shop.go_to_payment(new_browser().new_page(), SCARCE)

    page.get_by_role("button", name="Continue to payment").click()

    expect(page.get_by_role("main")).to_contain_text(f"“{SCARCE}” is sold out. Remove it from your cart to go on.")
    page.get_by_role("link", name="Go to your cart").click()
    expect(line(page, SCARCE)).to_contain_text("Sold out. Remove it to go on.")


def test_a_sold_out_product_says_so_and_cannot_be_bought(page: Page) -> None:
    shop.open_product(page, SOLD_OUT)

    expect(page.get_by_role("main")).to_contain_text("Sold out")
    expect(page.get_by_role("button", name="Add to cart")).to_have_count(0)
    expect(page.get_by_role("button", name="Buy now")).to_have_count(0)


def test_a_browser_that_lost_its_cookies_reads_so_and_can_go_on(page: Page) -> None:
    shop.open_product(page, shop.MUG)
    page.context.clear_cookies()

    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("heading", level=1, name="This form was out of date")).to_be_visible()
    expect(page.get_by_text("Nothing was charged and nothing was changed.")).to_be_visible()
    page.get_by_role("link", name="Open it again").click()

    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
    shop.put_in_cart(page, shop.MUG)


def line(page: Page, name: str) -> Locator:
    """A line of the cart."""
    return page.get_by_role("main").get_by_role("listitem").filter(has=page.get_by_role("link", name=name))


def summary(page: Page) -> Locator:
    return page.get_by_role("region", name="Summary")


def stock(store: StoreProcess, slug: str, pieces: int) -> None:
    """Put so many pieces of a product in stock, beside what other orders have reserved."""
    store.change("UPDATE products SET stock = reserved + ? WHERE slug = ?", pieces, slug)
