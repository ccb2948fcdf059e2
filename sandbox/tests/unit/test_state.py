"""Transactions: what one request does is done whole or not at all, however many do something at once."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Event

import pytest

from till_sandbox.state import Resource, State
from till_sandbox.state.database import WORTH_COPYING
from till_sandbox.state.writer import Writer

ACCOUNT = "acct_1"

#: The tables that objects were kept in before version 1, as far as they changed since.
OLDER = """
    CREATE TABLE objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
        kind TEXT NOT NULL, created INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL,
        private TEXT NOT NULL);
    CREATE INDEX objects_kind ON objects (account, kind, seq);
    CREATE INDEX objects_customer ON objects (json_extract(body, '$.customer'));
    CREATE INDEX objects_payment_intent ON objects (json_extract(body, '$.payment_intent'));
    CREATE INDEX objects_charge ON objects (json_extract(body, '$.charge'));
    CREATE TABLE scheduled (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, due_at REAL NOT NULL,
        action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL);
    CREATE INDEX scheduled_due ON scheduled (due_at);
    INSERT INTO objects (id, account, kind, created, body, private) VALUES
        ('ch_1', 'acct_1', 'charge', 5, '{"id":"ch_1","object":"charge","payment_intent":"pi_1"}', '{}'),
        ('re_1', 'acct_1', 'refund', 6, '{"id":"re_1","object":"refund","charge":"ch_1"}', '{}');
    INSERT INTO scheduled (account, due_at, action, subject, detail)
        VALUES ('acct_1', 7, 'settle_charge', 'ch_1', '{}');
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "sandbox.sqlite3")) as state:
        yield state


def note(name: str, **fields: object) -> Resource:
    return Resource({"id": name, "object": "note", **fields})


def test_a_file_of_an_older_version_keeps_all_that_is_in_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "older.sqlite3")) as connection:
        connection.executescript(OLDER)

    for _ in range(2):  # the second time it is changed already
        with closing(State(tmp_path / "older.sqlite3")) as state, state.read(ACCOUNT) as tx:
            assert [it.id for it in tx.all("charge", payment_intent="pi_1")] == ["ch_1"]
            assert [it.id for it in tx.all("refund", charge="ch_1")] == ["re_1"]
            assert [tuple(row) for row in tx.execute("SELECT action, clock FROM scheduled")] == [("book_charge", None)]


def test_an_object_is_found_as_it_was_left_in_the_same_transaction(state: State) -> None:
    with state.write(ACCOUNT) as tx:
        made = tx.insert(note("n_1", customer="cus_1", text="a"))
        made["text"] = "b"
        tx.save(made)

        assert tx.get("note", "n_1") is made
        assert [it["text"] for it in tx.all("note", customer="cus_1")] == ["b"]
        assert tx.find("letter", "n_1") is None

    with state.read(ACCOUNT) as tx:
        assert tx.get("note", "n_1")["text"] == "b"


def test_an_operation_that_is_undone_leaves_nothing_behind(state: State) -> None:
    with state.write(ACCOUNT) as tx:
        tx.insert(note("n_1", text="a"))
    with state.write(ACCOUNT) as tx:
        tx.begin_operation()
        changed = tx.get("note", "n_1")
        changed["text"] = "b"
        tx.save(changed)
        tx.insert(note("n_2"))
        tx.flush()
        tx.undo_operation()
        assert tx.get("note", "n_1")["text"] == "a"
        tx.insert(note("n_3"))

    with state.read(ACCOUNT) as tx:
        assert [(it.id, it.get("text")) for it in tx.all("note")] == [("n_3", None), ("n_1", "a")]


def test_an_operation_that_has_written_nothing_yet_is_undone_too(state: State) -> None:
    with state.write(ACCOUNT) as tx:
        tx.insert(note("n_1", text="a"))
    with state.write(ACCOUNT) as tx:
        tx.insert(note("n_2"))
        tx.begin_operation()
        tx.save(tx.get("note", "n_1"))["text"] = "b"
        tx.insert(note("n_3"))
        tx.schedule("notify", "n_3", after=0)
        tx.undo_operation()

    with state.read(ACCOUNT) as tx:
        assert [(it.id, it.get("text")) for it in tx.all("note")] == [("n_2", None), ("n_1", "a")]
        assert tx.execute("SELECT * FROM scheduled").fetchall() == []


def test_what_a_failing_writer_wrote_is_in_nobodys_commit(state: State) -> None:
    def fail() -> None:
        with state.write(ACCOUNT) as tx:
            tx.insert(note("n_1"))
            tx.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with state.write(ACCOUNT) as tx:
        tx.insert(note("n_2"))

    with state.read(ACCOUNT) as tx:
        assert [it.id for it in tx.all("note")] == ["n_2"]


def test_of_writers_that_come_together_one_fails_alone(state: State) -> None:
    start = Barrier(12)

    def write(number: int) -> None:
        start.wait(timeout=30)
        with state.write(ACCOUNT) as tx:
            tx.insert(note(f"n_{number}"))
            tx.flush()
            if number == 5:
                raise KeyError(number)

    with ThreadPoolExecutor(12) as pool:
        failures = [done.exception() for done in [pool.submit(write, number) for number in range(12)]]

    assert [type(failure) for failure in failures if failure] == [KeyError]
    with state.read(ACCOUNT) as tx:
        assert sorted(it.id for it in tx.all("note")) == sorted(f"n_{number}" for number in range(12) if number != 5)


def test_a_writer_returns_only_when_its_work_is_on_disk(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE notes (text TEXT)")
    other = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None, check_same_thread=False)
    writer, inside, go_on = Writer(connection), Event(), Event()
    seen: list[int] = []

    def write(first: bool) -> None:
        with writer.write() as writing:
            writing.execute("INSERT INTO notes VALUES ('a')")
            if first:
                inside.set()
                go_on.wait(timeout=30)
        seen.append(other.execute("SELECT count(*) FROM notes").fetchone()[0])

    with closing(connection), closing(other), ThreadPoolExecutor(2) as pool:
        slow = pool.submit(write, True)
        inside.wait(timeout=30)
        fast = pool.submit(write, False)
        while not writer.waiting:
            go_on.wait(timeout=0.01)  # until the second one is on its way
        go_on.set()
        slow.result(timeout=30)
        fast.result(timeout=30)

        assert seen == [2, 2], "both were committed together, before either returned"


def test_a_commit_that_fails_is_told_to_everybody_whose_work_is_lost(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); "
        "CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);"
    )
    writer = Writer(connection)

    with closing(connection):
        with pytest.raises(sqlite3.IntegrityError), writer.write() as writing:
            writing.execute("INSERT INTO b VALUES (7)")
        with writer.write() as writing:
            writing.execute("INSERT INTO a VALUES (1)")

        assert connection.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone() == (1, 0)


def test_what_many_transactions_wrote_is_copied_into_the_file(state: State, tmp_path: Path) -> None:
    for number in range(WORTH_COPYING):
        with state.write(ACCOUNT) as tx:
            tx.insert(note(f"n_{number}"))
    copy = tmp_path / "without_the_log.sqlite3"

    state.copy_log()

    copy.write_bytes(Path(state.database).read_bytes())
    with closing(State(copy)) as copied, copied.read(ACCOUNT) as tx:
        assert len(tx.all("note")) == WORTH_COPYING


def test_closing_waits_for_a_transaction_that_is_open(tmp_path: Path) -> None:
    state = State(tmp_path / "sandbox.sqlite3")
    reading, go_on = Event(), Event()

    def read() -> int:
        with state.read("") as tx:
            reading.set()
            assert go_on.wait(timeout=30)
            return int(tx.execute("SELECT 7 AS number").fetchone()["number"])

    with ThreadPoolExecutor(2) as pool:
        found = pool.submit(read)
        assert reading.wait(timeout=30)
        closed = pool.submit(state.close)
        with pytest.raises(TimeoutError):
            closed.result(timeout=0.2)
        go_on.set()

        assert found.result(timeout=30) == 7
        closed.result(timeout=30)
    with state.read("") as tx:  # it opens again
        assert tx.execute("SELECT 7 AS number").fetchone()["number"] == 7
    state.close()
