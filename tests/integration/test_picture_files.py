"""What becomes of an uploaded picture: sizes, formats and colours for the pages, and nothing else of the file."""

import hashlib
from typing import Any

import pytest
from PIL import Image, ImageCms

from store.domain.errors import PictureRefusal, PictureRefused
from store.services.picture_files import LARGEST_UPLOAD, prepare
from tests.support.pictures import colours, drawn, encoded, opened

SCREEN = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# A screen on which what is sent as red shines blue: the two colours have changed places in its table.
SWAPPED = SCREEN.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
ANIMATION = {"save_all": True, "append_images": [drawn(left="green")]}


def widths_of(width: int) -> list[int]:
    return [size.width for size in prepare(encoded(drawn(width, 300)), "A flag").picture.sizes]


def refused(upload: bytes) -> tuple[PictureRefusal, int]:
    with pytest.raises(PictureRefused) as refusal:
        prepare(upload, "A flag")
    return refusal.value.reason, refusal.value.limit


def test_a_picture_becomes_two_formats_in_the_sizes_of_the_pages() -> None:
    made = prepare(encoded(drawn(1600, 1200)), "A flag")

    sizes = made.picture.sizes
    assert [(size.width, size.height) for size in sizes] == [(320, 240), (640, 480), (1280, 960)]
    assert made.picture.alt == "A flag"
    assert set(made.files) == made.picture.files
    for size in sizes:
        webp, jpeg = opened(made.files[size.webp]), opened(made.files[size.jpeg])
        assert (webp.format, webp.size) == ("WEBP", (size.width, size.height))
        assert (jpeg.format, jpeg.size) == ("JPEG", (size.width, size.height))
        assert colours(webp) == colours(jpeg) == ("red", "blue")
        assert jpeg.info["progressive"] == 1


def test_a_file_is_named_by_its_content() -> None:
    made = prepare(encoded(drawn()), "A flag")

    for name, body in made.files.items():
        assert name.partition(".")[0] == hashlib.sha256(body).hexdigest()[:32]
    assert prepare(encoded(drawn()), "Another").files == made.files


@pytest.mark.parametrize(
    ("width", "widths"),
    [(200, [200]), (320, [320]), (321, [320, 321]), (640, [320, 640]), (1200, [320, 640, 1200])],
)
def test_nothing_is_made_larger_than_it_is(width: int, widths: list[int]) -> None:
    assert widths_of(width) == widths


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_formats_that_browsers_know_are_taken(file_format: str) -> None:
    made = prepare(encoded(drawn(), file_format), "A flag")

    assert colours(opened(made.files[made.picture.largest.webp])) == ("red", "blue")


def test_of_the_pictures_in_a_telephones_file_the_first_is_taken() -> None:
    made = prepare(encoded(drawn(), "MPO", save_all=True, append_images=[drawn(320, 240, left="green")]), "A flag")

    assert colours(opened(made.files[made.picture.largest.jpeg])) == ("red", "blue")


def test_a_picture_is_turned_upright_and_says_nothing_of_its_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 8, "A camera"  # turned a quarter; its maker
    taken = encoded(drawn(480, 360), "JPEG", exif=exif, comment=b"A remark", icc_profile=SCREEN)

    made = prepare(taken, "A flag")

    assert [(size.width, size.height) for size in made.picture.sizes] == [(320, 427), (360, 480)]
    upright = opened(made.files[made.picture.largest.jpeg])
    assert colours(upright.rotate(90, expand=True)) == ("blue", "red")
    for body in made.files.values():
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(opened(body).info)
        assert b"camera" not in body


def test_colours_for_another_screen_become_those_of_screens() -> None:
    swapped = prepare(encoded(drawn(), icc_profile=SWAPPED), "A flag")
    unreadable = prepare(encoded(drawn(), icc_profile=b"no profile"), "A flag")

    assert colours(opened(swapped.files[swapped.picture.largest.webp])) == ("blue", "red")
    assert colours(opened(unreadable.files[unreadable.picture.largest.webp])) == ("red", "blue")


def test_transparent_parts_stay_so_and_are_white_in_a_jpeg() -> None:
    image = drawn(mode="RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 320, 480))

    made = prepare(encoded(image, icc_profile=SWAPPED), "A flag")

    webp, jpeg = (opened(made.files[name]) for name in (made.picture.largest.webp, made.picture.largest.jpeg))
    assert webp.mode == "RGBA"
    assert webp.getchannel("A").getextrema() == (0, 255)
    assert colours(jpeg) == ("white", "red")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_few_colours_and_fine_greys_are_taken(mode: str) -> None:
    grey = Image.new("I;16", (400, 300), 60_000) if mode == "I;16" else Image.new("L", (400, 300), 240).convert(mode)

    made = prepare(encoded(grey), "Fog")

    assert colours(opened(made.files[made.picture.largest.jpeg])) == ("white", "white")


def test_greys_and_half_transparent_parts_keep_their_measure() -> None:
    fine, grey = Image.new("I;16", (400, 300), 117 * 256 + 128), Image.new("L", (400, 300), 117)
    half = grey.convert("LA")
    half.putalpha(128)
    palette = Image.new("P", (400, 300), 1)
    palette.putpalette([117] * 3 + [40] * 3)
    palette.paste(0, (0, 0, 100, 300))

    shown = []
    for image, options in ((fine, {}), (grey, {}), (half, {}), (palette, {"transparency": 0}), (palette, {})):
        made = prepare(encoded(image, "PNG", **options), "Fog")
        files = [opened(made.files[name]) for name in (made.picture.largest.webp, made.picture.largest.jpeg)]
        shown.append([(file.mode, file.getpixel((200, 150))) for file in files])

    grey_twice, dark_twice = [("RGB", near(117, 117, 117))] * 2, [("RGB", near(40, 40, 40))] * 2
    assert shown[:2] == [grey_twice] * 2
    assert shown[2] == [("RGBA", near(117, 117, 117, 128)), ("RGB", near(186, 186, 186))]
    assert shown[3:] == [[("RGBA", near(40, 40, 40, 255)), dark_twice[1]], dark_twice]  # a part of it is seen through


def near(*pixel: int) -> Any:
    """Formats that leave out what nobody sees change a colour by one or two of 256."""
    return pytest.approx(pixel, abs=2)


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (b"", PictureRefusal.EMPTY),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"/>', PictureRefusal.OTHER_TYPE),
        (encoded(drawn(), "GIF"), PictureRefusal.OTHER_TYPE),
        (encoded(drawn(), "JPEG")[:1500], PictureRefusal.BROKEN),
        (encoded(drawn(), "PNG")[:-30], PictureRefusal.BROKEN),
        (encoded(drawn(), "WEBP", **ANIMATION), PictureRefusal.ANIMATED),
        (encoded(drawn(), "PNG", **ANIMATION), PictureRefusal.ANIMATED),
        (encoded(drawn().convert("CMYK"), "JPEG"), PictureRefusal.FOR_PRINT),
    ],
    ids=["empty", "drawing", "gif", "half a jpeg", "half a png", "webp that moves", "png that moves", "cmyk"],
)
def test_a_file_that_is_no_picture_for_the_pages_is_refused(upload: bytes, reason: PictureRefusal) -> None:
    assert refused(upload) == (reason, 0)


def test_a_picture_is_refused_for_its_measures_from_a_limit_on() -> None:
    white = Image.new("1", (1, 1))

    assert refused(encoded(white.resize((199, 300)))) == (PictureRefusal.TOO_SMALL, 200)
    assert refused(encoded(white.resize((200, 801)))) == (PictureRefusal.TOO_NARROW, 4)
    assert refused(encoded(white.resize((801, 200)))) == (PictureRefusal.TOO_NARROW, 4)
    assert refused(encoded(white.resize((5000, 10_001)))) == (PictureRefusal.TOO_MANY_PIXELS, 50_000_000)
    assert refused(bytes(LARGEST_UPLOAD + 1)) == (PictureRefusal.TOO_LARGE, LARGEST_UPLOAD)
    assert refused(bytes(LARGEST_UPLOAD)) == (PictureRefusal.OTHER_TYPE, 0)
    assert prepare(encoded(white.resize((200, 800))), "A strip").picture.largest.height == 800


def test_a_picture_is_no_wider_than_the_pages_need() -> None:
    made = [prepare(encoded(drawn(width, 400)), "A flag").picture for width in (1280, 1281)]

    sizes = [(320, 100), (640, 200), (1280, 400)]
    assert [[(size.width, size.height) for size in each.sizes] for each in made] == [sizes, sizes]


def test_a_great_picture_is_read_no_larger_than_its_pages_need() -> None:
    made = prepare(encoded(drawn(2600, 2570), "JPEG"), "A flag")

    assert colours(opened(made.files[made.picture.largest.webp])) == ("red", "blue")
    assert (made.picture.largest.width, made.picture.largest.height) == (1280, 1265)
