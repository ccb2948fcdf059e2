"""A mail server on this machine that speaks SMTP as a test sets it up: with TLS or without, with a login or without."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from enum import Enum, auto
from pathlib import Path
from typing import Any

# A certificate of its own for `localhost`, with its key. A client trusts it only with SSL_CERT_FILE.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Encryption(Enum):
    NONE = auto()
    STARTTLS = auto()
    FROM_THE_START = auto()


@dataclass
class SmtpServer:
    """Takes mail from who logs in as `login`, or from anybody; `replies` are its answers to commands, where they are
    not "250 ok".
    """

    encryption: Encryption = Encryption.NONE
    login: tuple[str, str] | None = None
    replies: dict[str, str] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> SmtpServer:
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, settings: SmtpServer) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.settings = settings


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):  # the client went away, or does not trust the certificate
            self._converse()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def _converse(self) -> None:
        settings = self.server.settings
        encrypted = settings.encryption is Encryption.FROM_THE_START
        if encrypted:
            self._encrypt()
        self._say("220 localhost")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            command = line.upper().partition(" ")[0]
            if command in settings.replies:
                self._say(settings.replies[command])
            elif command == "EHLO":
                offers = ["STARTTLS"] * (settings.encryption is Encryption.STARTTLS and not encrypted)
                offers += ["AUTH PLAIN"] * (settings.login is not None)
                lines = ["localhost", *offers]
                for offer in lines[:-1]:
                    self._say(f"250-{offer}")
                self._say(f"250 {lines[-1]}")
            elif command == "STARTTLS":
                self._say("220 go ahead")
                self._encrypt()
                encrypted = True
            elif command == "AUTH":
                user, password = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
                self._say("235 welcome" if (user, password) == settings.login else "535 who are you?")
            elif command == "DATA":
                self._take()
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message: Any = BytesParser(policy=default).parsebytes(b"".join(lines))
        self.server.settings.taken.append(message)
        self._say("250 taken")

    def _encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.request = self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
