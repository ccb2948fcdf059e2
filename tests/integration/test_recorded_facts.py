"""What is recorded of a payment, and what follows: one fact at a time, with all that it leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from models import HistoryEntry, Mail, Order, Payment, Review
from store.domain.errors import PaymentUnconfirmed
from store.domain.money import Money
from store.domain.states import OrderState, PaymentEvent, PaymentKind, PaymentState, ReservationState
from store.gateway.port import CancelReason, Card, CardUsed, Decline, HostedPageSnapshot, PaymentSnapshot
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import recording
from tests.support import rows
from tests.support.shop import Shop

SECOND = timedelta(seconds=1)
PAID, CANCELLED, AUTHORISED = PaymentEvent.PAID, PaymentEvent.CANCELLED, PaymentEvent.AUTHORISED
GONE = {"state": OrderState.EXPIRED, "reservation": ReservationState.RELEASED, "closed_because": "expired"}
SOLD = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
VISA = Card("visa", "4242")

Line = tuple[str, str | None, str | None, dict[str, Any]]


class Case:
    """An order of $8.00 whose payment is `pi_1`, open, and another order beside it."""

    def __init__(self, shop: Shop) -> None:
        shop.clock.stop()
        self.shop, self.now = shop, shop.clock()
        self.order, self.other = shop.order(2), shop.order(2)
        self.subject: dict[str, Any] = {"subject": "pi_1"}
        with shop.services.database.transaction() as session:
            session.execute(delete(HistoryEntry))
        self.payment_is(provider_payment_id="pi_1", state=PaymentState.OPEN)

    def payment_is(self, **values: Any) -> None:
        rows.change(self.shop, self.order, payment=values)

    def order_is(self, **values: Any) -> None:
        rows.change(self.shop, self.order, **values)

    def add_payment(self, **values: Any) -> int:
        return rows.add_payment(self.shop, self.order, **values)

    def snapshot(self, event: PaymentEvent | None, **values: Any) -> PaymentSnapshot:
        received = Money(800 if event is PAID else 0, "usd")
        of = {"observed_at": self.now, "amount": Money(800, "usd"), "received": received, "live": False}
        return PaymentSnapshot(
            **{"provider_payment_id": "pi_1", "event": event, "order_reference": None, **of, **values}
        )

    def record(self, snapshot: PaymentSnapshot | HostedPageSnapshot, source: Source = Source.WEBHOOK) -> Order | None:
        with self.shop.services.database.transaction() as session:
            return recording.record(session, self.shop.services, snapshot, Origin(source, self.now))

    def resolve(self) -> None:
        reviews.resolve(self.shop.services, self.order.reference, "We know.", Origin(Source.STAFF, self.now))

    def page(self, payment: PaymentSnapshot | None = None, *, is_open: bool = False) -> HostedPageSnapshot:
        number = self.shop.read(self.order.reference).payment.id
        total, reference = Money(800, "usd"), self.order.reference
        return HostedPageSnapshot("cs_1", is_open, self.now, total, False, reference, number, payment)

    @property
    def payment(self) -> Payment:
        return self.shop.read(self.order.reference).payment

    def lines(self) -> list[Line]:
        with self.shop.services.database.reading() as session:
            entries = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)).all()
            assert {entry.order_id for entry in entries} <= {self.order.id}
            return [(entry.type, entry.from_state, entry.to_state, entry.data) for entry in entries]

    def reviews(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.shop.services.database.reading() as session:
            return [(each.reason, each.subject, each.data) for each in session.scalars(select(Review))]

    def mails(self) -> list[str]:
        with self.shop.services.database.reading() as session:
            return list(session.scalars(select(Mail.kind).order_by(Mail.id)))


@pytest.fixture
def case(shop: Shop) -> Case:
    return Case(shop)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"live": True}, "wrong_mode"),
        ({"amount": Money(800, "eur"), "received": Money(800, "eur")}, "wrong_currency"),
        ({"amount": Money(801, "usd")}, "wrong_amount"),
        ({"received": Money(799, "usd")}, "wrong_amount_received"),
        ({"received": Money(801, "usd")}, "wrong_amount_received"),
        ({"received": Money(800, "eur")}, "wrong_amount_received"),
        ({"received": Money(0, "usd"), "manual_capture": True}, "wrong_amount_received"),
        ({"received": Money(801, "usd"), "manual_capture": True}, "wrong_amount_received"),
    ],
)
def test_money_that_does_not_fit_its_order_is_looked_into(case: Case, changed: dict[str, Any], reason: str) -> None:
    paid = case.snapshot(PAID, **changed)

    case.record(paid)
    case.resolve()
    case.record(paid)

    data = {"received": paid.received.minor, "currency": paid.received.currency}
    assert case.reviews() == [(reason, "pi_1", data)]
    assert case.lines()[0] == ("review.opened", None, None, {"reason": reason, "subject": "pi_1", **data})
    assert [line[0] for line in case.lines()] == ["review.opened", "review.resolved"]
    assert (case.payment.state, case.payment.received_minor) == (PaymentState.OPEN, 0)
    assert case.mails() == ["review_opened"]


def test_what_does_not_fit_and_brought_no_money_is_passed_over(case: Case) -> None:
    wrong = {"amount": Money(801, "usd")}

    found = [case.record(case.snapshot(event, **wrong)) for event in (CANCELLED, PaymentEvent.DECLINED, None)]
    quiet = case.lines(), case.reviews()
    case.record(case.snapshot(AUTHORISED, **wrong))

    assert [order.id if order else None for order in found] == [case.order.id] * 3
    assert quiet == ([], [])
    assert case.reviews() == [("wrong_amount", "pi_1", {"received": 0, "currency": "usd"})]


@pytest.mark.parametrize("received", [1, 799, 800])
def test_of_an_authorisation_a_part_may_come_in(case: Case, received: int) -> None:
    case.order_is(authorised_at=case.now)
    case.payment_is(state=PaymentState.AUTHORISED)

    case.record(case.snapshot(PAID, received=Money(received, "usd"), manual_capture=True, card=VISA))

    data = {"amount": received, "authorised": 800}
    assert case.lines() == [
        ("payment.paid", "authorised", "paid", data),
        ("order.payment_received", "awaiting_payment", "paid", {"late": False}),
    ]
    kept = case.payment
    assert (kept.received_minor, kept.capture_minor, kept.observed_at) == (received, received, case.now)
    assert (kept.card_brand, kept.card_last4, case.mails()) == ("visa", "4242", ["order_paid"])


def test_another_amount_than_was_asked_for_opens_a_review(case: Case) -> None:
    case.order_is(authorised_at=case.now)
    case.payment_is(state=PaymentState.AUTHORISED, capture_minor=500)

    case.record(case.snapshot(PAID, received=Money(300, "usd"), manual_capture=True))

    asked = {"received": 300, "asked_for": 500}
    assert case.reviews() == [("other_amount_captured", "pi_1", asked)]
    assert (case.payment.capture_minor, case.payment.card_brand) == (300, None)
    assert case.shop.read(case.order.reference).state is OrderState.PAID


def test_a_payment_pays_its_order_once(case: Case) -> None:
    case.record(case.snapshot(PAID))
    case.record(case.snapshot(PAID, observed_at=case.now + SECOND))

    after = case.shop.read(case.order.reference)
    assert (after.state, after.reservation, after.paid_at) == (OrderState.PAID, ReservationState.COMMITTED, case.now)
    assert case.lines() == [
        ("payment.paid", "open", "paid", {"amount": 800}),
        ("order.payment_received", "awaiting_payment", "paid", {"late": False}),
    ]
    assert (case.payment.capture_minor, case.payment.observed_at, case.reviews()) == (None, case.now, [])
    assert case.shop.read(case.other.reference).state is OrderState.AWAITING_PAYMENT


def test_a_payment_that_comes_late_pays_its_order_if_there_is_stock(case: Case) -> None:
    case.order_is(**GONE)

    case.record(case.snapshot(PAID))

    after = case.shop.read(case.order.reference)
    assert (after.state, after.reservation, after.closed_because) == (OrderState.PAID, ReservationState.COMMITTED, None)
    assert case.lines()[1] == ("order.payment_received", "expired", "paid", {"late": True})


def test_a_payment_that_comes_late_is_returned_where_the_stock_is_sold(case: Case) -> None:
    case.order_is(**GONE)
    case.shop.set_stock("cedar-pencil", 4)  # which are reserved

    case.record(case.snapshot(PAID))

    assert case.lines() == [
        ("payment.paid", "open", "paid", {"amount": 800}),
        ("payment.too_late", None, None, {"amount": 800}),
    ]
    assert (case.payment.refund_due, case.mails()) == (True, [])
    assert case.shop.read(case.order.reference).state is OrderState.EXPIRED


def test_a_second_payment_is_returned_and_the_first_is_kept(case: Case) -> None:
    case.order_is(**SOLD)
    case.payment_is(state=PaymentState.PAID, received_minor=800)
    case.add_payment(provider_payment_id="pi_2", state=PaymentState.OPEN)

    case.record(case.snapshot(PAID, provider_payment_id="pi_2"))

    with case.shop.services.database.reading() as session:
        rows = session.scalars(select(Payment).where(Payment.order_id == case.order.id).order_by(Payment.id)).all()
    assert [(row.provider_payment_id, row.live, row.refund_due) for row in rows] == [
        ("pi_1", True, False), ("pi_2", False, True),
    ]  # fmt: skip
    assert case.lines() == [
        ("payment.paid", "open", "paid", {"amount": 800}), ("payment.second", None, None, {"amount": 800}),
    ]  # fmt: skip


def test_an_earlier_payment_that_comes_in_is_the_one_that_counts(case: Case) -> None:
    case.payment_is(live=False)
    case.add_payment(provider_payment_id="pi_2", state=PaymentState.OPEN, live=True)

    case.record(case.snapshot(PAID))

    assert (case.payment.provider_payment_id, case.payment.refund_due) == ("pi_1", False)
    assert case.shop.read(case.order.reference).state is OrderState.PAID


def test_money_for_a_payment_that_was_cancelled_is_looked_into(case: Case) -> None:
    case.order_is(**GONE)
    case.payment_is(state=PaymentState.CANCELLED)

    case.record(case.snapshot(PAID))
    case.resolve()
    case.record(case.snapshot(PAID))

    assert case.reviews() == [("paid_after_cancel", "pi_1", {})]
    assert [line[0] for line in case.lines()] == ["review.opened", "review.resolved"]


def test_a_cancellation_of_a_payment_that_came_in_is_looked_into(case: Case) -> None:
    case.order_is(**SOLD)
    case.payment_is(state=PaymentState.PAID, received_minor=800)

    case.record(case.snapshot(CANCELLED))
    case.resolve()
    case.record(case.snapshot(CANCELLED))

    assert case.reviews() == [("cancelled_after_paid", "pi_1", {})]
    assert case.shop.read(case.order.reference).state is OrderState.PAID


@pytest.mark.parametrize(
    ("because", "state", "event"),
    [
        (CancelReason.EXPIRED, OrderState.EXPIRED, "order.expired"),
        (CancelReason.BY_SHOPPER, OrderState.CANCELLED, "order.cancelled"),
        (None, OrderState.CANCELLED, "order.cancelled"),
    ],
)
def test_a_cancelled_payment_closes_its_order(
    case: Case, because: CancelReason | None, state: OrderState, event: str
) -> None:
    reserved = case.shop.product().reserved
    case.record(case.snapshot(PaymentEvent.DECLINED, decline=Decline("expired_card", "ch_1")))
    case.record(case.snapshot(CANCELLED, cancelled_because=because))
    case.record(case.snapshot(CANCELLED, cancelled_because=because))

    after, reason = case.shop.read(case.order.reference), because and because.value
    assert (after.state, after.closed_because, after.reservation) == (state, reason, ReservationState.RELEASED)
    assert case.lines()[1:] == [
        ("payment.cancelled", "declined", "cancelled", {}),
        (event, "awaiting_payment", state.value, {"reason": reason}),
    ]
    assert case.mails() == (["order_expired"] if state is OrderState.EXPIRED else [])
    assert case.shop.product().reserved == reserved - 2


def test_a_cancelled_payment_that_was_replaced_closes_nothing(case: Case) -> None:
    case.payment_is(live=False)
    case.add_payment(live=True)

    case.record(case.snapshot(CANCELLED))

    assert case.lines() == [("payment.cancelled", "open", "cancelled", {"replaced": True})]
    assert case.shop.read(case.order.reference).state is OrderState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("ends", "kept", "because", "closed"),
    [
        (timedelta(), None, None, "expired"),
        (SECOND, None, None, None),
        (SECOND, "by_shopper", None, "by_shopper"),
        (timedelta(), None, CancelReason.BY_SHOPPER, "by_shopper"),
    ],
)
def test_an_authorisation_that_ends_by_itself_has_expired(
    case: Case, ends: timedelta, kept: str | None, because: CancelReason | None, closed: str | None
) -> None:
    case.order_is(authorised_at=case.now, expires_at=case.now + ends)
    past = case.now - SECOND  # of its page, which was left
    case.payment_is(state=PaymentState.AUTHORISED, cancel_reason=kept, page_expires_at=past)

    case.record(case.snapshot(CANCELLED, cancelled_because=because))

    assert case.shop.read(case.order.reference).closed_because == closed
    assert case.mails() == ["authorisation_released"]


@pytest.mark.parametrize(
    ("order_ends", "page_ends", "kept", "closed"),
    [
        (SECOND, SECOND, None, None),
        (SECOND, timedelta(), None, "expired"),
        (timedelta(), SECOND, None, "expired"),
        (SECOND, SECOND, "replaced", "replaced"),
    ],
)
def test_a_page_that_has_ended_closes_its_order(
    case: Case, order_ends: timedelta, page_ends: timedelta, kept: str | None, closed: str | None
) -> None:
    page = {"kind": PaymentKind.HOSTED, "provider_page_id": "cs_1", "provider_payment_id": None}
    case.order_is(expires_at=case.now + order_ends)
    case.payment_is(**page, page_expires_at=case.now + page_ends, cancel_reason=kept)

    still_open = case.record(case.page(is_open=True))
    nothing = case.lines()
    case.record(case.page())

    assert (still_open is not None, nothing) == (True, [])
    assert case.shop.read(case.order.reference).closed_because == closed


def test_a_payment_that_failed_after_its_page_was_left_leaves_the_order_open(case: Case) -> None:
    page = {"kind": PaymentKind.HOSTED, "provider_page_id": "cs_1", "provider_payment_id": None}
    case.payment_is(**page)
    declined = case.snapshot(PaymentEvent.DECLINED, decline=Decline("generic_decline", "ch_1"))

    case.record(case.page(declined), Source.LOOKUP)

    after = case.shop.read(case.order.reference)
    assert (after.state, after.payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.DECLINED)
    assert (after.payment.provider_payment_id, after.payment.account[:5]) == ("pi_1", "test:")
    assert [line[0] for line in case.lines()] == ["payment.declined"]


def test_a_page_of_another_store_is_nobodys(case: Case) -> None:
    assert case.record(case.page()) is None
    assert case.record(case.snapshot(PAID, provider_payment_id="pi_elsewhere")) is None


def test_each_declined_attempt_counts_once(case: Case) -> None:
    soon = case.now + SECOND

    def declined(code: str, attempt: str, at: datetime) -> PaymentSnapshot:
        return case.snapshot(PaymentEvent.DECLINED, decline=Decline(code, attempt), observed_at=at)

    for snapshot in (
        declined("expired_card", "ch_1", case.now),
        declined("expired_card", "ch_1", case.now),
        declined("lost_card", "ch_2", case.now - SECOND),
        case.snapshot(PaymentEvent.ACTION_REQUIRED, decline=Decline("stolen_card", "ch_3"), observed_at=soon),
        case.snapshot(PaymentEvent.DECLINED, observed_at=soon + SECOND),
    ):
        case.record(snapshot)
    payment = case.payment
    with case.shop.services.database.reading() as session:
        keys = session.scalars(select(HistoryEntry.dedupe_key).where(HistoryEntry.type == "payment.declined")).all()

    assert (payment.declines, payment.last_decline, payment.state) == (2, "lost_card", PaymentState.DECLINED)
    assert keys == ["declined:ch_1", "declined:ch_2"]
    assert [(line[0], line[3]) for line in case.lines()] == [
        ("payment.declined", {"decline_code": "expired_card"}),
        ("payment.declined", {"decline_code": "lost_card"}),
        ("payment.action_required", {}),
    ]
    case.payment_is(state=PaymentState.PAID, received_minor=800)
    case.record(declined("late", "ch_4", soon + 2 * SECOND))
    assert case.payment.declines == 2


@pytest.mark.parametrize(
    ("known", "event", "age", "state"),
    [
        (None, PaymentEvent.PROCESSING, 0, PaymentState.PROCESSING),
        (0, PaymentEvent.PROCESSING, 0, PaymentState.PROCESSING),
        (0, PaymentEvent.PROCESSING, 1, PaymentState.ACTION_REQUIRED),
        (0, PaymentEvent.PROCESSING, -1, PaymentState.PROCESSING),
        (None, PaymentEvent.OPENED, 0, PaymentState.ACTION_REQUIRED),
        (0, PaymentEvent.OPENED, 0, PaymentState.ACTION_REQUIRED),
        (0, PaymentEvent.OPENED, 1, PaymentState.ACTION_REQUIRED),
        (0, PaymentEvent.OPENED, -1, PaymentState.OPEN),
        (0, None, -1, PaymentState.ACTION_REQUIRED),
    ],
)
def test_what_is_newer_counts(
    case: Case, known: int | None, event: PaymentEvent | None, age: int, state: PaymentState
) -> None:
    observed = None if known is None else case.now
    case.payment_is(state=PaymentState.ACTION_REQUIRED, observed_at=observed)

    case.record(case.snapshot(event, observed_at=case.now - age * SECOND))

    assert case.payment.state is state
    moved = state is not PaymentState.ACTION_REQUIRED
    assert case.payment.observed_at == (case.now - age * SECOND if moved else observed)


@pytest.mark.parametrize(
    ("known", "event", "source", "state"),
    [
        (PaymentState.DECLINED, PaymentEvent.ACTION_REQUIRED, Source.WEBHOOK, PaymentState.DECLINED),
        (PaymentState.DECLINED, PaymentEvent.PROCESSING, Source.WEBHOOK, PaymentState.DECLINED),
        (PaymentState.PROCESSING, PaymentEvent.ACTION_REQUIRED, Source.WEBHOOK, PaymentState.PROCESSING),
        (PaymentState.PROCESSING, PaymentEvent.DECLINED, Source.WEBHOOK, PaymentState.DECLINED),
        (PaymentState.ACTION_REQUIRED, PaymentEvent.PROCESSING, Source.WEBHOOK, PaymentState.PROCESSING),
        (PaymentState.ACTION_REQUIRED, PaymentEvent.DECLINED, Source.WEBHOOK, PaymentState.DECLINED),
        (PaymentState.DECLINED, PaymentEvent.ACTION_REQUIRED, Source.LOOKUP, PaymentState.ACTION_REQUIRED),
    ],
)
def test_events_of_one_second_end_as_a_tried_card_does(
    case: Case, known: PaymentState, event: PaymentEvent, source: Source, state: PaymentState
) -> None:
    case.payment_is(state=known, observed_at=case.now)

    case.record(case.snapshot(event, observed_at=case.now), source)

    assert case.payment.state is state


def test_a_card_is_noted_with_its_payment_alone(case: Case) -> None:
    until = case.now + timedelta(days=3)
    case.order_is(authorised_at=case.now)
    case.payment_is(state=PaymentState.AUTHORISED)

    def note(used: CardUsed) -> str | None:
        with case.shop.services.database.transaction() as session:
            return recording.note_card(session, used)

    used = CardUsed("pi_1", VISA, None)
    known, unknown = note(used), note(replace(used, provider_payment_id="pi_elsewhere", capture_before=until))
    before = case.payment.capture_before
    note(replace(used, card=Card("amex", "0005"), capture_before=until))

    after = case.shop.read(case.order.reference)
    assert (known, unknown, before) == (case.order.reference, None, None)
    assert (after.payment.card_brand, after.payment.card_last4) == ("amex", "0005")
    assert (after.payment.capture_before, after.expires_at) == (until, until - timedelta(hours=2))
    assert case.shop.read(case.other.reference).payment.card_last4 is None


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        ({}, True),
        ({"authorised_at": datetime(2026, 1, 1, tzinfo=UTC)}, False),
        (GONE, False),
    ],
)
def test_an_order_counts_on_one_authorised_payment(case: Case, order: dict[str, Any], kept: bool) -> None:
    case.order_is(email=case.order.email, **order)
    case.add_payment(provider_payment_id="pi_2", state=PaymentState.OPEN)
    before = case.shop.read(case.order.reference)

    case.record(case.snapshot(AUTHORISED, provider_payment_id="pi_2", card=VISA))

    after = case.shop.read(case.order.reference)
    ends = case.now + timedelta(days=7)
    assert after.payment.provider_payment_id == ("pi_2" if kept else "pi_1")
    assert after.expires_at == (ends - timedelta(hours=2) if kept else before.expires_at)
    assert after.authorised_at == (case.now if kept else before.authorised_at)
    assert case.mails() == (["order_authorised"] if kept else [])
    with case.shop.services.database.reading() as session:
        row = session.scalars(select(Payment).where(Payment.provider_payment_id == "pi_2")).one()
    assert (row.state, row.card_brand, row.card_last4) == (PaymentState.AUTHORISED, "visa", "4242")
    assert (row.capture_before, row.observed_at) == (ends, case.now)
    assert case.lines()[-1] == ("payment.authorised", "open", "authorised", {"amount": 800})


def test_the_end_of_an_authorisation_that_is_known_is_kept(case: Case) -> None:
    told, until = case.now + timedelta(days=5), case.now + timedelta(days=3)
    case.payment_is(capture_before=told)

    case.record(case.snapshot(AUTHORISED))
    first = case.payment.capture_before
    case.record(case.snapshot(AUTHORISED))
    again = case.payment.capture_before
    case.record(case.snapshot(AUTHORISED, capture_before=until))

    assert (first, again, case.payment.capture_before) == (told, told, until)
    assert case.shop.read(case.order.reference).expires_at == until - timedelta(hours=2)


@pytest.mark.parametrize("own_number", [None, True, False])
def test_a_payment_that_names_its_order_is_its_payment_once_stripe_was_asked(
    case: Case, own_number: bool | None
) -> None:
    case.payment_is(provider_payment_id=None, state=PaymentState.UNOPENED)
    numbers = {True: case.payment.id, False: case.shop.read(case.other.reference).payment.id, None: None}
    named = {"provider_payment_id": "pi_9", "order_reference": case.order.reference}
    paid = case.snapshot(PAID, **named, payment_number=numbers[own_number])

    with pytest.raises(PaymentUnconfirmed):
        case.record(paid)
    nothing = case.lines()
    found = case.record(paid, Source.LOOKUP)

    with case.shop.services.database.reading() as session:
        rows = session.scalars(select(Payment).where(Payment.order_id == case.order.id).order_by(Payment.id)).all()
    assert (nothing, found.id if found else None) == ([], case.order.id)
    ids = ["pi_9"] if own_number is not False else [None, "pi_9"]
    assert [row.provider_payment_id for row in rows] == ids
    assert (rows[-1].live, rows[-1].received_minor, rows[-1].kind) == (True, 800, PaymentKind.CARD)
    assert case.shop.read(case.order.reference).state is OrderState.PAID
    assert case.shop.read(case.other.reference).payment.provider_payment_id is None


def test_another_payment_that_nobody_has_paid_is_passed_over(case: Case) -> None:
    named = {"provider_payment_id": "pi_9", "order_reference": case.order.reference}

    found = case.record(case.snapshot(PaymentEvent.DECLINED, **named), Source.LOOKUP)

    assert (found.id if found else None, case.lines()) == (case.order.id, [])
    assert case.payment.provider_payment_id == "pi_1"
