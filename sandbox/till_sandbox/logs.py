"""Logs say what went wrong and hold no secret."""

import logging
import re
import traceback
from typing import Any

#: Keys, client secrets, webhook secrets and card numbers, wherever in a text.
_SECRETS = re.compile(
    r"\b(?:[spr]k_(?:test|live)|whsec|src_client_secret)_\w+|_secret_\w+|(?<![\w.])[0-9]{12,19}(?!\w)"
)
#: A query names the secret it carries, which may be malformed.
_IN_QUERIES = re.compile(r"((?:client_secret|key|number\]?)(?:=|%3D))[^&\s'\"]+", re.IGNORECASE)


def keep_secrets() -> None:
    """From now on nothing this process logs, through whatever logger, holds a secret."""
    usual = logging.getLogRecordFactory()

    def record(*args: Any, **more: Any) -> logging.LogRecord:
        made = usual(*args, **more)
        made.msg, made.args = redacted(made.getMessage()), ()
        if made.exc_info and made.exc_info[0] is not None:
            made.exc_text = redacted("".join(traceback.format_exception(*made.exc_info)).rstrip())
        return made

    logging.setLogRecordFactory(record)


def redacted(text: str) -> str:
    return _IN_QUERIES.sub(r"\1…", _SECRETS.sub("…", text))
