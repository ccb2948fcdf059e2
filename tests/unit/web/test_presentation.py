"""Every state, every decline and every entry has its text, and it says where the money is."""

import ast
import itertools
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

from models import HistoryEntry, Order, Payment
from store.domain.states import DISPUTE, ORDER, PAYMENT, REFUND, OrderState, PaymentState
from store.services.history import Source
from store.web.presentation.declines import DECLINES, PLAIN, decline_message
from store.web.presentation.messages import order_message, status_flags
from store.web.presentation.states import TABLE, StatusFlag, status_message
from store.web.presentation.timeline import SENTENCES, WITHOUT_SENTENCE, timeline

SERVICES = Path(__file__).parents[3] / "store" / "services"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def order(state: OrderState, payment: PaymentState, **more: object) -> Order:
    refunded = 4500 if payment is PaymentState.REFUNDED else 0
    return Order(
        reference="K7QM-3XTR-9WHB-D2VN",
        state=state,
        currency="usd",
        total_minor=4500,
        disputed=bool(more.pop("disputed", False)),
        needs_review=bool(more.pop("needs_review", False)),
        email="ada@example.com",
        shipped_at=NOON if state is OrderState.FULFILLED else None,
        payment=Payment(
            state=payment,
            amount_minor=4500,
            received_minor=4500 if payment in (PaymentState.PAID, PaymentState.REFUNDED) else 0,
            **{"refunded_minor": refunded, **more},
        ),
    )


@pytest.mark.parametrize("payment", PaymentState)
@pytest.mark.parametrize("state", OrderState)
def test_every_pair_of_states_has_words_whatever_else_is_known(state: OrderState, payment: PaymentState) -> None:
    combinations = [some for size in range(3) for some in itertools.combinations(StatusFlag, size)]

    for combination in combinations:
        flags = StatusFlag.NOTHING
        for flag in combination:
            flags |= flag
        message_row = status_message(state, payment, flags)
        assert message_row.heading
        assert message_row.money.endswith(".")


def test_every_row_of_the_table_is_matched_first_by_some_order() -> None:
    reached = {
        id(status_message(state, payment, flags))
        for state in OrderState
        for payment in PaymentState
        for flags in (*StatusFlag, StatusFlag.NOTHING, StatusFlag.CONFIRMING | StatusFlag.UNREACHABLE)
    }

    assert [row.message_row.heading for row in TABLE if id(row.message_row) not in reached] == []


def test_messages_use_only_known_placeholders() -> None:
    fields = {
        name
        for row in TABLE
        for text in (row.message_row.money, row.message_row.message)
        for _literal, name, _spec, _conversion in Formatter().parse(text)
        if name is not None
    }

    assert fields <= {"total", "paid", "refunded", "card", "decline", "email"}


def test_an_unpaid_order_says_that_nothing_was_charged() -> None:
    for payment in (PaymentState.UNOPENED, PaymentState.OPEN, PaymentState.DECLINED, PaymentState.ACTION_REQUIRED):
        found = order_message(order(OrderState.AWAITING_PAYMENT, payment), StatusFlag.NOTHING)
        assert "Nothing was charged." in found.text


@pytest.mark.parametrize(
    ("payment", "flags"),
    [
        (PaymentState.PROCESSING, StatusFlag.NOTHING),
        (PaymentState.OPEN, StatusFlag.CONFIRMING),
        (PaymentState.DECLINED, StatusFlag.CONFIRMING | StatusFlag.UNREACHABLE),
        (PaymentState.OPEN, StatusFlag.NEEDS_REVIEW),
    ],
)
def test_an_unknown_outcome_warns_the_shopper_not_to_pay_again(payment: PaymentState, flags: StatusFlag) -> None:
    found = order_message(order(OrderState.AWAITING_PAYMENT, payment), flags)

    assert "Do not pay again." in found.text
    assert "Nothing was charged" not in found.text


def test_a_paid_order_names_the_card() -> None:
    paid = order(OrderState.PAID, PaymentState.PAID, card_brand="visa", card_last4="4242")

    assert order_message(paid, status_flags(paid)).money == "You paid $45.00 with Visa ending 4242."


def test_a_partly_refunded_order_says_how_much_came_back() -> None:
    paid = order(OrderState.PAID, PaymentState.PAID)
    paid.payment.refunded_minor = 1000

    assert order_message(paid, status_flags(paid)).money == "You paid $45.00. $10.00 of it was refunded."


@pytest.mark.parametrize(
    "code",
    [
        "lost_card", "stolen_card", "fraudulent", "merchant_blacklist", "pickup_card", "restricted_card",
        "security_violation", "do_not_honor", "generic_decline", "card_declined", "a_code_of_tomorrow", "", None,
    ],
)  # fmt: skip
def test_a_stolen_card_reads_a_plain_decline(code: str | None) -> None:
    assert decline_message(code) is PLAIN


@pytest.mark.parametrize(
    ("state", "payment", "heading", "money"),
    [
        (
            OrderState.AWAITING_PAYMENT,
            PaymentState.AUTHORISED,
            "Your order is confirmed",
            "Nothing is charged yet: $45.00 is authorised with Visa ending 4242.",
        ),
        (
            OrderState.PAID,
            PaymentState.PAID,
            "Payment received",
            "You paid $30.00 with Visa ending 4242. The rest of the $45.00 that were authorised is released.",
        ),
        (
            OrderState.FULFILLED,
            PaymentState.PAID,
            "Your order is on its way",
            "You paid $30.00 with Visa ending 4242. The rest of the $45.00 that were authorised is released.",
        ),
        (OrderState.EXPIRED, PaymentState.CANCELLED, "We could not send your order in time", "Nothing was charged."),
        (OrderState.CANCELLED, PaymentState.CANCELLED, "Order cancelled", "Nothing was charged."),
    ],
)
def test_an_authorised_order_says_what_was_charged(
    state: OrderState, payment: PaymentState, heading: str, money: str
) -> None:
    ordered = order(state, payment, card_brand="visa", card_last4="4242")
    ordered.authorised_at = NOON
    if payment is PaymentState.PAID:
        ordered.payment.received_minor = 3000

    found = order_message(ordered, status_flags(ordered))

    assert (found.heading, found.money) == (heading, money)
    assert ("released" in found.text) is (state is not OrderState.AWAITING_PAYMENT)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"amount": 4500}, "Your payment of $45.00 was received."),
        ({"amount": 4500, "authorised": 4500}, "Your card was charged $45.00."),
        (
            {"amount": 3000, "authorised": 4500},
            "Your card was charged $30.00 of the $45.00 authorised; the rest is released.",
        ),
        ({}, "Your payment of the whole amount was received."),
    ],
)
def test_a_timeline_says_how_much_of_an_authorisation_was_charged(data: dict[str, int], sentence: str) -> None:
    paid = HistoryEntry(at=NOON, type="payment.paid", source=Source.WEBHOOK, data=data)

    assert [entry.sentence for entry in timeline([paid], "usd")] == [sentence]


@pytest.mark.parametrize("code", DECLINES)
def test_every_decline_says_what_happened_where_the_money_is_and_what_to_do(code: str) -> None:
    words = DECLINES[code]

    assert "charged" in words.charged
    assert words.happened.endswith(".")
    assert words.next_step.endswith(".")
    assert not {"lost", "stolen", "fraud"} & set(words.text.lower().split())


@pytest.mark.parametrize(
    ("reason", "heading"),
    [
        ("by_shopper", "Order cancelled"),
        ("replaced", "You changed this order"),
        ("card_testing", "Too many cards were declined"),
        (None, "Order cancelled"),
    ],
)
def test_a_closed_order_says_why_and_that_nothing_was_charged(reason: str | None, heading: str) -> None:
    closed = order(OrderState.CANCELLED, PaymentState.CANCELLED)
    closed.closed_because = reason

    found = order_message(closed, status_flags(closed))

    assert found.heading == heading
    assert found.money == "Nothing was charged."


def test_every_history_entry_has_a_sentence() -> None:
    types = {f"order.{event}" for _state, event, _to in ORDER.edges}
    types |= {f"payment.{event}" for _state, event, _to in PAYMENT.edges}
    types |= {f"refund.{event}" for _state, event, _to in REFUND.edges}
    types |= {f"dispute.{event}" for _state, event, _to in DISPUTE.edges}
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                machine, dot, event = node.value.partition(".")
                if machine in ("order", "payment", "refund", "dispute", "review") and dot and event.isidentifier():
                    types.add(node.value)

    assert types - SENTENCES.keys() == WITHOUT_SENTENCE


def test_a_timeline_shows_what_happened_and_its_source() -> None:
    history = [
        HistoryEntry(at=NOON, type="order.placed", source="shopper", data={"total": 4500}),
        HistoryEntry(at=NOON, type="payment.declined", source="webhook", data={"decline_code": "stolen_card"}),
        HistoryEntry(at=NOON, type="store.secret_affair", source="store", data={}),
        HistoryEntry(at=NOON, type="payment.paid", source="lookup", data={"amount": 4500}),
    ]

    entries = timeline(history, "usd")

    assert [entry.sentence for entry in entries] == [
        "You placed the order for $45.00. Your things are held for you.",
        "Your card was declined. Nothing was charged.",
        "Your payment of $45.00 was received.",
    ]
    assert entries[1].source == "reported by the payment service"
    assert entries[2].source == "the payment service said so when we asked"


def test_a_change_to_the_hosted_page_is_one_line_of_a_timeline() -> None:
    history = [
        HistoryEntry(at=NOON, type="payment.opened", source="store", data={}),
        HistoryEntry(at=NOON, type="payment.replaced", source="shopper", data={"kind": "hosted"}),
        HistoryEntry(at=NOON, type="payment.cancelled", source="store", data={"replaced": True}),
        HistoryEntry(at=NOON, type="payment.opened", source="store", data={"kind": "hosted"}),
    ]

    assert [entry.sentence for entry in timeline(history, "usd")] == [
        "The payment page was opened.",
        "You chose to pay on our payment service’s own page.",
    ]


@pytest.mark.parametrize("source", [source for source in Source if source is not Source.SHOPPER])
def test_a_timeline_entry_not_by_the_shopper_names_its_source(source: Source) -> None:
    paid = HistoryEntry(at=NOON, type="payment.paid", source=source, data={"amount": 4500})

    assert timeline([paid], "usd")[0].source
