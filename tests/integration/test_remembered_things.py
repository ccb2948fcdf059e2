"""What is remembered for later: of unknown payments, of reconciliation, and of which account and database it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from models import Dispute, HistoryEntry, Order, Payment, Reconciliation, Refund, Review, UnmatchedEvent
from store.domain.errors import NotFound, PaymentMisconfigured, PaymentUnavailable, StoreBusy, Subject
from store.domain.evidence import EvidenceKind
from store.domain.money import Money
from store.domain.states import (
    DisputeEvent,
    DisputeState,
    PaymentState,
    RefundEvent,
    RefundState,
)
from store.gateway.port import (
    Card,
    CardUsed,
    DisputeSnapshot,
    FraudWarningSnapshot,
    RefundSnapshot,
    RiskReviewSnapshot,
)
from store.services import reconciliation
from store.services.findings import Finding
from store.services.history import Origin, Source
from store.services.operations import health
from store.services.payments import accounts, evidence, evidence_files, unmatched_events
from store.services.reconciliation import schedule
from store.services.staff_log import Actor
from tests.support.rows import change
from tests.support.shop import Shop

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.clock.stop()
    return usual_shop


def test_what_was_said_of_an_unknown_payment_is_recorded_once_it_is_known(shop: Shop) -> None:
    order, other, until = shop.order(), shop.order(), shop.clock() + 3 * DAY
    said = Origin(Source.WEBHOOK, shop.clock() - DAY)
    with shop.services.database.transaction() as session:
        for snapshot in (
            CardUsed("pi_1", Card("visa", "4242"), None, until),
            RefundSnapshot("re_1", "pi_1", Money(100, "usd"), RefundEvent.PENDING, key="key"),
            DisputeSnapshot("du_1", "pi_1", Money(400, "usd"), DisputeEvent.NEEDS_RESPONSE, until),
            DisputeSnapshot("du_2", "pi_1", Money(300, "usd"), DisputeEvent.INQUIRY, None),
            FraudWarningSnapshot("issfr_1", "pi_1", True, "made_with_stolen_card"),
            RiskReviewSnapshot("prv_1", "pi_1", True, "rule"),
            RiskReviewSnapshot("prv_2", "pi_1", False, "approved"),
            CardUsed("pi_2", Card("amex", "0005"), None),
            CardUsed("", Card("amex", "0005"), None),
        ):
            unmatched_events.store(session, snapshot, said)
        kept = session.scalars(select(UnmatchedEvent).order_by(UnmatchedEvent.id)).all()
        told = [(each.provider_payment_id, each.kind, each.received_at) for each in kept]
    change(shop, order, {"provider_payment_id": "pi_1", "state": PaymentState.OPEN})

    with shop.services.database.transaction() as session:
        known = session.get_one(Order, order.id)
        unmatched_events.replay(session, known, known.payment, Origin(Source.STORE, shop.clock()))

    kinds = ("card", "refund", "dispute", "dispute", "fraud_warning", "risk_review", "risk_review")
    assert told == [*(("pi_1", kind, said.at) for kind in kinds), ("pi_2", "card", said.at)]
    with shop.services.database.reading() as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        refund = session.scalars(select(Refund)).one()
        disputes = session.scalars(select(Dispute).order_by(Dispute.provider_dispute_id)).all()
        opened = session.scalars(select(Review).order_by(Review.id)).all()
        closed = session.scalars(select(HistoryEntry).where(HistoryEntry.type == "risk_review.closed")).one()
        left = session.scalars(select(UnmatchedEvent.provider_payment_id)).all()
    assert (payment.card_brand, payment.card_last4, payment.capture_before) == ("visa", "4242", until)
    assert (refund.provider_refund_id, refund.key, refund.amount_minor, refund.state, refund.payment_id) == (
        "re_1", None, 100, RefundState.PENDING, payment.id,
    )  # fmt: skip
    assert [(each.provider_dispute_id, each.state, each.amount_minor, each.due_by) for each in disputes] == [
        ("du_1", DisputeState.NEEDS_RESPONSE, 400, until), ("du_2", DisputeState.INQUIRY, 300, None),
    ]  # fmt: skip
    assert [(each.reason, each.subject, each.data) for each in opened] == [
        ("early_fraud_warning", "issfr_1", {"fraud_type": "made_with_stolen_card", "actionable": True}),
        ("risk_review", "prv_1", {"because": "rule"}),
    ]
    assert (closed.data, closed.dedupe_key) == (
        {"subject": "prv_2", "reason": "approved"}, "risk_review:prv_2:closed",
    )  # fmt: skip
    assert left == ["pi_2"]
    assert shop.read(other.reference).payment.card_brand is None


def test_what_reconciliation_left_is_kept_as_texts_for_a_person(shop: Shop) -> None:
    with shop.services.database.reading() as session:
        before = schedule.left(session)
    kept = [{"subject": "order A", "code": "paid_twice", "data": {"payment": "pi_1"}}]
    with shop.services.database.transaction() as session:
        session.execute(insert(Reconciliation).values(id=1, compared_until=shop.clock(), unresolved=kept))

    with shop.services.database.reading() as session:
        after = schedule.left(session)

    assert before == []
    assert after == [Finding("order A", "paid_twice", {"payment": "pi_1"}, unrepaired=True)]


@pytest.mark.parametrize(
    ("last", "since"),
    [(None, DAY), (DAY, DAY + timedelta(hours=2)), (40 * DAY, 30 * DAY), (30 * DAY - timedelta(hours=2), 30 * DAY)],
)
def test_reconciliation_looks_back_to_the_last_one_and_a_little_further(
    shop: Shop, last: timedelta | None, since: timedelta
) -> None:
    asked, now = list[timedelta](), shop.clock()
    if last is not None:
        with shop.services.database.transaction() as session:
            session.execute(insert(Reconciliation).values(id=1, compared_until=now - last))

    def catch_up(_services: object, begin: Any, until: Any) -> list[str]:
        asked.append(until - begin)
        return ["evt_1"]

    report = schedule.run_since_last(shop.services, catch_up, now)
    earlier = schedule.run_since_last(shop.services, catch_up, now - SECOND)

    with shop.services.database.reading() as session:
        kept = session.scalars(select(Reconciliation)).one()
    assert (asked[0], report.repaired, earlier.repaired) == (since, ["evt_1"], ["evt_1"])
    assert (kept.compared_until, kept.unresolved) == (now, [])
    assert isinstance(report, reconciliation.Report)


@pytest.mark.parametrize("failure", [PaymentUnavailable, PaymentMisconfigured])
def test_the_account_follows_the_mode_while_stripe_does_not_answer(shop: Shop, failure: type[Exception]) -> None:
    class Away:
        def account_id(self) -> str:
            raise failure

    assert accounts.ask(replace(shop.services, gateway=cast("Any", Away()))) == "test:"
    assert accounts.ask(shop.services).startswith("test:acct_")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("FATAL: unsupported startup parameter: options", "PgBouncer refuses a start-up parameter"),
        ("FATAL: password authentication failed for user", "The database refuses the user or the password"),
        ('FATAL: database "till" does not exist', "The server of DATABASE_URL has no database of that name."),
        ("FATAL: sorry, too many clients already", "The database has no connection left."),
        ("could not connect to server", "The database does not answer."),
    ],
)
def test_what_a_database_says_becomes_what_to_do(shop: Shop, said: str, problem: str) -> None:
    class Refuses:
        def reading(self) -> None:
            raise StoreBusy from ConnectionError(said)

    (found,) = health.problems(replace(shop.services, database=cast("Any", Refuses())))

    assert found.startswith(problem)


def test_an_account_is_named_with_its_mode(shop: Shop) -> None:
    settings = shop.services.settings.model_copy(update={"stripe_secret_key": SecretStr("sk_live_1")})

    test, live = accounts.known(shop.services), accounts.known(replace(shop.services, settings=settings))

    assert (test.partition(":")[0], live.partition(":")[0]) == ("test", "live")
    assert test.partition(":")[2] == live.partition(":")[2]


def test_what_of_a_dispute_is_not_there_is_said(shop: Shop) -> None:
    order, actor = shop.order(), Actor("ada@shop.example", shop.clock())

    with shop.services.database.reading() as session, pytest.raises(NotFound) as dispute:
        evidence.find(session, order.reference, "du_1")
    with shop.services.database.transaction() as session:
        row = {"provider_dispute_id": "du_1", "payment_id": shop.read(order.reference).payment.id, "amount_minor": 1}
        session.execute(insert(Dispute).values(state=DisputeState.INQUIRY, opened_at=shop.clock(), **row))
    with pytest.raises(NotFound) as file:
        evidence_files.remove(shop.services, order.reference, "du_1", EvidenceKind.OTHER, actor)

    assert (dispute.value.subject, file.value.subject) == (Subject.DISPUTE, Subject.EVIDENCE_FILE)
