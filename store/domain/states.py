"""The machines of the store: an order is a promise; payments, refunds and disputes are facts about money.

Each is a table from (state, event) to the next state. A pair that moves nothing because it was told twice or told late
is listed as stale; every other pair is impossible and means that a person should look. `docs/states.md` is drawn from
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


class OrderState(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class OrderEvent(StrEnum):
    PAYMENT_RECEIVED = "payment_received"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FULFILLED = "fulfilled"
    MONEY_RETURNED = "money_returned"
    REFUND_FAILED = "refund_failed"


class ReservationState(StrEnum):
    """Where an order's goods are: promised to it, gone with it, or back on the shelf."""

    RESERVED = "held"
    COMMITTED = "sold"
    RELEASED = "free"


class PaymentState(StrEnum):
    UNOPENED = "unopened"
    OPEN = "open"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class PaymentEvent(StrEnum):
    OPENED = "opened"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"


class RefundState(StrEnum):
    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundEvent(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DisputeState(StrEnum):
    """Where a dispute stands. An inquiry takes no money; `closed` is an inquiry that came to nothing."""

    NEW = "new"
    INQUIRY = "inquiry"
    CLOSED = "closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class DisputeEvent(StrEnum):
    INQUIRY = "inquiry"
    CLOSED = "closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Moves(Generic[S]):
    """The event takes the machine to state `to`."""

    to: S


@dataclass(frozen=True, slots=True)
class Stale:
    """The event was told before, or too late to matter: nothing changes and nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """The event cannot happen in this state: nothing changes and a person should look."""


@dataclass(frozen=True)
class Machine(Generic[S, E]):
    moves: Mapping[tuple[S, E], S]
    stale: frozenset[tuple[S, E]]

    def answer(self, state: S, event: E) -> Moves[S] | Stale | Impossible:
        """What `event` does to a machine in `state`: exactly one of the three answers, for every pair."""
        if (to := self.moves.get((state, event))) is not None:
            return Moves(to)
        return Stale() if (state, event) in self.stale else Impossible()


def _each(states: list[S], events: list[E]) -> frozenset[tuple[S, E]]:
    return frozenset((state, event) for state in states for event in events)


_O, _OE = OrderState, OrderEvent

ORDER: Machine[OrderState, OrderEvent] = Machine(
    moves={
        (_O.AWAITING_PAYMENT, _OE.PAYMENT_RECEIVED): _O.PAID,
        (_O.AWAITING_PAYMENT, _OE.CANCELLED): _O.CANCELLED,
        (_O.AWAITING_PAYMENT, _OE.EXPIRED): _O.EXPIRED,
        (_O.PAID, _OE.FULFILLED): _O.FULFILLED,
        (_O.PAID, _OE.MONEY_RETURNED): _O.REFUNDED,
        (_O.FULFILLED, _OE.MONEY_RETURNED): _O.REFUNDED,
        # Money that came late: taken if the goods are still there, else returned.
        (_O.CANCELLED, _OE.PAYMENT_RECEIVED): _O.PAID,
        (_O.EXPIRED, _OE.PAYMENT_RECEIVED): _O.PAID,
        (_O.CANCELLED, _OE.MONEY_RETURNED): _O.REFUNDED,
        (_O.EXPIRED, _OE.MONEY_RETURNED): _O.REFUNDED,
        # A refund can fail after it succeeded: the money is with the store again.
        (_O.REFUNDED, _OE.REFUND_FAILED): _O.PAID,
    },
    stale=(
        _each([_O.PAID, _O.FULFILLED, _O.REFUNDED], [_OE.PAYMENT_RECEIVED, _OE.EXPIRED, _OE.CANCELLED])
        | _each([_O.CANCELLED, _O.EXPIRED], [_OE.CANCELLED, _OE.EXPIRED])
        | _each([_O.FULFILLED], [_OE.FULFILLED])
        | _each([_O.REFUNDED], [_OE.MONEY_RETURNED])
        | _each([_O.PAID, _O.FULFILLED, _O.CANCELLED, _O.EXPIRED], [_OE.REFUND_FAILED])
    ),
)

_P, _PE = PaymentState, PaymentEvent
_UNDECIDED = [_P.UNOPENED, _P.OPEN, _P.DECLINED, _P.ACTION_REQUIRED, _P.PROCESSING]
_DECIDED = [_P.PAID, _P.CANCELLED, _P.REFUNDED]
_OBSERVATIONS = [_PE.OPENED, _PE.DECLINED, _PE.ACTION_REQUIRED, _PE.PROCESSING]

PAYMENT: Machine[PaymentState, PaymentEvent] = Machine(
    moves={
        (_P.UNOPENED, _PE.OPENED): _P.OPEN,
        **{(state, _PE.DECLINED): _P.DECLINED for state in _UNDECIDED if state is not _P.DECLINED},
        **{(state, _PE.ACTION_REQUIRED): _P.ACTION_REQUIRED for state in _UNDECIDED if state is not _P.ACTION_REQUIRED},
        **{(state, _PE.PROCESSING): _P.PROCESSING for state in _UNDECIDED if state is not _P.PROCESSING},
        **{(state, _PE.PAID): _P.PAID for state in _UNDECIDED},
        **{(state, _PE.CANCELLED): _P.CANCELLED for state in _UNDECIDED},
        (_P.PAID, _PE.REFUNDED): _P.REFUNDED,
        (_P.REFUNDED, _PE.REFUND_FAILED): _P.PAID,
    },
    stale=(
        _each([_P.OPEN, _P.DECLINED, _P.ACTION_REQUIRED, _P.PROCESSING], [_PE.OPENED])
        | frozenset(
            {(_P.DECLINED, _PE.DECLINED), (_P.ACTION_REQUIRED, _PE.ACTION_REQUIRED), (_P.PROCESSING, _PE.PROCESSING)}
        )
        | _each(_DECIDED, _OBSERVATIONS)
        | frozenset(
            {(_P.PAID, _PE.PAID), (_P.REFUNDED, _PE.PAID), (_P.REFUNDED, _PE.REFUNDED), (_P.CANCELLED, _PE.CANCELLED)}
        )
        | frozenset({(_P.PAID, _PE.REFUND_FAILED)})
    ),
)

_R, _RE = RefundState, RefundEvent

REFUND: Machine[RefundState, RefundEvent] = Machine(
    moves={
        **{(_R.REQUESTED, event): _R(event.value) for event in _RE},
        **{(_R.PENDING, event): _R(event.value) for event in (_RE.SUCCEEDED, _RE.FAILED, _RE.CANCELLED)},
        (_R.SUCCEEDED, _RE.FAILED): _R.FAILED,
        (_R.SUCCEEDED, _RE.CANCELLED): _R.CANCELLED,
    },
    stale=(
        _each([_R.PENDING, _R.SUCCEEDED], [_RE.PENDING])
        | _each([_R.SUCCEEDED], [_RE.SUCCEEDED])
        | _each([_R.FAILED, _R.CANCELLED], list(_RE))
    ),
)

_D, _DE = DisputeState, DisputeEvent
# A dispute only goes forward, so of two things told in the wrong order the later one is known by its rank. Only a
# decision can be reversed: which of `won` and `lost` is the later one is not to be known from the two, so each is
# impossible after the other.
_RANK = {_D.NEW: 0, _D.INQUIRY: 1, _D.CLOSED: 2, _D.NEEDS_RESPONSE: 3, _D.UNDER_REVIEW: 4, _D.WON: 5, _D.LOST: 5}

DISPUTE: Machine[DisputeState, DisputeEvent] = Machine(
    moves={(state, event): _D(event.value) for state in _D for event in _DE if _RANK[_D(event.value)] > _RANK[state]},
    stale=frozenset(
        (state, event)
        for state in _D
        for event in _DE
        if _RANK[_D(event.value)] < _RANK[state] or event.value == state.value
    ),
)
