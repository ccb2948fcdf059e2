"""The postman: letters over SMTP, or, while no mail server is set, into a folder where a developer can read them."""

from __future__ import annotations

from pathlib import Path
from smtplib import SMTPException

import structlog
from flask import Flask
from flask_mailman import EmailMessage, Mail

from store.domain.errors import MailUnavailable
from store.gateway.port import Email

log = structlog.get_logger(__name__)


class SmtpMailer:
    """Writes letters from `templates/mail/<kind>.txt`, whose first line is the subject; Flask-Mailman sends them.

    The application's MAIL_… settings say how. With the `file` backend each letter is a file in MAIL_FILE_PATH.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._folder = Path(app.config["MAIL_FILE_PATH"]) if app.config["MAIL_BACKEND"] == "file" else None
        Mail(app)

    def send(self, email: Email) -> None:
        with self._app.app_context():
            text = self._app.jinja_env.get_template(f"mail/{email.kind}.txt").render(email.facts)
            subject, _, body = text.partition("\n")
            message = EmailMessage(
                subject.strip(), body.strip() + "\n", to=[email.to], headers={"Message-ID": email.message_id}
            )
            try:
                if self._folder is None:
                    message.send()
                else:
                    put(message.message().as_bytes(), self._folder, email.message_id.strip("<>"))
            except (SMTPException, OSError) as failure:
                log.warning("mail server did not take a letter", kind=email.kind, failure=type(failure).__name__)
                raise MailUnavailable from failure


def put(content: bytes, folder: Path, name: str) -> None:
    """Make the file `name`.log, which whoever reads the folder sees whole or not at all: Flask-Mailman's own backend
    would fill it in front of everybody.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.replace(folder / f"{name}.log")
