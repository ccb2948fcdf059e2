"""What the store sends to PostgreSQL, as PostgreSQL's own log has it: counted, and made into a script for pgbench."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

SETTLES_AFTER = 0.15  # seconds without a new line in the log

_ENTRY = re.compile(r"<(\S*) (\d+)> (\w+):  (.*)", re.DOTALL)
_SENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_PARAMETERS = re.compile(r"parameters: (.*)", re.DOTALL | re.IGNORECASE)
_ARGUMENT = re.compile(r"\s*\$\d+ = ((?:[eE]?'(?:[^']|'')*'|[^,'])+)(?:,|$)", re.DOTALL)
_PART = re.compile(r"(?:[^;'\"]|'(?:[^']|'')*'|\"[^\"]*\")+")
_PREPARE = re.compile(r"PREPARE (\S+)", re.IGNORECASE)
_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION")
_PING = "SELECT 1"
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
        """Those that ask for something: neither the frame of a transaction nor a look whether the server is there.
        Several may be sent in one round trip.
        """
        asked = [part for text in self.texts for part in parts(text)]
        return sum(not is_frame(part) and part != _PING for part in asked)

    @property
    def frames(self) -> list[str]:
        """Where transactions begin and end."""
        return [each if is_frame(each) else "" for each in self.texts]

    @property
    def transactions(self) -> int:
        """Those that are begun in words, and the round trips of several statements, each of which is one."""
        begun = sum(each.upper().startswith(("BEGIN", "START TRANSACTION")) for each in self.texts)
        return begun + sum(not is_frame(each) and len(parts(each)) > 1 for each in self.texts)


def is_frame(statement: str) -> bool:
    return statement.upper().startswith(_FRAMES)


class StatementLog:
    """The log of a server with `log_statement = all` for one database, from now on."""

    def __init__(self, log: Path, database: str) -> None:
        self._log, self._database = log, database
        self._read = log.stat().st_size
        self.prepared: dict[str, str] = {}  # what was prepared so far, by its name

    def take(self) -> Sent:
        """What was sent since the last time, once it has come to rest."""
        size = -1
        while size != (size := self._log.stat().st_size):
            time.sleep(SETTLES_AFTER)
        with self._log.open("rb") as log:
            log.seek(self._read)
            new = log.read(size - self._read).decode("utf-8", "replace")
        self._read = size
        self.prepared |= prepared(new, self._database)
        return Sent(tuple(read(new, self._database)))


def read(log: str, database: str) -> list[str]:
    """What was sent to one database, by a log: a text for each round trip, with the parameters in their places.
    Settings of a new connection are left out, and what only prepares.
    """
    lasting = (
        "; ".join(part for part in parts(text) if not part.upper().startswith(_SETTINGS))
        for text in _sent(log, database)
    )
    return [text for text in lasting if text]


def prepared(log: str, database: str) -> dict[str, str]:
    """The statements that were prepared, by their names."""
    found = [part for text in _sent(log, database) for part in parts(text)]
    return {name[1]: part for part in found if (name := _PREPARE.match(part))}


def parts(text: str) -> list[str]:
    """The statements of one round trip."""
    return [part for found in _PART.findall(text) if (part := found.strip())]


def _sent(log: str, database: str) -> list[str]:
    found: list[str] = []
    for entry in re.split(r"\n(?!\t)", log):
        line = _ENTRY.match(entry.replace("\n\t", "\n"))
        if not line or line[1] != database:
            continue
        kind, said = line[3], line[4].strip("\n")
        if kind == "LOG" and (sent := _SENT.match(said)):
            found.append(sent[1])
        elif kind == "DETAIL" and found and (given := _PARAMETERS.match(said)):
            values = [value.strip() for value in _ARGUMENT.findall(given[1])]
            found[-1] = re.sub(r"\$(\d+)", lambda place: values[int(place[1]) - 1], found[-1])  # noqa: B023  # used at once
    return found
