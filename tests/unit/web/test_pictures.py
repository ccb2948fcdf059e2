"""The files of pictures that are kept in memory: the last ones, up to so many bytes."""

from store.web.pictures import RecentFiles


def test_the_file_that_was_asked_for_longest_ago_makes_room() -> None:
    recent = RecentFiles(most=10)
    recent.put("a", b"1234")
    recent.put("b", b"1234")
    recent.get("a")

    recent.put("c", b"123")

    assert [recent.get(name) for name in "abc"] == [b"1234", None, b"123"]


def test_a_file_that_is_put_there_twice_counts_once() -> None:
    recent = RecentFiles(most=10)
    for _twice in range(2):
        recent.put("a", b"12345")

    recent.put("b", b"12345")

    assert [recent.get(name) for name in "ab"] == [b"12345", b"12345"]


def test_a_file_that_is_larger_than_the_room_is_not_kept() -> None:
    recent = RecentFiles(most=3)

    recent.put("a", b"1234")
    recent.put("b", b"123")

    assert [recent.get(name) for name in "ab"] == [None, b"123"]
