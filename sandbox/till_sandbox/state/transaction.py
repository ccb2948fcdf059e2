"""Everything one request (or one thing that happens by itself) reads and writes."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from till_sandbox.errors import ApiError, missing_object
from till_sandbox.json_text import compact, parse
from till_sandbox.state.names import stored_name
from till_sandbox.state.resource import Resource

#: How Stripe's sentences call an object where it is not by its `object` name.
DISPLAY_NAMES = {
    "file": "file upload",
    "item": "line item",
    "setup_intent": "setupintent",
    "balance_transaction": "balance transaction",
    "payment_method": "PaymentMethod",
    "promotion_code": "promotion code",
    "shipping_rate": "shipping rate",
    "tax.calculation": "tax calculation",
    "tax.calculation_line_item": "line item",
    "tax.registration": "tax registration",
    "tax.transaction": "tax transaction",
    "tax.transaction_line_item": "line item",
    "tax_rate": "tax rate",
    "test_helpers.test_clock": "test clock",
    "webhook_endpoint": "webhook endpoint",
}


class Cause(NamedTuple):
    """Which request made something happen; both None when it happened by itself."""

    request: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Page:
    """A part of a list, newest first."""

    data: list[Resource]
    has_more: bool


class Transaction:
    """Objects of one account, as of now. Get one from `State.read` or `State.write`.

    An object is loaded once: whoever asks for it again gets the same one, with what was changed about it. What is
    written goes to the database together, when it is looked for there or when the transaction ends.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        account: str,
        now: float,
        cause: Cause,
        public_url: str,
        followers: Mapping[str, Any],
    ) -> None:
        self._connection = connection
        self.followers = followers
        self.account = account
        self.exact_now = now
        self.cause = cause
        self.public_url = public_url
        self._loaded: dict[str, Resource] = {}
        self._new: dict[str, Resource] = {}
        self._changed: dict[str, Resource] = {}
        self._scheduled: list[tuple[Any, ...]] = []
        self._in_operation = self._has_savepoint = False
        self.emitted: list[tuple[str, str]] = []  # id and type of each event so far
        self._endpoints: list[Resource] | None = None

    @property
    def now(self) -> int:
        """Whole seconds since 1970, as Stripe's timestamps are."""
        return int(self.exact_now)

    def find(self, kind: str, object_id: str) -> Resource | None:
        """The object, or None if this account has none such (or it was deleted)."""
        object_id = stored_name(self.account, kind, object_id)
        found = self._loaded.get(object_id)
        if found is None:
            row = self._connection.execute(
                "SELECT body, private FROM objects WHERE id = ? AND account = ? AND kind = ? AND NOT deleted",
                (object_id, self.account, kind),
            ).fetchone()
            if row is None:
                return None
            found = self._loaded[object_id] = _resource(row)
        return found if found.kind == kind else None

    def get(self, kind: str, object_id: str, *, param: str = "id", status: int = 404) -> Resource:
        """The object; Stripe's "No such …" error if there is none."""
        found = self.find(kind, object_id)
        if found is None:
            raise missing_object(DISPLAY_NAMES.get(kind, kind), object_id, param, status=status)
        return found

    def was_deleted(self, kind: str, object_id: str) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM objects WHERE id = ? AND account = ? AND kind = ? AND deleted",
            (stored_name(self.account, kind, object_id), self.account, kind),
        ).fetchone()
        return row is not None

    def insert(self, resource: Resource) -> Resource:
        self._new[resource.id] = self._loaded[resource.id] = resource
        return resource

    def save(self, resource: Resource) -> Resource:
        if resource.id not in self._new:
            self._changed[resource.id] = self._loaded[resource.id] = resource
        return resource

    def delete(self, resource: Resource) -> None:
        """Gone for `get`, `find` and lists; its id still works as a cursor."""
        self.flush()
        self._before_write()
        self._loaded.pop(resource.id, None)
        self._connection.execute("UPDATE objects SET deleted = 1 WHERE id = ?", (resource.id,))

    def flush(self) -> None:
        """Send what was written to the database, where the transaction's own queries find it."""
        self._flush_scheduled()
        if self._new:
            self._before_write()
            rows = [
                (it.id, self.account, it.kind, it.get("created", self.now), *_columns(it)) for it in self._new.values()
            ]
            self._new.clear()
            self._connection.executemany(_INSERT, rows)
        if self._changed:
            self._before_write()
            changes = [(*_columns(it), it.id) for it in self._changed.values()]
            self._changed.clear()
            self._connection.executemany(_UPDATE, changes)

    def begin_operation(self) -> None:
        """From here on `undo_operation` takes everything back."""
        self.flush()
        self._in_operation = True

    def end_operation(self) -> None:
        """It is done, and nothing takes it back any more but the failure of the transaction."""
        self._in_operation = False
        if self._has_savepoint:
            self._connection.execute("RELEASE operation")
            self._has_savepoint = False

    def undo_operation(self) -> None:
        """Nothing of the operation has happened: objects are as they were before it, also those already loaded."""
        if self._has_savepoint:
            self._connection.execute("ROLLBACK TO operation")
        for kept in (self._loaded, self._new, self._changed, self._scheduled, self.emitted):
            kept.clear()
        self._endpoints = None
        self.end_operation()

    def all(self, kind: str, **equal: Any) -> list[Resource]:
        """Every object of a kind whose top-level fields have these values, newest first."""
        self._flush_kind(kind)
        where, values = _conditions(equal, {})
        rows = self._connection.execute(
            "SELECT id, body, private FROM objects "  # noqa: S608  # only our own words and ? are put in
            f"WHERE account = ? AND kind = ? AND NOT deleted{where} ORDER BY seq DESC",
            (self.account, kind, *values),
        )
        return [self._known(row) for row in rows]

    def page(
        self,
        kind: str,
        *,
        limit: int = 10,
        starting_after: str | None = None,
        ending_before: str | None = None,
        equal: Mapping[str, Any] | None = None,
        created: Mapping[str, int] | None = None,
        also: tuple[str, tuple[Any, ...]] = ("", ()),
    ) -> Page:
        """One page of a list. `also` is a further condition in SQL with its values."""
        self._flush_kind(kind)
        where, values = _conditions(equal or {}, created or {})
        where, values = where + also[0], [*values, *also[1]]
        order = "DESC" if ending_before is None else "ASC"
        if starting_after is not None:
            where += " AND seq < ?"
            values.append(self._position(kind, starting_after, "starting_after"))
        if ending_before is not None:
            where += " AND seq > ?"
            values.append(self._position(kind, ending_before, "ending_before"))
        if starting_after is not None and ending_before is not None:
            raise ApiError("Received both starting_after and ending_before parameters. Please pass in only one.")
        rows = self._connection.execute(
            "SELECT id, body, private FROM objects "  # noqa: S608  # only our own words and ? are put in
            f"WHERE account = ? AND kind = ? AND NOT deleted{where} ORDER BY seq {order} LIMIT ?",
            (self.account, kind, *values, limit + 1),
        ).fetchall()
        data = [self._known(row) for row in rows[:limit]]
        if order == "ASC":
            data.reverse()
        return Page(data, has_more=len(rows) > limit)

    def count(self, kind: str, *, also: tuple[str, tuple[Any, ...]]) -> int:
        """How many objects of a kind there are with a further condition in SQL."""
        self._flush_kind(kind)
        row = self._connection.execute(
            "SELECT count(*) AS number FROM objects "  # noqa: S608  # only our own words and ? are put in
            f"WHERE account = ? AND kind = ? AND NOT deleted{also[0]}",
            (self.account, kind, *also[1]),
        ).fetchone()
        return int(row["number"])

    def enabled_endpoints(self) -> list[Resource]:
        """The account's enabled webhook endpoints, looked up once however many events there are."""
        if self._endpoints is None:
            self._endpoints = self.all("webhook_endpoint", status="enabled")
        return self._endpoints

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """SQL on any table."""
        self.flush()
        self._before_write()
        return self._connection.execute(sql, values)

    def execute_beside(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """SQL on the tables beside the objects (deliveries, answers, scheduled things, faults) alone."""
        self._flush_scheduled()
        self._before_write()
        return self._connection.execute(sql, values)

    def schedule(self, action: str, subject: str, *, after: float, **detail: Any) -> None:
        """Have `action` (a name in `till_sandbox.model.schedule`) done to the object `subject` after some seconds."""
        self.schedule_at(self.exact_now + after, action, subject, **detail)

    def schedule_at(self, due_at: float, action: str, subject: str, *, clock: str | None = None, **detail: Any) -> None:
        """The same at a time of the test clock, or of the sandbox."""
        self._scheduled.append((self.account, due_at, action, subject, compact(detail), clock))

    def _before_write(self) -> None:
        """An operation is undone by forgetting it until it writes to the database: only then it needs a savepoint."""
        if self._in_operation and not self._has_savepoint:
            self._connection.execute("SAVEPOINT operation")
            self._has_savepoint = True

    def _flush_scheduled(self) -> None:
        if self._scheduled:
            self._before_write()
            self._connection.executemany(_SCHEDULE, self._scheduled)
            self._scheduled.clear()

    def _flush_kind(self, kind: str) -> None:
        """Before objects of a kind are looked for: only what was written of that kind matters."""
        if any(it.kind == kind for waiting in (self._new, self._changed) for it in waiting.values()):
            self.flush()

    def _known(self, row: sqlite3.Row) -> Resource:
        """The object of a row; if it is loaded already, that one."""
        return self._loaded.get(row["id"]) or self._loaded.setdefault(row["id"], _resource(row))

    def _position(self, kind: str, object_id: str, param: str) -> int:
        self._flush_kind(kind)
        row = self._connection.execute(
            "SELECT seq FROM objects WHERE id = ? AND account = ? AND kind = ?",
            (stored_name(self.account, kind, object_id), self.account, kind),
        ).fetchone()
        if row is None:
            raise missing_object(DISPLAY_NAMES.get(kind, kind), object_id, param, status=400)
        return int(row["seq"])


#: The columns that repeat what objects are looked up by.
_REFERENCES = ("customer", "payment_intent", "charge")

_INSERT = (
    "INSERT INTO objects (id, account, kind, created, customer, payment_intent, charge, body, private) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SCHEDULE = "INSERT INTO scheduled (account, due_at, action, subject, detail, clock) VALUES (?, ?, ?, ?, ?, ?)"
_UPDATE = "UPDATE objects SET customer = ?, payment_intent = ?, charge = ?, body = ?, private = ? WHERE id = ?"


def _columns(resource: Resource) -> tuple[str | None, str | None, str | None, str, str]:
    customer, payment_intent, charge = map(resource.get, _REFERENCES)
    return customer, payment_intent, charge, resource.text or compact(resource), compact(resource.private)


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(parse(row["body"]), parse(row["private"]))


_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _conditions(equal: Mapping[str, Any], created: Mapping[str, int]) -> tuple[str, list[Any]]:
    where, values = "", []
    for name, value in equal.items():
        if not name.replace("_", "").replace(".", "").isalpha():
            raise ApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        where += f" AND {name} = ?" if name in _REFERENCES else f" AND json_extract(body, '$.{name}') = ?"
        values.append(value)
    for name, limit in created.items():
        where += f" AND created {_COMPARISONS[name]} ?"
        values.append(limit)
    return where, values
