"""Sends what endpoints of other programs are told, and nothing to where an address of the internet must not lead.

The address is typed by somebody, and the name in it belongs to somebody else. So with live keys every number that the
name leads to has to be one of the internet, and the connection goes to one of those that were looked at: asked again,
the name might lead elsewhere. Redirects are not followed, little of an answer is read, and once the number is known all
of it has ten seconds.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from store.domain.errors import EndpointFault, EndpointUnreachable
from store.gateway.port import EndpointAnswer

SECONDS = 10.0
MOST_READ = 4096  # bytes of an answer
_NAT64 = ip_network("64:ff9b::/96")

# Gives the numbers of a host and a port, as `socket.getaddrinfo` does.
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Every number of a host. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class EndpointSender:
    """Posts to endpoints. With `live`, only to addresses of the internet."""

    def __init__(self, *, live: bool, resolve: Resolve = resolve, seconds: float = SECONDS) -> None:
        self._live, self._resolve, self._seconds = live, resolve, seconds

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Reads every certificate of this machine, so it is made when it is first used."""
        return ssl.create_default_context()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        """Send `body`, and return what was answered. Raises EndpointUnreachable."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        number = self._number(host, port)
        connection = _Connection(host, port, number, self._tls if secure else None, self._seconds)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        # However slowly somebody answers, byte by byte: after this the connection is closed.
        over = threading.Timer(self._seconds, connection.abort)
        over.daemon = True
        over.start()
        try:
            connection.request("POST", path, body, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            said = answer.read(MOST_READ)
            if connection.aborted:  # what was cut off looks like an end
                raise EndpointUnreachable(EndpointFault.TIME_OUT)
        except ssl.SSLCertVerificationError as failure:
            raise EndpointUnreachable(EndpointFault.CERTIFICATE) from failure
        except (OSError, HTTPException, ValueError) as failure:
            late = isinstance(failure, TimeoutError) or connection.aborted
            raise EndpointUnreachable(EndpointFault.TIME_OUT if late else EndpointFault.NO_ANSWER) from failure
        finally:
            over.cancel()
            connection.close()
        return EndpointAnswer(answer.status, said.decode("utf-8", "replace"))

    def _number(self, host: str, port: int) -> str:
        """A number of the host that may be asked. With live keys all of them have to be: one that must not be asked
        says that somebody means harm, or that the name is one of a private network.
        """
        try:
            numbers = self._resolve(host, port)
        except (OSError, UnicodeError) as failure:
            raise EndpointUnreachable(EndpointFault.UNKNOWN_HOST) from failure
        if not numbers:
            raise EndpointUnreachable(EndpointFault.UNKNOWN_HOST)
        if self._live and not all(map(_is_of_the_internet, numbers)):
            raise EndpointUnreachable(EndpointFault.PRIVATE_ADDRESS)
        return numbers[0]


def _is_of_the_internet(number: str) -> bool:
    """Neither of a private network nor of this machine, also where it is one of those in another spelling."""
    try:
        address = ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if address.version == 6:
        within = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if within is not None and not _is_of_the_internet(str(within)):
            return False
        if address in _NAT64 and not _is_of_the_internet(str(ip_address(int(address) & 0xFFFFFFFF))):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Connection(HTTPConnection):
    """A connection to `number`, which speaks to it as `host`."""

    def __init__(self, host: str, port: int, number: str, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._number, self._tls = number, tls
        self.aborted = False
        if tls is not None:
            self.default_port = 443  # which the header Host leaves out

    def connect(self) -> None:
        self.sock = socket.create_connection((self._number, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def abort(self) -> None:
        """Have whoever reads or writes fail."""
        self.aborted = True
        sock: Any = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
