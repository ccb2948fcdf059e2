"""An owner makes a product with a picture in a real browser, and a shopper sees it."""

from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.conftest import NewBrowser
from tests.e2e.pages import SMALL, see_a_good_page
from tests.e2e.staff import work_as
from tests.support.pictures import drawn, encoded
from tests.support.processes import StoreProcess


def test_an_owner_makes_a_product_and_a_shopper_sees_its_picture(
    page: Page, new_browser: NewBrowser, store: StoreProcess
) -> None:
    photo: FilePayload = {
        "name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": encoded(drawn(1400, 1050), "JPEG"),
    }  # fmt: skip
    work_as(page, store, "owner", name="seller")
    page.get_by_role("link", name="Products").click()
    page.get_by_role("link", name="Add a product").click()
    see_a_good_page(page, "A new product")

    page.get_by_label("Name").fill("Signal flag")
    page.get_by_label("Summary").fill("Red and blue, and seen from afar")
    page.get_by_label("Description").fill("Wool, with a hem that lasts.")
    page.get_by_label("Price in USD").fill("24.00")
    page.get_by_label("Pieces in stock").fill("7")
    page.get_by_role("button", name="Add the product").click()
    expect(page.get_by_role("status")).to_contain_text("It is added, and hidden.")
    page.get_by_label("New picture: File").set_input_files([photo])
    page.get_by_label("New picture: What it shows").fill("A flag, half red, half blue")
    page.get_by_role("button", name="Add a picture").click()
    expect(page.get_by_role("status")).to_contain_text("The picture is added.")
    see_a_good_page(page, "Signal flag")
    page.get_by_label("Hide it from shoppers").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")

    shopper = new_browser(**SMALL).new_page()
    shopper.goto("/?q=flag")
    shopper.get_by_role("link", name="Signal flag").tap()
    see_a_good_page(shopper, "Signal flag")
    picture = shopper.get_by_role("img", name="A flag, half red, half blue")
    expect(picture).to_be_visible()
    shown = picture.evaluate("image => [image.complete, image.naturalWidth > 0, image.currentSrc.split('.').pop()]")
    assert shown == [True, True, "webp"]
    box = picture.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 4 / 3) < 0.02
