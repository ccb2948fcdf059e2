"""Pictures of products: uploaded at /admin, kept with their files, and sent to shoppers in the size they need."""

import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import PictureFile, Product, StaffLogEntry
from store.domain.pictures import MOST_PICTURES, Pictures
from store.services.picture_files import LARGEST_UPLOAD
from tests.support.pictures import drawn, encoded, opened
from tests.support.shop import Browser, Shop
from tests.support.staff import staff

PENCIL, POT = "/admin/products/cedar-pencil", "/admin/products/enamel-pot"
FLAG = encoded(drawn(400, 300))


def picture(left: str) -> bytes:
    return encoded(drawn(left=left, width=240, height=240))


def add(browser: Browser, upload: bytes, alt: str = "A flag", product: str = PENCIL) -> TestResponse:
    return send(browser, "/pictures", product, file=(BytesIO(upload), "photo.svg"), alt=alt)


def send(browser: Browser, path: str, product: str = PENCIL, **form: Any) -> TestResponse:
    form["csrf_token"] = browser.token(product)
    return browser.open("POST", product + path, data=form, content_type="multipart/form-data")


def pictures_of(shop: Shop, slug: str = "cedar-pencil") -> Pictures:
    return shop.product(slug).pictures


def files_of(shop: Shop, slug: str = "cedar-pencil") -> set[str]:
    """The names of the files that the database has for a product."""
    with shop.services.database.reading() as session:
        named = select(PictureFile.name).join(Product, Product.id == PictureFile.product_id)
        return set(session.scalars(named.where(Product.slug == slug)))


def shown(shop: Shop) -> list[str]:
    """What the pictures of the product show, in their order, once nothing is kept but their files."""
    assert files_of(shop) == set().union(*(each.files for each in pictures_of(shop)))
    return [each.alt for each in pictures_of(shop)]


def test_a_picture_is_seen_in_the_shop_in_two_formats_and_its_sizes(shop: Shop) -> None:
    browser, shopper = staff(shop), shop.browser()

    added = add(browser, FLAG, "  A flag,  red and blue ")

    assert (added.status_code, added.location) == (303, PENCIL)
    found = pictures_of(shop)[0]
    small, large = found.sizes
    page = shopper.get("/products/cedar-pencil").text
    webp = f'srcset="/pictures/{small.webp} 320w, /pictures/{large.webp} 400w"'
    assert f'<source type="image/webp" {webp}' in page
    jpeg = f'srcset="/pictures/{small.jpeg} 320w, /pictures/{large.jpeg} 400w"'
    assert f'<img src="/pictures/{large.jpeg}" {jpeg}' in page
    assert 'alt="A flag, red and blue" width="400" height="300">' in page
    card = re.search(r'<img src="/pictures/[^>]*>', shopper.get("/?q=pencil").text)
    assert card is not None
    assert small.jpeg in card[0]
    assert "enamel-pot" in shopper.get("/").text
    with shop.services.database.reading() as session:
        entries = [(each.action, each.subject, each.data) for each in session.scalars(select(StaffLogEntry))]
    assert entries == [("picture.added", "cedar-pencil", {"alt": "A flag, red and blue"})]


def test_a_file_of_a_picture_may_be_kept_for_ever(shop: Shop) -> None:
    add(staff(shop), FLAG)
    small = pictures_of(shop)[0].sizes[0]
    shopper = shop.browser()

    for name, content_type in ((small.webp, "image/webp"), (small.jpeg, "image/jpeg")):
        answer, from_memory = shopper.get(f"/pictures/{name}"), shopper.get(f"/pictures/{name}")
        assert (answer.status_code, answer.content_type) == (200, content_type)
        assert opened(answer.data).size == (320, 240)
        assert (from_memory.data, dict(from_memory.headers).keys()) == (answer.data, dict(answer.headers).keys())
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not {"Set-Cookie", "Vary"} & set(answer.headers.keys())
        again = shopper.get(f"/pictures/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["x", "0" * 32 + ".webp", "0" * 32 + ".svg", "0" * 32 + ".webp0"])
def test_a_picture_that_is_not_there_is_a_drawing_that_says_so(shop: Shop, name: str) -> None:
    answer = shop.browser().get(f"/pictures/{name}")

    assert (answer.status_code, answer.mimetype) == (404, "image/svg+xml")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "No picture" in answer.text


@pytest.mark.on_both_databases
def test_pictures_are_put_in_order_described_exchanged_and_removed(shop: Shop) -> None:
    browser = staff(shop)
    for left in ("red", "green", "white"):
        add(browser, picture(left), left)
    red, green, white = pictures_of(shop)

    send(browser, f"/pictures/{white.name}", alt="snow", place="1")
    send(browser, f"/pictures/{white.name}", alt="snow", place="1")  # which is nothing new
    assert shown(shop) == ["snow", "red", "green"]
    send(browser, f"/pictures/{red.name}", alt="black", place="3", file=(BytesIO(picture("black")), "x"))
    assert shown(shop) == ["snow", "green", "black"]
    send(browser, f"/pictures/{green.name}/remove")
    assert shown(shop) == ["snow", "black"]

    page = shop.browser().get("/products/cedar-pencil").text
    assert page.index('alt="snow"') < page.index('alt="black"')
    assert page.count("<picture>") == 2
    assert [send(browser, f"/pictures/{green.name}{more}").status_code for more in ("", "/remove")] == [400, 404]
    assert send(browser, f"/pictures/{green.name}", alt="x", place="1").status_code == 404
    with shop.services.database.reading() as session:
        log = [(each.action, each.data["alt"]) for each in session.scalars(select(StaffLogEntry))]
    done = [("changed", "snow"), ("exchanged", "black"), ("removed", "green")]
    assert log[3:] == [(f"picture.{action}", alt) for action, alt in done]
    assert "exchanged a picture of cedar-pencil: black" in browser.get("/admin/staff/log").text


def test_an_order_shows_the_picture_that_it_was_placed_with(shop: Shop) -> None:
    drawing = shop.read(shop.order().reference).lines[0].image
    browser = staff(shop)
    add(browser, FLAG)

    shopper, reference = shop.browser_with_order()

    found = pictures_of(shop)[0]
    assert drawing == "img/products/cedar-pencil.svg"
    assert shop.read(reference).lines[0].image == f"pictures/{found.sizes[0].jpeg}"
    assert f'<img src="/pictures/{found.sizes[0].jpeg}"' in shopper.get("/orders").text
    send(browser, f"/pictures/{found.name}/remove")
    assert "img/products/cedar-pencil" in shopper.get("/").text
    assert shopper.get("/orders").status_code == 200


def test_two_products_may_have_the_same_picture(shop: Shop) -> None:
    browser = staff(shop)
    add(browser, FLAG)
    add(browser, FLAG, product=POT)
    name = pictures_of(shop)[0].name

    shared = shop.browser().get(f"/pictures/{name}.webp").status_code
    send(browser, f"/pictures/{name}/remove")

    assert shared == 200

    assert (files_of(shop), shown(shop)) == (set(), [])
    assert files_of(shop, "enamel-pot") == pictures_of(shop, "enamel-pot")[0].files
    assert shop.browser().get(f"/pictures/{name}.webp").status_code == 200


def test_a_size_that_two_pictures_have_in_common_outlives_one_of_them(shop: Shop) -> None:
    browser = staff(shop)
    for width in (400, 640):
        add(browser, encoded(drawn(width, width, left="white", right="white")), str(width))
    first, second = pictures_of(shop)
    assert first.files & second.files

    send(browser, f"/pictures/{first.name}/remove")

    assert shown(shop) == ["640"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Choose a file: a JPEG, PNG, WebP or AVIF."),
        ({"file": (BytesIO(b""), "empty.png")}, "This file is empty."),
        ({"file": (BytesIO(b"%PDF-1.7"), "photo.jpg")}, "This is no JPEG, PNG, WebP or AVIF, whatever its name says."),
        ({"file": (BytesIO(FLAG[:-30]), "x.png")}, "This file is damaged, or not all of it has arrived."),
        ({"file": (BytesIO(encoded(drawn(100, 300))), "x.png")}, "each side needs 200 pixels at least"),
        ({"file": (BytesIO(FLAG), "x.png"), "alt": " "}, "Say what is seen, for who cannot see it."),
    ],
)
def test_what_is_wrong_with_a_picture_is_said_beside_what_was_typed(
    shop: Shop, form: dict[str, Any], says: str
) -> None:
    browser = staff(shop)

    page = send(browser, "/pictures", **{"alt": "A flag at dawn", **form})

    assert (page.status_code, says in page.text) == (400, True)
    assert ('value="A flag at dawn"' in page.text) == ("alt" not in form)
    assert (files_of(shop), shown(shop)) == (set(), [])


def test_a_picture_is_in_one_place_of_a_product_and_eight_fit(shop: Shop) -> None:
    browser = staff(shop)
    for grey in range(MOST_PICTURES):
        add(browser, picture(f"#{grey}0{grey}0{grey}0"), str(grey))
    first, second = pictures_of(shop)[:2]

    twice = send(browser, f"/pictures/{second.name}", alt="x", place="2", file=(BytesIO(picture("#000000")), "x"))
    ninth = add(browser, picture("red"))
    itself = send(browser, f"/pictures/{first.name}", alt="0", place="1", file=(BytesIO(picture("#000000")), "x"))

    assert "This product has this picture already." in twice.text
    assert "A product has 8 pictures at most." in ninth.text
    assert itself.status_code == 303
    assert shown(shop) == [str(grey) for grey in range(MOST_PICTURES)]


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (LARGEST_UPLOAD + 100_000, "This file is larger than 10 MB. Save it smaller, and upload that."),
        (LARGEST_UPLOAD + 1, "This file is larger than 10 MB. Save it smaller, or as a JPEG."),
        (LARGEST_UPLOAD, "This is no JPEG"),
    ],
)
def test_a_file_that_is_too_large_is_refused_with_a_sentence(shop: Shop, size: int, says: str) -> None:
    browser = staff(shop)
    parts = [f'name="csrf_token"\r\n\r\n{browser.token(PENCIL)}'.encode(), b'name="alt"\r\n\r\nA flag']
    parts.append(b'name="file"; filename="x.png"\r\n\r\n' + bytes(size))
    body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--x--\r\n"

    answer = browser.open(
        "POST",
        f"{PENCIL}/pictures",
        input_stream=BytesIO(body),
        content_type="multipart/form-data; boundary=x",
        headers={"Content-Length": str(len(body))},
    )

    assert says in (browser.get(PENCIL).text if answer.location == PENCIL else answer.text)


def test_nothing_large_is_read_from_whoever_may_not_send_it(shop: Shop) -> None:
    body = {"file": (BytesIO(bytes(100_000)), "x"), "alt": "x"}

    answer = shop.browser().open("POST", f"{PENCIL}/pictures", data=body, content_type="multipart/form-data")

    assert answer.status_code == 413
