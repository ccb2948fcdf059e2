"""Where a browser's orders probably go, before its shopper has said so."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from store.domain.addresses import NOWHERE, Address
from store.domain.countries import countries


def likely_country() -> str:
    """The country of the browser's first language, such as GB for en-GB; the United States where it names none."""
    known = {code for code, _name in countries()}
    for language, _weight in request.accept_languages:
        territory = language.rpartition("-")[2].upper()
        if "-" in language and territory in known:
            return territory
    return "US"


def likely_address() -> Address:
    """An address of which nothing but the country is guessed."""
    return replace(NOWHERE, country=likely_country())
