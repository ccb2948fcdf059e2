"""What the API needs of HTTP: a request with its parameters, and an answer that is a WSGI application."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.http import HTTP_STATUS_CODES, parse_options_header
from werkzeug.wrappers import Request as FormRequest
from werkzeug.wsgi import get_content_length, get_input_stream, get_path_info

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Largest request taken, in bytes.
LARGEST_REQUEST = 2 * 1024 * 1024

#: The same where files are uploaded: room for the largest that Stripe takes.
FILES_PATH, LARGEST_UPLOAD = "/v1/files", 17 * 1024 * 1024

#: Content types of forms; no other body is read.
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class SentFile:
    """A file in a form, and the name its sender has for it."""

    name: str
    content: bytes = field(repr=False)

    @property
    def description(self) -> str:
        """The same for the same file under the same name."""
        return f"{self.name}, {len(self.content)} bytes, {hashlib.sha256(self.content).hexdigest()}"


class Request:
    """A call of the API. Nothing of its body is read before its form or its files are asked for.

    `path` is decoded. `query` and `form` are pairs of parameters, in the order they were sent in, without files; these
    are in `files`. Reading them raises werkzeug's HTTPException for a body that is too large or ends too early.
    """

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path = get_path_info(environ)

    def header(self, name: str) -> str | None:
        return self.environ.get("HTTP_" + name.upper().replace("-", "_"))

    @property
    def has_body(self) -> bool:
        return bool(get_content_length(self.environ))

    @cached_property
    def content_type(self) -> str:
        """Without its options, in lower case."""
        return parse_options_header(self.environ.get("CONTENT_TYPE"))[0].lower()

    @cached_property
    def query(self) -> Pairs:
        return _parse(self.environ.get("QUERY_STRING", "").encode("latin1"))

    @cached_property
    def form(self) -> Pairs:
        if self.content_type == URLENCODED:
            try:
                return _parse(get_input_stream(self.environ, max_content_length=LARGEST_REQUEST).read())
            except UnicodeDecodeError:
                return []
        return self._parts[0]

    @property
    def files(self) -> dict[str, SentFile]:
        return self._parts[1]

    @cached_property
    def _parts(self) -> tuple[Pairs, dict[str, SentFile]]:
        """What a form in parts has: its fields and its files."""
        if self.content_type != MULTIPART:
            return [], {}
        with FormRequest(self.environ) as request:
            request.max_content_length = LARGEST_UPLOAD if self.path == FILES_PATH else LARGEST_REQUEST
            request.max_form_memory_size = LARGEST_REQUEST
            files = {name: SentFile(sent.filename or "blob", sent.read()) for name, sent in request.files.items()}
            return list(request.form.items(multi=True)), files


class Answer:
    """A status, headers and a text."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status = status
        self.text = text
        self.body = text.encode()
        self.headers = {**headers, "Content-Length": str(len(self.body))}

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTP_STATUS_CODES[self.status].upper()}"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self.status_line, list(self.headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def _parse(text: bytes) -> Pairs:
    """Bytes that are no UTF-8 stay percent-encoded, by the error handler that werkzeug registers."""
    return parse_qsl(text.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
