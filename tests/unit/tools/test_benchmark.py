"""The parts of `make benchmark`: figures, statements in a log, pgbench's script, wholeness, and the load generator."""

from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tools.benchmark import statements
from tools.benchmark.figures import Goal, Row, Series, percentile, ratio, table
from tools.benchmark.load import Load, begin_again, drive, request
from tools.benchmark.pgbench import PgbenchFailed, script_of
from tools.benchmark.statements import Sent
from tools.benchmark.wholeness import Books, NotWhole, check_answers, check_books


def test_a_ratio_is_taken_round_by_round() -> None:
    ours, other = Series("ours", [10, 30, 20]), Series("other", [100, 100, 400])

    row = ratio("webhook", "of the other", ours, other)

    assert row.values == (0.1, 0.3, 0.05)
    assert row.median == 0.1
    assert row.detail == "20/s of 100/s"


def test_a_ratio_of_sides_with_different_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio("webhook", "of the other", Series("ours", [1, 2]), Series("other", [1]))


def test_the_table_says_which_goals_are_reached() -> None:
    rows = [
        Row("webhook", "rate", (0.2, 0.4, 0.3), Goal("≥", 0.3), "3/s of 10/s"),
        Row("webhook", "statements", (7,), Goal("≤", 6)),
    ]

    lines = table(rows).splitlines()

    assert lines[2] == "WEBHOOK"
    assert lines[3].split() == ["rate", "0.3", "0.2–0.4", "3", "≥", "0.3", "yes", "3/s", "of", "10/s"]
    assert lines[4].split() == ["statements", "7", "1", "≤", "6", "no"]


def test_half_of_the_latencies_are_within_the_median() -> None:
    assert percentile([5, 1, 3, 2, 4], 0.5) == 3
    assert percentile([1], 0.99) == 1


LOG = """\
<shop 7> LOG:  statement: BEGIN
<shop 7> LOG:  statement: SELECT *
\tFROM orders WHERE id = 3
<other 8> LOG:  statement: SELECT 5
<shop 7> LOG:  statement: PREPARE pay (text) AS UPDATE t SET a = $1 WHERE b = ';';
	PREPARE see (text) AS SELECT $1;
	EXECUTE pay ('it''s; so');EXECUTE see ('x')
<shop 7> LOG:  statement: EXECUTE see ('y')
<shop 7> DETAIL:  prepare: PREPARE see (text) AS SELECT $1;
<shop 7> LOG:  execute <unnamed>: SELECT $1 + $2
<shop 7> DETAIL:  Parameters: $1 = '4', $2 = '5'
<shop 7> LOG:  statement: SET lock_timeout = 8000
<shop 7> LOG:  statement: COMMIT
"""


def test_the_log_says_what_one_database_was_asked() -> None:
    sent = Sent(tuple(statements.read(LOG, "shop")))

    assert sent.texts == (
        "BEGIN",
        "SELECT *\nFROM orders WHERE id = 3",
        "EXECUTE pay ('it''s; so'); EXECUTE see ('x')",
        "EXECUTE see ('y')",
        "SELECT '4' + '5'",
        "COMMIT",
    )
    assert statements.prepared(LOG, "shop") == {
        "pay": "PREPARE pay (text) AS UPDATE t SET a = $1 WHERE b = ';'",
        "see": "PREPARE see (text) AS SELECT $1",
    }
    assert (sent.statements, sent.transactions, sent.round_trips) == (5, 2, 6)


def captured(order: int, product: int, moment: str, name: str) -> list[str]:
    report = f'[{{"event_id": "evt_{order}", "at": "{moment}", "message_id": "<{name}@till>"}}]'
    return [
        "BEGIN",
        f"CALL write_mail({order}, 'mail', '<{name}@till>', '{moment}'::timestamptz)",
        f"CALL pay('{report}')",
        f"CALL sell({product})",
        "COMMIT",
    ]


def test_a_statement_for_one_order_becomes_one_for_every_order() -> None:
    first = captured(3_000_004, 87_004, "2026-11-28T14:46:12.450493+00:00", "0f3a9c11d2e4")
    again = captured(3_000_005, 87_005, "2026-11-28T14:46:13.000000+00:00", "ffee02abcdd1")

    script = script_of(first, 3_000_004, again, 3_000_005)

    assert script.round_trips == (
        "BEGIN",
        "CALL write_mail(:order_number, 'mail', '<benchmark:order_number@till>', "
        "'2026-11-28T14:46:12.450493+00:00'::timestamptz)",
        'CALL pay(\'[{"event_id": "evt_:order_number", "at": "2026-11-28T14:46:12.450493+00:00", '
        '"message_id": "<benchmark:order_number@till>"}]\')',
        "CALL sell(:product_number)",
        "COMMIT",
    )
    assert script.text().endswith("CALL sell(:product_number);\nCOMMIT;\n")


def test_what_the_store_prepares_each_client_of_pgbench_prepares_once() -> None:
    known = {"pay": "PREPARE pay (int) AS SELECT $1", "other": "PREPARE other AS SELECT 1"}
    first, again = ["EXECUTE pay (3000004); EXECUTE pay (3000004)"], ["EXECUTE pay (3000005); EXECUTE pay (3000005)"]

    script = script_of(first, 3_000_004, again, 3_000_005, known)

    assert script.text().splitlines()[-5:] == [
        "\\if :counter = 0",
        "PREPARE pay (int) AS SELECT $1;",
        "\\endif",
        "EXECUTE pay (:order_number) \\;",
        "EXECUTE pay (:order_number);",
    ]


def test_a_statement_that_depends_on_more_than_the_order_is_refused() -> None:
    first, again = ["UPDATE history SET seen = 1 WHERE id = 17"], ["UPDATE history SET seen = 1 WHERE id = 18"]

    with pytest.raises(PgbenchFailed, match="id = 18"):
        script_of(first, 3_000_004, again, 3_000_005)


def test_a_round_that_lost_an_event_is_not_whole() -> None:
    check_books("the store", 20, Books(events=20, paid=20, sold=20))

    for lost in (Books(19, 20, 20), Books(20, 19, 20), Books(20, 20, 19), Books(20, 20, 21)):
        with pytest.raises(NotWhole, match="20 events were sent"):
            check_books("the store", 20, lost)


def test_a_round_with_a_refused_or_lost_request_is_not_whole() -> None:
    check_answers("the store", Load(2, 1.0, statuses=Counter({200: 1, 303: 1}), latencies=[0.1, 0.1]))

    for wrong in (
        Load(2, 1.0, statuses=Counter({200: 1, 500: 1}), latencies=[0.1, 0.1]),
        Load(2, 1.0, statuses=Counter({200: 1}), latencies=[0.1], lost=1),
    ):
        with pytest.raises(NotWhole):
            check_answers("the store", wrong)


class OddServer(BaseHTTPRequestHandler):
    """Answers in the ways that servers do: with a length, in chunks, and closing the connection now and then."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/refused":
            self.send_error(503)
            return
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n0\r\n\r\n")
            return
        if self.path == "/closes":
            self.close_connection = True  # without a word, as a server may that is tired of waiting
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the class it extends has it
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OddServer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_every_request_that_is_sent_is_counted_by_its_answer(port: int) -> None:
    paths = ["/length", "/chunks", "/closes", "/refused", "/length"] * 8

    load = drive(port, [request("GET", path) for path in paths], connections=3, seconds=30)

    assert (load.sent, load.answered, load.lost) == (40, 40, 0)
    assert load.statuses == {200: 32, 503: 8}
    assert load.failed == {503: 8}


@pytest.mark.parametrize(
    ("path", "most", "whole"), [("/length", 20, True), ("/length", 90_000, False), ("/refused", 20, False)]
)
def test_the_beginning_of_an_answer_counts_where_it_is_a_success(port: int, path: str, most: int, whole: bool) -> None:
    rate = begin_again(port, request("GET", path, {"Connection": "close"}), most=most, seconds=0.01)

    assert (rate is not None and rate > 0) is whole
