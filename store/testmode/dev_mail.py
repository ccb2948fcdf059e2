"""The e-mails in the folder, for a developer to read. Not served with live keys, nor where a mail server is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("dev_mail", __name__)

MOST = 100


@dataclass(frozen=True, slots=True)
class SavedEmail:
    sent: datetime
    to: str
    subject: str
    body: str


@blueprint.get("/dev/mail")
def listing() -> ResponseReturnValue:
    """The newest e-mails."""
    emails = sorted(_read(Path(current_app.config["MAIL_FILE_PATH"])), key=lambda email: email.sent, reverse=True)
    return render_template("dev_mail.html", emails=emails), 200


def _read(folder: Path) -> Iterator[SavedEmail]:
    """The mailer writes each e-mail to a file of its own. One that is none, or is gone when it is read, is left out."""
    for file in sorted(folder.glob("*.log"), key=_changed, reverse=True)[:MOST]:
        try:
            email = _email(file.read_bytes())
        except OSError:
            continue
        if email is not None:
            yield email


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _email(content: bytes) -> SavedEmail | None:
    message = message_from_bytes(content, policy=default)
    date = message["Date"]
    if date is None or date.datetime is None:
        return None
    if message.get_content_type() != "text/plain" or "To" not in message or "Subject" not in message:
        return None
    try:
        body = message.get_content()
    except LookupError:  # of a character set that nobody knows
        return None
    return SavedEmail(sent=_aware(date.datetime), to=message["To"], subject=message["Subject"], body=body.strip())


def _aware(time: datetime) -> datetime:
    """RFC 5322 writes -0000 for a time in UTC that says nothing of the place, and Python reads it as without a zone."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
