"""Every pair of a state and an event has exactly one answer, and what is decided stays decided."""

import itertools
from pathlib import Path

import pytest

from store.domain.states import (
    ORDER,
    PAYMENT,
    Impossible,
    Moves,
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    Stale,
)
from tools import draw_states

ROOT = Path(__file__).parents[3]
MACHINES = [(ORDER, OrderState, OrderEvent), (PAYMENT, PaymentState, PaymentEvent)]


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES, ids=["order", "payment"])
def test_every_pair_has_exactly_one_answer(machine, states, events) -> None:  # type: ignore[no-untyped-def]  # two kinds of machine
    for state, event in itertools.product(states, events):
        assert not ((state, event) in machine.moves and (state, event) in machine.stale), (state, event)
        assert isinstance(machine.answer(state, event), Moves | Stale | Impossible)


@pytest.mark.parametrize(("machine", "states", "events"), MACHINES, ids=["order", "payment"])
def test_an_event_told_twice_changes_nothing_the_second_time(machine, states, events) -> None:  # type: ignore[no-untyped-def]
    for state, event in itertools.product(states, events):
        answer = machine.answer(state, event)
        if isinstance(answer, Moves):
            assert isinstance(machine.answer(answer.to, event), Stale), (state, event)


@pytest.mark.parametrize(
    "observation", [PaymentEvent.OPENED, PaymentEvent.DECLINED, PaymentEvent.ACTION_REQUIRED, PaymentEvent.PROCESSING]
)
@pytest.mark.parametrize("decided", [PaymentState.PAID, PaymentState.CANCELLED, PaymentState.REFUNDED])
def test_an_observation_never_undoes_what_is_decided(decided: PaymentState, observation: PaymentEvent) -> None:
    assert isinstance(PAYMENT.answer(decided, observation), Stale)


@pytest.mark.parametrize("event", [OrderEvent.EXPIRED, OrderEvent.CANCELLED])
@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.FULFILLED, OrderState.REFUNDED])
def test_a_paid_order_neither_expires_nor_is_cancelled(state: OrderState, event: OrderEvent) -> None:
    assert isinstance(ORDER.answer(state, event), Stale)


def test_a_payment_that_was_cancelled_cannot_become_paid() -> None:
    assert isinstance(PAYMENT.answer(PaymentState.CANCELLED, PaymentEvent.PAID), Impossible)


def test_every_state_can_be_reached() -> None:
    for machine, states, first in (
        (ORDER, OrderState, OrderState.AWAITING_PAYMENT),
        (PAYMENT, PaymentState, PaymentState.UNOPENED),
    ):
        reached = {first}
        while more := {to for (at, _), to in machine.moves.items() if at in reached} - reached:
            reached |= more
        assert reached == set(states)


def test_the_drawing_of_the_states_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == draw_states.page(), "run `make states`"
