"""Pictures of a product: their order, their files, and how they are kept."""

import pytest

from store.domain.pictures import Picture, PictureSize, described, find, placed, unused, without


def picture(name: str, *more: str) -> Picture:
    """One whose largest files have this name; `more` are those of smaller sizes."""
    sizes = [PictureSize(100 * at, 50 * at, f"{each}.webp", f"{each}.jpg") for at, each in enumerate((*more, name), 1)]
    return Picture(f"What {name} shows", tuple(sizes))


ONE, TWO, THREE = picture("one", "small"), picture("two"), picture("three", "small")


def test_a_picture_is_known_by_its_largest_file() -> None:
    assert (ONE.name, ONE.largest) == ("one", PictureSize(200, 100, "one.webp", "one.jpg"))
    assert find((ONE, TWO), "two") is TWO
    assert find((ONE, TWO), "three") is None


@pytest.mark.parametrize(
    ("place", "order"),
    [(0, [TWO, ONE, THREE]), (1, [TWO, ONE, THREE]), (2, [ONE, TWO, THREE]), (3, [ONE, THREE, TWO])],
)
def test_a_picture_gets_a_place_counted_from_one(place: int, order: list[Picture]) -> None:
    assert placed((ONE, TWO, THREE), TWO, place) == tuple(order)
    assert placed((ONE, THREE), TWO, place) == tuple(order)


def test_a_place_after_the_last_is_the_last() -> None:
    assert placed((ONE, TWO), ONE, 8) == (TWO, ONE)


def test_one_picture_is_taken_away_or_described_anew() -> None:
    assert without((ONE, TWO, THREE), "two") == (ONE, THREE)
    assert described(TWO, "A lamp") == Picture("A lamp", TWO.sizes)


def test_a_file_that_another_picture_has_too_is_kept() -> None:
    assert unused((ONE, TWO, THREE), (THREE,)) == {"one.webp", "one.jpg", "two.webp", "two.jpg"}
    assert unused((ONE, THREE), (ONE, THREE)) == frozenset()
    assert unused((), (ONE,)) == frozenset()


def test_a_picture_is_kept_as_json() -> None:
    kept = {"alt": "What one shows", "sizes": [[100, 50, "small.webp", "small.jpg"], [200, 100, "one.webp", "one.jpg"]]}

    assert ONE.to_json() == kept
    assert Picture.from_json(kept) == ONE
