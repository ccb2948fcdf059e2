"""How the staff looks a name up: from its beginning, first or last name first, with or without accents."""

import pytest

from store.domain.search import phrase_of, phrases_of


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Ada Lovelace", "ada l"),
        ("Ada Lovelace", "LOVELACE, a"),
        ("Zoë Müller-Brandenburg", "brandenburg zoe"),
        ("Jürgen Groß", "juergen"),
        ("Jürgen Groß", "jurgen gross"),
        ("  Søren   Kierkegaard ", "soren kier"),
        ("张伟", "张"),
        ("Cher", "cher"),
    ],
)
def test_a_name_is_found_from_its_beginning(name: str, typed: str) -> None:
    assert any(phrase.startswith(phrase_of(typed)) for phrase in phrases_of(name))


@pytest.mark.parametrize(("name", "typed"), [("Ada Lovelace", "lace"), ("Ada King Lovelace", "king")])
def test_a_name_is_not_found_from_its_middle(name: str, typed: str) -> None:
    assert not any(phrase.startswith(phrase_of(typed)) for phrase in phrases_of(name))


def test_a_name_without_a_letter_has_no_phrase() -> None:
    assert phrases_of(" -!- ") == set()


def test_a_name_has_its_last_word_first_as_well() -> None:
    assert phrases_of("Ada Bea Lövelace") == {
        "ada bea lovelace", "lovelace ada bea", "ada bea loevelace", "loevelace ada bea",
    }  # fmt: skip
