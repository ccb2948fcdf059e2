"""What the store sends to PostgreSQL, as PostgreSQL's own log has it: counted, and made into a script for pgbench."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SETTLES_AFTER = 0.15  # seconds without a new line in the log

_ENTRY = re.compile(r"<(\S*) (\d+)> (\w+):  (.*)", re.DOTALL)
_SENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_PREPARED = re.compile(r"prepare: PREPARE \S+(?: \([^)]*\))? AS (.*)", re.DOTALL | re.IGNORECASE)
_EXECUTE = re.compile(r"EXECUTE [^\s(]+ *(?:\((.*)\))?;?\s*", re.DOTALL | re.IGNORECASE)
_PARAMETERS = re.compile(r"parameters: (.*)", re.DOTALL | re.IGNORECASE)
_ARGUMENT = re.compile(
    r"\s*((?:[eE]?'(?:[^'\\]|''|\\.)*'|[^,'(]|\((?:[^()']|'(?:[^']|'')*')*\))+)\s*(?:,|$)", re.DOTALL
)
_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION")
_PINGS = ("SELECT 1", "SELECT 1;", "")
_SETTINGS = ("SET ", "SHOW ", "DEALLOCATE", "PREPARE ")


@dataclass(frozen=True, slots=True)
class Sent:
    """Everything that was sent in one request of the web, each in a round trip of its own, in order."""

    texts: tuple[str, ...]

    @property
    def round_trips(self) -> int:
        return len(self.texts)

    @property
    def statements(self) -> int:
        """Those that ask for something: neither the frame of a transaction nor a look whether the server is there."""
        return sum(not is_frame(each) and each.strip() not in _PINGS for each in self.texts)

    @property
    def frames(self) -> list[str]:
        """Where transactions begin and end."""
        return [each if is_frame(each) else "" for each in self.texts]

    @property
    def transactions(self) -> int:
        return sum(each.upper().startswith(("BEGIN", "START TRANSACTION")) for each in self.texts)


def is_frame(statement: str) -> bool:
    return statement.upper().startswith(_FRAMES)


class StatementLog:
    """The log of a server with `log_statement = all` for one database, from now on."""

    def __init__(self, log: Path, database: str) -> None:
        self._log, self._database = log, database
        self._read = log.stat().st_size

    def take(self) -> Sent:
        """What was sent since the last time, once it has come to rest."""
        size = -1
        while size != (size := self._log.stat().st_size):
            time.sleep(SETTLES_AFTER)
        with self._log.open("rb") as log:
            log.seek(self._read)
            new = log.read(size - self._read).decode("utf-8", "replace")
        self._read = size
        return Sent(tuple(read(new, self._database)))


def read(log: str, database: str) -> list[str]:
    """The statements of one database in a log, with their parameters in their places; settings of a new connection
    and what only prepares are left out.
    """
    found: list[str] = []
    for entry in re.split(r"\n(?!\t)", log):
        parts = _ENTRY.match(entry.replace("\n\t", "\n"))
        if not parts or parts[1] != database:
            continue
        kind, said = parts[3], parts[4].strip("\n")
        if kind == "LOG" and (sent := _SENT.match(said)):
            found.append(sent[1])
        elif kind == "DETAIL" and found:
            found[-1] = _with_detail(found[-1], said)
    return [each for each in found if not each.upper().startswith(_SETTINGS)]


def _with_detail(statement: str, detail: str) -> str:
    prepared = _PREPARED.match(detail)
    call = _EXECUTE.fullmatch(statement)
    if prepared and call:
        return _filled(prepared[1], arguments(call[1] or ""))
    parameters = _PARAMETERS.match(detail)
    if parameters:
        values = [value.partition("=")[2].strip() for value in arguments(parameters[1])]
        return _filled(statement, values)
    return statement


def arguments(text: str) -> list[str]:
    """What stands between commas, where a comma in a quoted text or in brackets is none."""
    return [found[1].strip() for found in _ARGUMENT.finditer(text) if found[1].strip()]


def _filled(statement: str, values: Sequence[str]) -> str:
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1]) - 1], statement).rstrip(";")
