"""Every pair of a state and an event has exactly one transition, and a terminal state stays."""

import itertools
from pathlib import Path

import pytest

from store.domain.states import (
    DISPUTE,
    ORDER,
    PAYMENT,
    REFUND,
    DisputeEvent,
    DisputeState,
    Machine,
    OrderEvent,
    OrderState,
    Outcome,
    PaymentEvent,
    PaymentState,
    RefundEvent,
    RefundState,
)
from tools import draw_states

ROOT = Path(__file__).parents[3]
MACHINES = [
    pytest.param(ORDER, OrderState, OrderEvent, id="order"),
    pytest.param(PAYMENT, PaymentState, PaymentEvent, id="payment"),
    pytest.param(REFUND, RefundState, RefundEvent, id="refund"),
    pytest.param(DISPUTE, DisputeState, DisputeEvent, id="dispute"),
]


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES)
def test_every_state_and_event_have_one_transition(machine, states, events) -> None:  # type: ignore[no-untyped-def]  # two kinds of machine
    edges = [(state, event) for state, event, _to in machine.edges]
    stale = [(state, event) for state, events in machine.stale for event in events]

    assert len(set(edges)) == len(edges)
    assert not set(edges) & set(stale)
    for state, event in itertools.product(states, events):
        outcome, after = machine.decide(state, event)
        assert (after == state) or outcome is Outcome.APPLIED


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES)
def test_a_duplicate_event_changes_nothing(machine, states, events) -> None:  # type: ignore[no-untyped-def]
    for state, event in itertools.product(states, events):
        outcome, after = machine.decide(state, event)
        if outcome is Outcome.APPLIED:
            assert machine.decide(after, event) == (Outcome.STALE, after), (state, event)


@pytest.mark.parametrize(
    "observation", [PaymentEvent.OPENED, PaymentEvent.DECLINED, PaymentEvent.ACTION_REQUIRED, PaymentEvent.PROCESSING]
)
@pytest.mark.parametrize("decided", [PaymentState.PAID, PaymentState.CANCELLED, PaymentState.REFUNDED])
def test_an_observation_never_undoes_what_is_decided(decided: PaymentState, observation: PaymentEvent) -> None:
    assert PAYMENT.decide(decided, observation) == (Outcome.STALE, decided)


@pytest.mark.parametrize("event", [OrderEvent.EXPIRED, OrderEvent.CANCELLED])
@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.FULFILLED, OrderState.REFUNDED])
def test_a_paid_order_neither_expires_nor_is_cancelled(state: OrderState, event: OrderEvent) -> None:
    assert ORDER.decide(state, event) == (Outcome.STALE, state)


def test_a_payment_that_was_cancelled_cannot_become_paid() -> None:
    assert PAYMENT.decide(PaymentState.CANCELLED, PaymentEvent.PAID)[0] is Outcome.REJECTED


def test_every_state_can_be_reached() -> None:
    for machine, states, first in (
        (ORDER, OrderState, OrderState.AWAITING_PAYMENT),
        (PAYMENT, PaymentState, PaymentState.UNOPENED),
        (REFUND, RefundState, RefundState.REQUESTED),
        (DISPUTE, DisputeState, DisputeState.NEW),
    ):
        reached = {first}
        while more := {to for at, _event, to in machine.edges if at in reached} - reached:
            reached |= more
        assert reached == set(states)


def test_the_drawing_of_the_states_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == draw_states.page(), "run `make states`"


def test_a_machine_goes_along_its_edges_and_knows_what_comes_late() -> None:
    opened, paid = PaymentState.OPEN, PaymentState.PAID
    machine = Machine(edges=[(opened, PaymentEvent.PAID, paid)], stale=[(paid, [PaymentEvent.PAID])])

    decided = [
        machine.decide(state, event)
        for state in (opened, paid)
        for event in (PaymentEvent.PAID, PaymentEvent.CANCELLED)
    ]

    assert decided == [
        (Outcome.APPLIED, paid), (Outcome.REJECTED, opened), (Outcome.STALE, paid), (Outcome.REJECTED, paid),
    ]  # fmt: skip
