"""pgbench runs the very statements that the store sends for one paying webhook, each transaction for another order.

The store's statements are captured for two orders. What differs is the order's number, the number of its product, and
what is made anew each time: a moment, which may stay, and random names, which get the order's number instead.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from tools.benchmark.numbering import PRODUCTS, product_of
from tools.benchmark.statements import parts
from tools.postgres import PostgresServer

THREADS = 2
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_WORD = re.compile(r"[0-9A-Za-z_:.+-]{8,}")  # a moment, or a name that is long enough to be a random one
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.+-]+)?|\d\d:\d\d:[\d.+]+")
_RATE = re.compile(r"tps = ([\d.]+) \(without")
_DONE = re.compile(r"transactions actually processed: (\d+)")


class PgbenchFailed(Exception):
    """There is no pgbench, or it did not run the script; the message says why."""


@dataclass(frozen=True, slots=True)
class Script:
    """Round trips with `:order_number` and `:product_number` in them, and what each client prepares at first."""

    round_trips: tuple[str, ...]
    prepared: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [
            "\\set counter :counter + 1",
            "\\set order_number :first + :client_id * :share + :counter",
            f"\\set product_number {PRODUCTS[0]} + :order_number % {len(PRODUCTS)}",
        ]
        if self.prepared:
            lines += ["\\if :counter = 0", *(f"{statement};" for statement in self.prepared), "\\endif"]
        # Statements with \; between them go in one round trip, as one transaction.
        return "\n".join([*lines, *(" \\;\n".join(parts(text)) + ";" for text in self.round_trips), ""])


def script_of(
    captured: Sequence[str], order: int, again: Sequence[str], other: int, prepared: Mapping[str, str] | None = None
) -> Script:
    """The script from what was sent for two orders. Raises PgbenchFailed where they differ in more than is known."""
    if len(captured) != len(again):
        raise PgbenchFailed(f"The webhooks of two orders sent {len(captured)} and {len(again)} statements.")
    pairs = zip([_general(each, order) for each in captured], [_general(each, other) for each in again], strict=True)
    merged = tuple(_merged(first, second) for first, second in pairs)
    used = (text for name, text in (prepared or {}).items() if any(re.search(rf"\b{name}\b", each) for each in merged))
    return Script(merged, tuple(used))


def run(
    server: PostgresServer, url: str, script: Script, folder: Path, *, first: int, clients: int, each: int
) -> float:
    """Transactions per second, when each client pays `each` orders, from `first` on. Raises PgbenchFailed."""
    file = folder / "webhook.sql"
    file.write_text(script.text(), "utf-8")
    program = server.program("pgbench")
    if not program.exists():
        raise PgbenchFailed(f"There is no pgbench beside this PostgreSQL ({program}).")
    command = [str(program), "--no-vacuum", f"--client={clients}", f"--jobs={min(THREADS, clients)}"]
    command += [f"--transactions={each}", f"--file={file}", f"--host={server.folder}", "--username=postgres"]
    command += [f"--define=first={first}", f"--define=share={each}", "--define=counter=-1"]
    done = subprocess.run([*command, str(make_url(url).database)], capture_output=True, text=True, check=False)
    rate, processed = _RATE.search(done.stdout), _DONE.search(done.stdout)
    if done.returncode or not rate or not processed or int(processed[1]) != clients * each:
        raise PgbenchFailed(f"pgbench did not run the statements:\n{done.stderr[-2000:]}")
    return float(rate[1])


def _general(statement: str, order: int) -> str:
    text = re.sub(rf"{order}\b", ":order_number", statement)
    return re.sub(rf"\b{product_of(order)}\b", ":product_number", text)


def _merged(first: str, second: str) -> str:
    """One statement from two that were sent for different orders."""
    if first == second:
        return first
    if _LITERAL.sub("''", first) != _LITERAL.sub("''", second):
        raise PgbenchFailed(f"A statement differs from order to order:\n{first}\n{second}")
    others = iter(_LITERAL.findall(second))
    return _LITERAL.sub(lambda found: _merged_literal(found[0], next(others)), first)


def _merged_literal(first: str, second: str) -> str:
    others = iter(_WORD.findall(second))
    return _WORD.sub(lambda found: _merged_word(found[0], next(others, "")), first)


def _merged_word(first: str, second: str) -> str:
    return first if first == second or _MOMENT.fullmatch(first) else "benchmark:order_number"
