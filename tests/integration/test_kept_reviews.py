"""What is kept of reviews, disputes and warnings, and whom it is told: row by row, with another order beside."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Dispute, HistoryEntry, Mail, Order, Payment, Review
from store.domain.errors import ReviewNotResolved, ReviewRefusal
from store.domain.money import Money
from store.domain.states import DisputeEvent, DisputeState, OrderState, PaymentState
from store.gateway.port import DisputeSnapshot, FraudWarningSnapshot, RiskReviewSnapshot
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import disputes, fraud_warnings, risk
from tests.support.shop import Shop

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

Told = list[tuple[str, str, dict[str, Any]]]


class Case:
    """An order with the payment `pi_1`, and another beside it."""

    def __init__(self, shop: Shop) -> None:
        shop.clock.stop()
        self.shop, self.now = shop, shop.clock()
        self.order, self.other = shop.order(2), shop.order(2)
        self.payment_is(provider_payment_id="pi_1", state=PaymentState.PAID, received_minor=800)

    def payment_is(self, **values: Any) -> None:
        with self.shop.services.database.transaction() as session:
            session.execute(update(Payment).where(Payment.order_id == self.order.id).values(values))

    def origin(self, source: Source = Source.WEBHOOK, *, after: timedelta = timedelta()) -> Origin:
        return Origin(source, self.now + after)

    def dispute(
        self, event: DisputeEvent, source: Source = Source.WEBHOOK, after: timedelta = timedelta(), **more: Any
    ) -> Order | None:
        snapshot = DisputeSnapshot(**{"provider_dispute_id": "du_1", "provider_payment_id": "pi_1",
                                      "amount": Money(500, "usd"), "event": event, **more})  # fmt: skip
        with self.shop.services.database.transaction() as session:
            return disputes.record(session, snapshot, self.origin(source, after=after))

    def warn(self, *, actionable: bool = True, name: str = "issfr_1", payment: str = "pi_1") -> Order | None:
        with self.shop.services.database.transaction() as session:
            return risk.record_warning(
                session, FraudWarningSnapshot(name, payment, actionable, "misc"), self.origin(Source.WEBHOOK)
            )

    def risk_review(self, *, is_open: bool, reason: str, payment: str = "pi_1") -> Order | None:
        with self.shop.services.database.transaction() as session:
            return risk.record_review(
                session, RiskReviewSnapshot("prv_1", payment, is_open, reason), self.origin(Source.WEBHOOK)
            )

    def reviews(self) -> list[Review]:
        with self.shop.services.database.reading() as session:
            return list(session.scalars(select(Review).order_by(Review.id)))

    def opened(self) -> list[tuple[int, str, str, dict[str, Any]]]:
        return [(each.order_id, each.reason, each.subject, each.data) for each in self.reviews()]

    def mails(self) -> Told:
        with self.shop.services.database.reading() as session:
            rows = session.scalars(select(Mail).order_by(Mail.id)).all()
            assert {row.order_id for row in rows} <= {self.order.id}
            return [(row.kind, row.dedupe_key, row.data) for row in rows]

    def entries(self, prefix: str) -> Told:
        with self.shop.services.database.reading() as session:
            rows = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)).all()
        return [(row.type, row.source, row.data) for row in rows if row.type.startswith(prefix)]


@pytest.fixture
def case(shop: Shop) -> Case:
    return Case(shop)


def test_a_review_is_kept_told_and_noted(case: Case) -> None:
    with case.shop.services.database.transaction() as session:
        order, origin = session.get_one(Order, case.order.id), case.origin()
        opened = [
            reviews.open_review(session, order, reason, origin, subject=subject, amount=5)
            for reason, subject in (("amount", "pi_1"), ("amount", "pi_1"), ("amount", ""))
        ]

    first, second = case.reviews()
    assert opened == [True, False, True]
    assert case.opened() == [(case.order.id, "amount", subject, {"amount": 5}) for subject in ("pi_1", "")]
    assert {each.opened_at for each in (first, second)} == {case.now}
    assert case.entries("review.") == [
        ("review.opened", "webhook", {"reason": "amount", "subject": "pi_1", "amount": 5}),
        ("review.opened", "webhook", {"reason": "amount", "amount": 5}),
    ]
    assert case.mails() == [
        ("review_opened", f"review:{each.id}", {"review": each.id, "reason": "amount", "subject": each.subject})
        for each in (first, second)
    ]


def test_reviews_for_other_reasons_or_of_other_orders_are_others(case: Case) -> None:
    about = [(case.other, "currency", "pi_2"), (case.order, "amount", "pi_1"), (case.order, "currency", "pi_1"),
             (case.order, "currency", "pi_2")]  # fmt: skip
    with case.shop.services.database.transaction() as session:
        opened = [
            reviews.open_review(session, session.get_one(Order, order.id), reason, case.origin(), subject=subject)
            for order, reason, subject in about
        ]

    assert opened == [True] * 4
    assert case.opened() == [(order.id, reason, subject, {}) for order, reason, subject in about]


def test_reviews_are_resolved_together_or_one_by_one(case: Case) -> None:
    with case.shop.services.database.transaction() as session:
        for order_id, subject in (
            (case.order.id, "a"),
            (case.order.id, "b"),
            (case.order.id, "c"),
            (case.other.id, "d"),
        ):
            reviews.open_review(session, session.get_one(Order, order_id), "amount", case.origin(), subject=subject)
    ids, note = {each.subject: each.id for each in case.reviews()}, "x" * 500
    person, store = Origin(Source.STAFF, case.now + SECOND, "Ada"), Origin(Source.STAFF, case.now + DAY)

    def resolve(origin: Origin, review: str | None, said: str = note) -> int | tuple[ReviewRefusal, object]:
        chosen = ids[review] if review is not None else None
        try:
            return reviews.resolve(case.shop.services, case.order.reference, said, origin, chosen)
        except ReviewNotResolved as refused:
            return refused.reason, refused.longest_note

    answers = [resolve(person, "b"), resolve(person, "b"), resolve(person, "d"), resolve(store, None, " Done. ")]
    answers += [resolve(store, None), resolve(store, None, "x" * 501)]

    not_in_review = (ReviewRefusal.NOT_IN_REVIEW, 500)
    assert answers == [1, not_in_review, not_in_review, 2, not_in_review, (ReviewRefusal.NOTE_INVALID, 500)]
    assert [(each.subject, each.resolved_at, each.resolved_by, each.note) for each in case.reviews()] == [
        ("a", case.now + DAY, "staff", "Done."), ("b", case.now + SECOND, "Ada", note),
        ("c", case.now + DAY, "staff", "Done."), ("d", None, None, None),
    ]  # fmt: skip
    assert [data for kind, _source, data in case.entries("review.") if kind == "review.resolved"] == [
        {"note": note}, {"note": "Done."},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payment", "order", "authorised", "charged"),
    [
        ({}, {}, False, True),
        ({"refunded_minor": 799}, {}, False, True),
        ({"refunded_minor": 800}, {}, False, False),
        ({"state": PaymentState.AUTHORISED, "received_minor": 0}, {"authorised": True}, True, False),
    ],
)
def test_what_waits_says_whether_money_is_here(
    case: Case, payment: dict[str, Any], order: dict[str, Any], authorised: bool, charged: bool
) -> None:
    if payment:
        case.payment_is(**payment)
    with case.shop.services.database.transaction() as session:
        known = session.get_one(Order, case.order.id)
        if order:
            session.execute(update(Order).where(Order.id == known.id).values(authorised_at=case.now))
        reviews.open_review(session, known, "amount", case.origin())

    with case.shop.services.database.reading() as session:
        (waiting,) = reviews.waiting(session)
        opened = [reviews.is_open(session, session.get_one(Order, each.id)) for each in (case.order, case.other)]

    assert (waiting.reference, waiting.authorised, waiting.charged) == (case.order.reference, authorised, charged)
    assert opened == [True, False]


def test_a_dispute_is_kept_as_it_was_first_reported(case: Case) -> None:
    until = case.now + 7 * DAY
    found = case.dispute(DisputeEvent.NEEDS_RESPONSE, due_by=until)
    case.dispute(DisputeEvent.NEEDS_RESPONSE, after=SECOND, amount=Money(501, "usd"))
    case.dispute(DisputeEvent.UNDER_REVIEW, after=SECOND, due_by=until + DAY)
    case.dispute(DisputeEvent.UNDER_REVIEW, after=SECOND)
    elsewhere = case.dispute(DisputeEvent.LOST, provider_payment_id="pi_elsewhere")

    with case.shop.services.database.reading() as session:
        kept = session.scalars(select(Dispute)).one()
    assert (found.id if found else None, elsewhere) == (case.order.id, None)
    assert (kept.provider_dispute_id, kept.state, kept.amount_minor, kept.opened_at, kept.due_by) == (
        "du_1", DisputeState.UNDER_REVIEW, 500, case.now, until + DAY,
    )  # fmt: skip
    assert case.entries("dispute.") == [
        ("dispute.needs_response", "webhook", {"amount": 500}), ("dispute.under_review", "webhook", {"amount": 500}),
    ]  # fmt: skip
    assert case.mails() == [("dispute_opened", "dispute:du_1", {})]
    assert [case.shop.read(each.reference).disputed for each in (case.order, case.other)] == [True, False]


def test_each_decision_of_a_bank_is_mailed(case: Case) -> None:
    case.dispute(DisputeEvent.NEEDS_RESPONSE)
    case.dispute(DisputeEvent.WON, after=SECOND)
    won = case.shop.read(case.order.reference).disputed
    case.dispute(DisputeEvent.LOST, Source.RECONCILIATION, after=DAY)

    at = [(case.now + after).isoformat() for after in (SECOND, DAY)]
    assert case.mails() == [
        ("dispute_opened", "dispute:du_1", {}),
        ("dispute_decided", f"dispute:du_1:won:{at[0]}", {"dispute": "du_1", "state": "won", "amount": 500}),
        ("dispute_decided", f"dispute:du_1:lost:{at[1]}", {"dispute": "du_1", "state": "lost", "amount": 500}),
    ]
    assert (won, case.shop.read(case.order.reference).disputed, case.opened()) == (False, True, [])


@pytest.mark.parametrize(
    ("first", "second"), [(DisputeEvent.WON, DisputeEvent.LOST), (DisputeEvent.LOST, DisputeEvent.WON)]
)
def test_a_second_decision_is_looked_into_unless_stripe_was_asked(
    case: Case, first: DisputeEvent, second: DisputeEvent
) -> None:
    case.dispute(first)
    case.dispute(second)
    contradicted = case.opened()

    case.dispute(second, Source.RECONCILIATION)

    data = {"known": first.value, "reported": second.value}
    assert contradicted == [(case.order.id, "dispute_contradicted", "du_1", data)]
    assert case.opened() == contradicted
    with case.shop.services.database.reading() as session:
        assert session.scalars(select(Dispute.state)).all() == [DisputeState(second.value)]


def test_an_order_is_disputed_while_one_of_its_disputes_stands(case: Case) -> None:
    flags = []
    for name, event in (
        ("du_1", DisputeEvent.INQUIRY), ("du_2", DisputeEvent.NEEDS_RESPONSE), ("du_2", DisputeEvent.WON),
        ("du_1", DisputeEvent.CLOSED), ("du_3", DisputeEvent.LOST),
    ):  # fmt: skip
        case.dispute(event, provider_dispute_id=name)
        flags.append(case.shop.read(case.order.reference).disputed)

    assert flags == [True, True, True, False, True]


def test_a_warning_is_kept_once_and_may_lose_its_point(case: Case) -> None:
    found = [case.warn(), case.warn(), case.warn(actionable=False), case.warn(), case.warn(payment="pi_elsewhere")]
    case.warn(name="issfr_2", actionable=False)

    assert [order.id if order else None for order in found] == [case.order.id] * 4 + [None]
    assert case.opened() == [
        (case.order.id, "early_fraud_warning", name, {"fraud_type": "misc", "actionable": False})
        for name in ("issfr_1", "issfr_2")
    ]


def test_a_warning_that_was_resolved_is_not_opened_again(case: Case) -> None:
    case.warn()
    reviews.resolve(case.shop.services, case.order.reference, "A regular.", case.origin(Source.STAFF))

    case.warn()

    assert [each.note for each in case.reviews()] == ["A regular."]


def test_a_review_of_stripes_own_that_was_resolved_is_not_opened_again(case: Case) -> None:
    case.risk_review(is_open=True, reason="rule")
    reviews.resolve(case.shop.services, case.order.reference, "A regular.", case.origin(Source.STAFF))

    case.risk_review(is_open=True, reason="rule")

    assert [each.note for each in case.reviews()] == ["A regular."]


@pytest.mark.parametrize("closed_first", [False, True])
def test_a_review_of_stripes_own_is_opened_unless_it_has_ended(case: Case, closed_first: bool) -> None:
    if closed_first:
        case.risk_review(is_open=False, reason="approved")
    found = case.risk_review(is_open=True, reason="rule")
    case.risk_review(is_open=True, reason="rule")
    for _ in range(2):
        case.risk_review(is_open=False, reason="approved")
    elsewhere = case.risk_review(is_open=True, reason="rule", payment="pi_elsewhere")

    opened = [] if closed_first else [(case.order.id, "risk_review", "prv_1", {"because": "rule"})]
    ended = ("risk_review_closed", "risk_review:prv_1:closed", {"ended": "approved", "subject": "prv_1"})
    assert (found.id if found else None, elsewhere) == (case.order.id, None)
    assert case.opened() == opened
    assert case.entries("risk_review.") == [
        ("risk_review.closed", "webhook", {"subject": "prv_1", "reason": "approved"})
    ]
    assert [mail for mail in case.mails() if mail[0] != "review_opened"] == [ended]
    assert case.shop.read(case.order.reference).state is OrderState.AWAITING_PAYMENT


def test_a_warning_about_what_is_only_authorised_ends_it_and_no_other_review(case: Case) -> None:
    case.shop.charge_when_shipped()
    order = case.shop.order(2)
    case.shop.pay(order)
    case.shop.deliver()
    with case.shop.services.database.transaction() as session:
        for reason in (risk.WARNING, "risk_review"):
            reviews.open_review(session, session.get_one(Order, order.id), reason, case.origin())
    ids = {each.reason: each.id for each in case.reviews()}

    answer = fraud_warnings.return_money(
        case.shop.services, order.reference, ids[risk.WARNING], Origin(Source.STAFF, case.now, "Ada")
    )

    assert answer is None
    assert {each.reason: (each.resolved_by, each.note) for each in case.reviews()} == {
        risk.WARNING: ("Ada", "The payment was returned."), "risk_review": (None, None),
    }  # fmt: skip
    after = case.shop.read(order.reference)
    assert (after.state, after.payment.state) == (OrderState.CANCELLED, PaymentState.CANCELLED)
