"""Names and e-mail addresses as people write and paste them, and as the store keeps them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache

LONGEST_EMAIL = 254

# Marks of writing direction, of joints and of breaks, which come along when a text is copied. The joiners that Persian,
# Hindi and others write with (U+200C, U+200D) belong to the letters and stay.
_COPIED_ALONG = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")

# Where most mail goes, and similar domains that are no typing mistakes.
_MAIL_DOMAINS = """
    aim.com aol.com att.net bigpond.com bluewin.ch btinternet.com comcast.net email.com free.fr freenet.de gmail.com
    gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hotmail.co.uk hotmail.com hotmail.fr icloud.com laposte.net
    libero.it live.co.uk live.com mac.com mail.com mail.ru me.com msn.com naver.com orange.fr outlook.com outlook.de
    proton.me protonmail.com qq.com sbcglobal.net t-online.de verizon.net wanadoo.fr web.de wp.pl yahoo.co.uk yahoo.com
    yahoo.de yahoo.fr yandex.ru ymail.com ziggo.nl
""".split()  # noqa: SIM905  # a column of fifty strings reads worse
_ENDINGS = {
    "com": ["con", "cmo", "comm", "ocm", "coom", "cim", "vom", "xom", "cpm", "c0m", "comn"],
    "net": ["nte", "ner", "nett", "ent"],
    "org": ["ogr", "orgg", "rog"],
}
_SAME_MARKET = ("co", "cm", "om")  # endings of countries that are more often a typing mistake than meant


class NotAnEmail(ValueError):
    """No mail can be sent there, whatever server it is handed to."""


class LocalPartNotAscii(NotAnEmail):
    """What stands before the @ has other letters than a to z: many mail servers cannot pass it on."""


def tidy(text: str) -> str:
    """Text as it was meant: composed characters, nothing invisible, one blank where there were several."""
    if text.isascii() and text.isprintable():  # most is, and each form has ten of them
        return " ".join(text.split())
    composed = _COPIED_ALONG.sub("", unicodedata.normalize("NFC", text))
    printable = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in composed)
    without_invisible = "".join(each for each in printable if unicodedata.category(each) not in ("Cs", "Co", "Cn"))
    return re.sub(r"\s+", " ", without_invisible).strip()


@lru_cache(maxsize=32)  # one request asks several times, for what it counts and for the form
def email(typed: str) -> str:
    """The address alone, in ASCII: a domain with other letters is written as mail programs send it (`xn--…`).

    Only its spelling is looked at; no network is asked. Raises NotAnEmail or LocalPartNotAscii.
    """
    # Imported with the first address: its patterns take a while to compile, and pages without a form need none.
    from email_validator import EmailNotValidError, validate_email

    text = tidy(unicodedata.normalize("NFKC", typed)).replace("\u3002", ".")
    named = re.fullmatch(r"[^<>@]*<([^<>]+)>", text)  # Ada <ada@example.com>
    text = (named[1] if named else text).removeprefix("mailto:").strip(" ,;.\"'")
    address = re.sub(r"\s*([@.])\s*", r"\1", text)
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise NotAnEmail from None
    if found.ascii_email is None:
        raise LocalPartNotAscii
    if len(found.ascii_email) > LONGEST_EMAIL:
        raise NotAnEmail
    return found.ascii_email


def email_as_read(address: str) -> str:
    """An address of `email()` with its domain in its own letters, for a page."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode().decode('idna')}"
    except UnicodeError:  # an address that nobody checked
        return address


def likely_email(address: str) -> str | None:
    """What `address` was probably meant to be, where its domain looks mistyped: `ada@gmail.con` is ada@gmail.com."""
    local, _, domain = address.rpartition("@")
    likely = _likely_domain(domain.lower())
    return f"{local}@{likely}" if likely != domain.lower() else None


@lru_cache(maxsize=1000)  # most addresses are at a few domains
def _likely_domain(domain: str) -> str:
    name, _, ending = domain.rpartition(".")
    meant = next((right for right, wrong in _ENDINGS.items() if ending in wrong), ending)
    close = difflib.get_close_matches(f"{name}.{meant}", _MAIL_DOMAINS, n=1, cutoff=0.88)
    another_country = close and len(meant) == 2 and meant not in _SAME_MARKET and not close[0].endswith(f".{meant}")
    return close[0] if close and not another_country else f"{name}.{meant}"
