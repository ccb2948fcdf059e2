"""Mail through an SMTP server, or, while no server is set, into a folder where a developer can read it.

Python's own `smtplib` and `email` do the work.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from pathlib import Path

import structlog

from store.domain.errors import MailRefused, MailUnavailable
from store.gateway.port import Email, MailServerProblem

log = structlog.get_logger(__name__)

TIMEOUT = 10  # seconds for each answer of the server
TLS_PORT = 465  # on which a server speaks TLS before it says anything (RFC 8314)
LONGEST_LINE = 998  # bytes of a line that a server must take (RFC 5322)

# Gives the text of a mail: the name of its template and what is put into it. The first line is the subject.
Render = Callable[[str, Mapping[str, object]], str]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. With `use_tls` the connection is encrypted by STARTTLS or not used; with
    `tls_from_the_start`, by default on port 465, it is encrypted before anything is said. Without a `username` nobody
    logs in.
    """

    host: str
    port: int
    username: str = ""
    password: str = ""
    use_tls: bool = True
    tls_from_the_start: bool | None = None

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


class SmtpMailer:
    """Writes mails from `templates/mail/<kind>.txt` and hands them to `server`."""

    def __init__(self, server: MailServer, sender: str, render: Render) -> None:
        self._server, self._sender, self._render = server, sender, render

    def send(self, email: Email) -> None:
        message = compose(email, self._sender, self._render)
        try:
            with _logged_in(self._server) as connection:
                _hand_over(connection, message)
        except MailRefused:
            log.warning("mail was refused for good", kind=email.kind)
            raise
        except (smtplib.SMTPException, OSError, UnicodeError) as failure:
            log.warning("mail was not taken", kind=email.kind, failure=type(failure).__name__)
            raise MailUnavailable from failure

    def check(self) -> MailServerProblem | None:
        try:
            with _logged_in(self._server):
                return None
        except smtplib.SMTPAuthenticationError:
            return MailServerProblem.LOGIN_REFUSED
        except smtplib.SMTPNotSupportedError as failure:
            return MailServerProblem.NO_TLS if "STARTTLS" in str(failure) else MailServerProblem.NO_LOGIN
        except UnicodeError:
            return MailServerProblem.LOGIN_REFUSED
        except ssl.SSLCertVerificationError:
            return MailServerProblem.CERTIFICATE
        except ssl.SSLError:
            return MailServerProblem.NO_TLS
        except (smtplib.SMTPException, OSError):
            return MailServerProblem.NO_ANSWER


class FolderMailer:
    """Writes mails from `templates/mail/<kind>.txt` into a folder, a file for each."""

    def __init__(self, folder: Path, sender: str, render: Render) -> None:
        self._folder, self._sender, self._render = folder, sender, render

    def send(self, email: Email) -> None:
        message = compose(email, self._sender, self._render)
        try:
            put(message.as_bytes(), self._folder, email.message_id.strip("<>"))
        except OSError as failure:
            log.warning("mail was not written", kind=email.kind, failure=type(failure).__name__)
            raise MailUnavailable from failure

    def check(self) -> None:
        """A folder needs no login."""


def compose(email: Email, sender: str, render: Render) -> EmailMessage:
    """The mail as it goes over the wire. Raises ValueError for an address or a subject that no header takes."""
    subject, _, body = render(f"mail/{email.kind}.txt", email.facts).partition("\n")
    message = EmailMessage(SMTP)
    message["Subject"] = subject.strip()
    message["From"] = sender
    message["To"] = _with_ascii_domain(email.to)
    message["Date"] = localtime()
    message["Message-ID"] = email.message_id
    text = body.strip() + "\n"
    longest = max(len(line.encode()) for line in text.splitlines())
    plain = "7bit" if text.isascii() else "8bit"
    message.set_content(text, cte=plain if longest <= LONGEST_LINE else "quoted-printable")
    return message


def put(content: bytes, folder: Path, name: str) -> None:
    """Write the file `name`.log. Who reads the folder sees it whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.replace(folder / f"{name}.log")


@contextmanager
def _logged_in(server: MailServer) -> Iterator[smtplib.SMTP]:
    encrypted = ssl.create_default_context()
    from_the_start = server.tls_from_the_start
    if from_the_start is None:
        from_the_start = server.port == TLS_PORT
    if from_the_start:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=encrypted)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        connection.ehlo()
        if server.use_tls and not from_the_start:
            connection.starttls(context=encrypted)
        if server.username:
            connection.login(server.username, server.password)
        yield connection
    finally:
        with suppress(smtplib.SMTPException, OSError):  # the mail was taken before
            connection.quit()


def _hand_over(connection: smtplib.SMTP, message: EmailMessage) -> None:
    """Raises MailRefused for a mail that this server will never take, SMTPException for one that it may take later."""
    try:
        connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as refusal:
        if all(code >= 500 for code, _ in refusal.recipients.values()):
            raise MailRefused from refusal
        raise
    except smtplib.SMTPDataError as refusal:
        if refusal.smtp_code >= 500:
            raise MailRefused from refusal
        raise
    except smtplib.SMTPNotSupportedError as refusal:  # the address needs SMTPUTF8
        raise MailRefused from refusal


def _with_ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"
