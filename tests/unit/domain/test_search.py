"""How words are compared in a search, and how the staff looks a name up: from its beginning, in either order."""

import pytest

from store.domain.search import LONGEST_WORD, phrase_of, phrases_of, slug_of, terms_of, words_of


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


def test_a_text_is_found_by_its_words_in_each_of_their_forms() -> None:
    assert words_of("Müller, GROẞE Öfen: 50 % off") == {
        "muller", "mueller", "grosse", "ofen", "oefen", "50", "off",
    }  # fmt: skip
    assert words_of("mu\u0308ller") == words_of("müller")
    assert words_of("Smørrebrød, œuf, Łódź, đồng, Æsop") == {"smorrebrod", "oeuf", "lodz", "dong", "aesop"}


def test_what_is_searched_for_are_words_each_once_in_their_order() -> None:
    assert terms_of(" Red-hot  red CAFÉ, x_1 ") == ["red", "hot", "cafe", "x_1"]
    assert terms_of("?!") == []
    assert terms_of("w" * (LONGEST_WORD + 1)) == terms_of("w" * LONGEST_WORD) == ["w" * LONGEST_WORD]


def test_a_name_in_an_address_has_letters_digits_and_single_hyphens() -> None:
    names = ["Light and warmth", " -- Crème brûlée (2×)! ", "A_B", "张伟", "Über 9000"]

    assert [slug_of(name) for name in names] == ["light-and-warmth", "creme-brulee-2", "a-b", "", "uber-9000"]
