"""The letters that no mail server was there to take, for a developer to read. Not in live mode, nor with a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("dev_mail", __name__)

MOST = 100


@dataclass(frozen=True, slots=True)
class Letter:
    sent: datetime
    to: str
    subject: str
    body: str


@blueprint.get("/dev/mail")
def listing() -> ResponseReturnValue:
    """The newest letters."""
    letters = sorted(_letters(Path(current_app.config["MAIL_FILE_PATH"])), key=lambda letter: letter.sent, reverse=True)
    return render_template("dev_mail.html", letters=letters), 200


def _letters(folder: Path) -> Iterator[Letter]:
    """Flask-Mailman's file backend writes each letter to a file of its own, with a rule of dashes behind it."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[:MOST]:
        message = message_from_bytes(file.read_bytes().rstrip(b"-\n"), policy=default)
        if isinstance(message, EmailMessage):
            yield Letter(
                sent=parsedate_to_datetime(message["Date"]),
                to=message["To"],
                subject=message["Subject"],
                body=message.get_content().strip(),
            )
