"""What a program asks for is done once for each idempotency key: sent twice, at once, or after a crash."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from models import ApiKey, ApiRequest, StaffLogEntry
from store.domain.errors import RepetitionRefusal, RepetitionRefused
from store.services import repetition
from store.services.operations import worker
from store.services.repetition import ClaimedRequest, GivenAnswer
from tests.support.concurrency import at_once
from tests.support.crash_points import Crashed, FaultPlan, Process
from tests.support.programs import Program, program
from tests.support.shop import Shop


def paid(shop: Shop, quantity: int = 2) -> str:
    order = shop.order(quantity)
    shop.pay(order)
    shop.deliver()
    return order.reference


def key_id(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return session.scalars(select(ApiKey.id).order_by(ApiKey.id.desc())).first() or 0


def rows(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return session.scalar(select(func.count(ApiRequest.id))) or 0


@pytest.mark.on_both_databases
def test_the_same_request_again_gets_the_same_answer(usual_shop: Shop) -> None:
    ours, reference = program(usual_shop), paid(usual_shop)
    body = {"amount": 100}

    answers = [ours.post(f"/orders/{reference}/refunds", body, "one") for _ in range(2)]
    another = ours.post(f"/orders/{reference}/refunds", body, '"two"')
    quoted = ours.post(f"/orders/{reference}/refunds", body, "two")

    assert [answer.status_code for answer in (*answers, another, quoted)] == [201] * 4
    assert answers[0].json == answers[1].json
    assert another.json == quoted.json != answers[0].json
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    assert [refund.amount_minor for refund in usual_shop.refunds(reference)] == [100, 100]


def test_a_refusal_is_an_answer_too(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), usual_shop.order()

    early = ours.post(f"/orders/{order.reference}/ship", {}, "one")
    usual_shop.pay(order)
    usual_shop.deliver()
    again = ours.post(f"/orders/{order.reference}/ship", {}, "one")
    later = ours.post(f"/orders/{order.reference}/ship", {}, "two")

    assert (early.status_code, again.status_code, later.status_code) == (409, 409, 200)
    assert early.json == again.json


def test_an_idempotency_key_belongs_to_one_request_of_one_program(usual_shop: Shop) -> None:
    ours, theirs, reference = program(usual_shop), program(usual_shop, name="Books"), paid(usual_shop)
    path = f"/orders/{reference}/refunds"

    first = ours.post(path, {"amount": 100}, "one")
    other_body = ours.post(path, {"amount": 101}, "one")
    other_path = ours.post(f"/orders/{reference}/ship", {}, "one")
    same_otherwise_written = ours.ask("POST", path, {"Idempotency-Key": "one"}, json={"another": False, "amount": 100})
    by_another = theirs.post(path, {"amount": 101}, "one")

    answers = (first, other_body, other_path, same_otherwise_written, by_another)
    assert [answer.status_code for answer in answers] == [201, 422, 422, 201, 201]
    assert [refund.amount_minor for refund in usual_shop.refunds(reference)] == [100, 101]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("", "idempotency_key_missing"),
        ("a b", "idempotency_key_invalid"),
        ("é", "idempotency_key_invalid"),
        ("x" * 256, "idempotency_key_invalid"),
    ],
)
def test_a_change_needs_a_usable_idempotency_key(usual_shop: Shop, named: str, reason: str) -> None:
    ours = program(usual_shop)

    answer = ours.ask(
        "POST", "/stock/cedar-pencil/corrections", {"Idempotency-Key": named}, json={"by": 1, "reason": "found"}
    )

    assert (answer.status_code, answer.json and answer.json["reason"]) == (400, reason)
    assert rows(usual_shop) == 0
    assert ours.post("/stock/cedar-pencil/corrections", {"by": 1, "reason": "found"}, "x" * 255).status_code == 201


@pytest.mark.on_both_databases
def test_a_request_is_worked_on_by_one_at_a_time(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    program(usual_shop)
    ours, now = key_id(usual_shop), usual_shop.clock()

    def begin(after: int) -> ClaimedRequest | GivenAnswer:
        return repetition.begin(usual_shop.services, ours, "one", "what", now + timedelta(seconds=after))

    first = begin(0)
    with pytest.raises(RepetitionRefused) as refused:
        begin(59)
    second = begin(60)
    assert isinstance(second, ClaimedRequest)
    with usual_shop.services.database.transaction() as session:
        repetition.give_back(session, second)
    third = begin(61)
    with usual_shop.services.database.transaction() as session:
        open_before = repetition.is_open(session, second)
        repetition.finish(session, second, GivenAnswer(201, "done"))
        repetition.finish(session, second, GivenAnswer(200, "done again"))
        open_after = repetition.is_open(session, second)

    assert first == second == third
    assert refused.value.reason is RepetitionRefusal.IN_PROGRESS
    assert (open_before, open_after) == (True, False)
    assert begin(62) == GivenAnswer(201, "done")


def test_a_request_is_kept_whole_and_each_for_itself(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    program(usual_shop)
    ours, now = key_id(usual_shop), usual_shop.clock()
    program(usual_shop, name="Books")
    theirs = key_id(usual_shop)

    def begin(api_key: int, name: str, what: str = "what", after: int = 0) -> ClaimedRequest:
        claimed = repetition.begin(usual_shop.services, api_key, name, what, now + timedelta(seconds=after))
        assert isinstance(claimed, ClaimedRequest)
        return claimed

    begun = [begin(ours, "one"), begin(ours, "two"), begin(theirs, "one", "other"), begin(theirs, "two")]
    begin(ours, "two", after=60)
    with usual_shop.services.database.transaction() as session:
        repetition.give_back(session, begun[2])
        repetition.finish(session, begun[0], GivenAnswer(201, "done"))
        still_open = [repetition.is_open(session, each) for each in (*begun, ClaimedRequest(99, "none"))]
    with pytest.raises(RepetitionRefused) as refused:
        begin(theirs, "one", "what")

    until = now + timedelta(minutes=1)
    assert kept(usual_shop) == [
        (begun[0].id, ours, "one", "what", begun[0].name, now, None, 201, "done"),
        (begun[1].id, ours, "two", "what", begun[1].name, now, until + timedelta(minutes=1), None, None),
        (begun[2].id, theirs, "one", "other", begun[2].name, now, None, None, None),
        (begun[3].id, theirs, "two", "what", begun[3].name, now, until, None, None),
    ]
    assert still_open == [False, True, True, True, False]
    assert refused.value.reason is RepetitionRefusal.KEY_OF_ANOTHER_REQUEST
    assert len({each.name for each in begun}) == 4
    with usual_shop.services.database.transaction() as session:
        session.execute(
            update(ApiRequest).where(ApiRequest.id == begun[1].id).values(began_at=now + timedelta(hours=1))
        )
        repetition.forget(session, now + timedelta(days=1))
    assert [row[0] for row in kept(usual_shop)] == [begun[1].id]


def kept(shop: Shop) -> list[tuple[object, ...]]:
    with shop.services.database.reading() as session:
        return [tuple(row) for row in session.execute(select(*ApiRequest.__table__.columns).order_by(ApiRequest.id))]


def test_the_worker_forgets_a_request_after_a_day(usual_shop: Shop) -> None:
    usual_shop.clock.stop()
    ours, body = program(usual_shop), {"by": 1, "reason": "found"}
    before = usual_shop.product().stock
    ours.post("/stock/cedar-pencil/corrections", body, "one")

    usual_shop.clock.forward(hours=23, minutes=59)
    worker.run(usual_shop.services, usual_shop.clock())
    ours.post("/stock/cedar-pencil/corrections", body, "one")
    within_a_day = usual_shop.product().stock
    usual_shop.clock.forward(minutes=1)
    worker.run(usual_shop.services, usual_shop.clock())
    ours.post("/stock/cedar-pencil/corrections", body, "one")

    assert (within_a_day, usual_shop.product().stock) == (before + 1, before + 2)


@pytest.mark.on_both_databases
def test_of_two_that_ask_at_once_one_is_done(usual_shop: Shop) -> None:
    ours, before = program(usual_shop), usual_shop.product().stock
    body = {"by": 5, "reason": "delivery"}
    assert ours.get("/stock").status_code == 200  # whatever is made at the first request is there

    answers = at_once(4, lambda _number: ours.post("/stock/cedar-pencil/corrections", body, "one").status_code)

    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert usual_shop.product().stock == before + 5


def after_each_crash(shop: Shop, ask: Callable[[Program, str], int]) -> Iterator[list[int]]:
    """Have the store crash at each boundary in turn while it is asked, then ask again: the answers to that."""
    process, ours = Process(shop), program(shop)
    for number in range(1, 20):
        crashes = process.crashes
        ours.restart()
        try:
            with process.under(FaultPlan(crashes_at=number)):
                ask(ours, f"key-{number}")
        except Crashed:
            pass
        ours.restart()
        shop.clock.forward(seconds=61)
        yield [ask(ours, f"key-{number}") for _ in range(2)]
        if process.crashes == crashes:
            return


def test_after_a_crash_a_refund_is_made_once(usual_shop: Shop) -> None:
    reference, rounds = paid(usual_shop, 20), 0
    path = f"/orders/{reference}/refunds"

    for answers in after_each_crash(usual_shop, lambda ours, key: ours.post(path, {"amount": 10}, key).status_code):
        rounds += 1
        assert answers == [201, 201]
        assert [refund.amount_minor for refund in usual_shop.refunds(reference)] == [10] * rounds
    assert rounds > 5
    assert usual_shop.read(reference).payment.refunded_minor == 10 * rounds
    assert usual_shop.stripe("GET", "/v1/refunds", {"limit": "100"})["data"][rounds - 1 :] != []
    assert len(usual_shop.stripe("GET", "/v1/refunds", {"limit": "100"})["data"]) == rounds


def test_after_a_crash_pieces_are_counted_once(usual_shop: Shop) -> None:
    before, rounds, body = usual_shop.product().stock, 0, {"by": 3, "reason": "delivery"}
    path = "/stock/cedar-pencil/corrections"

    for answers in after_each_crash(usual_shop, lambda ours, key: ours.post(path, body, key).status_code):
        rounds += 1
        assert answers == [201, 201]
        assert usual_shop.product().stock == before + 3 * rounds
    assert rounds > 3
    with usual_shop.services.database.reading() as session:
        noted = session.scalar(select(func.count()).where(StaffLogEntry.action == "stock.corrected"))
    assert noted == rounds
