"""Compresses pages, in a way that tells nobody anything of the secrets in them.

A compressed page is shorter where it repeats itself. Whoever can make a browser ask for a page with words of his choice
in it, and see how long the answers are, learns from that which words a secret has in common with his (BREACH). So
secrets are not compressed: they stand in the answer as they are, and no other part of it refers to them. See
docs/decisions/0016-what-browsers-are-sent.md.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable

from flask import Flask, Response, g, request

_WORTH_IT = 500  # bytes
_LEVEL = 9
_WINDOW = 32 * 1024  # bytes: how far back DEFLATE looks
_SECRETS = "uncompressed"

# RFC 1952: DEFLATE, no flags, no time, no system. RFC 1951: a last block with nothing in it.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x03\x00"
_LONGEST_STORED = 0xFFFF


def register(app: Flask) -> None:
    """Compress every page for browsers that take gzip. Templates mark secrets with the filter `secret`."""
    app.add_template_filter(secret)
    app.after_request(_compress)


def secret(value: str) -> str:
    """The same; wherever it stands in this answer, it is not compressed."""
    g.setdefault(_SECRETS, set()).add(value)
    return value


def _compress(response: Response) -> Response:
    if response.mimetype != "text/html" or response.is_streamed or "Content-Encoding" in response.headers:
        return response
    page = response.get_data()
    if len(page) < _WORTH_IT or b"\0" in page:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip"):
        # Flask-WTF keeps the token of a request's forms here; it is the same for all of a session.
        secrets = {*g.get(_SECRETS, ()), *filter(None, [g.get("csrf_token")])}
        response.set_data(compress(page, secrets))
        response.headers["Content-Encoding"] = "gzip"
    return response


def compress(page: bytes, secrets: Iterable[str]) -> bytes:
    """`page` as gzip. Its length depends on the length of the secrets in it, never on what they are.

    Each secret is a stored block. What follows it is compressed against all that came before, in which NULs stand for
    the secrets: `page` must have none itself, so nothing refers to one. A secret costs the page some eighty bytes, for
    what follows begins with codes of its own; less where little stands between two of them.
    """
    hidden = sorted((value.encode() for value in secrets if value), key=len, reverse=True)
    pieces = re.split(b"(%s)" % b"|".join(map(re.escape, hidden)), page) if hidden else [page]
    seen, blocks = b"", [_HEADER]
    for number, piece in enumerate(pieces):
        if number % 2:  # a secret
            blocks.append(_stored(piece))
            seen += bytes(len(piece))
        elif piece:
            deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=seen[-_WINDOW:])
            blocks += deflate.compress(piece), deflate.flush(zlib.Z_SYNC_FLUSH)
            seen += piece
    blocks += _END, struct.pack("<LL", zlib.crc32(page), len(page) & 0xFFFFFFFF)
    return b"".join(blocks)


def _stored(secret: bytes) -> bytes:
    """An uncompressed block of DEFLATE, which begins at a whole byte after a flush."""
    length = len(secret)
    return struct.pack("<BHH", 0, length, length ^ _LONGEST_STORED) + secret
