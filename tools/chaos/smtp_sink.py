"""A mail server that keeps the headers of every email it accepts, and sometimes refuses one."""

from __future__ import annotations

import email
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass
from random import Random

_REFUSES = 0.03  # of the emails


@dataclass(frozen=True, slots=True)
class Delivered:
    """An email that was accepted: its recipient, subject and Message-ID."""

    to: str
    subject: str
    message_id: str


class SmtpSink(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as smtplib needs, on a free port. `refusing` is whether some emails are refused."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port: int = self.server_address[1]
        self.emails: list[Delivered] = []
        self.refused = 0
        self.refusing = True
        self._dice = Random(f"{seed} emails")
        self._lock = threading.Lock()

    def open(self) -> None:
        threading.Thread(target=self.serve_forever, name="smtp-sink", daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def refuses(self) -> bool:
        """Whether the next email is refused."""
        with self._lock:
            refused = self.refusing and self._dice.random() < _REFUSES
            self.refused += refused
            return refused

    def keep(self, text: bytes) -> None:
        message = email.message_from_bytes(text)
        with self._lock:
            self.emails.append(Delivered(message["To"], message["Subject"], message["Message-ID"]))


class _Conversation(socketserver.StreamRequestHandler):
    """RFC 5321, the commands of one client."""

    server: SmtpSink

    def handle(self) -> None:
        with suppress(ConnectionError):  # a worker that was killed does not close its connection
            self._converse()

    def _converse(self) -> None:
        self._say("220 smtp-sink")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"QUIT":
                self._say("221 bye")
                return
            if command == b"MAIL" and self.server.refuses():
                self._say("451 not now")
            elif command == b"DATA":
                self._take()
            else:
                self._say("250 ok")

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if line:
            self.server.keep(b"".join(lines))
            self._say("250 taken")

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())
