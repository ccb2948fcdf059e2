"""How words are compared when a shopper searches: whatever the case, and with or without accents."""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORD = 40  # characters; what is longer is compared up to there

_GERMAN = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"}
_LETTERS = {ord("ø"): "o", ord("æ"): "ae", ord("œ"): "oe", ord("ł"): "l", ord("đ"): "d"}


def words_of(text: str) -> set[str]:
    """The words of a text by which it is found. One with an umlaut has both its plain forms: `Müller` is found as
    `muller` and as `mueller`.
    """
    composed = unicodedata.normalize("NFC", text).casefold()
    return {word for form in (composed, composed.translate(_GERMAN)) for word in terms_of(form)}


def terms_of(query: str) -> list[str]:
    """The words that somebody searches for, each once, as `words_of` has them."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in re.findall(r"\w+", _folded(query))))


def phrases_of(name: str) -> set[str]:
    """A name as it is looked up from its beginning: as it stands, and with its last word first; with an umlaut in both
    its plain forms.
    """
    composed = unicodedata.normalize("NFC", name).casefold()
    phrases = set()
    for form in (composed, composed.translate(_GERMAN)):
        words = phrase_of(form).split()
        phrases |= {" ".join(words), " ".join([*words[-1:], *words[:-1]])}
    return phrases - {""}


def phrase_of(query: str) -> str:
    """What somebody types of a name, as `phrases_of` has it."""
    return " ".join(re.findall(r"\w+", _folded(query)))


def slug_of(name: str) -> str:
    """A name as it stands in an address: `Light and warmth` is `light-and-warmth`. Empty where no letter is left."""
    return re.sub(r"[^a-z0-9]+", "-", _folded(name)).strip("-")


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each)).translate(_LETTERS)
