"""The four state machines: order, payment, refund, dispute. One edge a line: state, event, next state.

A pair of state and event that is listed as stale changes nothing: the event is a duplicate, or older than what is
known. Every pair that is listed nowhere is rejected: it contradicts what is known, and a person should look at it.
`docs/states.md` is drawn from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
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
    NOTHING_DUE = "nothing_due"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FULFILLED = "fulfilled"
    MONEY_RETURNED = "money_returned"
    REFUND_FAILED = "refund_failed"


class ReservationState(StrEnum):
    """What became of an order's stock: reserved for it, committed to it by its payment, or released for others."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"


class PaymentKind(StrEnum):
    """How a payment is made: with a card on the store's own page, or on a hosted page, which is the service's."""

    CARD = "card"
    HOSTED = "hosted"


class PaymentState(StrEnum):
    UNOPENED = "unopened"
    OPEN = "open"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class PaymentEvent(StrEnum):
    """`still_open` is what the payment service says when it is asked about a payment that takes a card (again).
    `authorised`: the bank keeps the amount for the store, which has yet to capture it; nothing is charged until then.
    """

    OPENED = "opened"
    STILL_OPEN = "still_open"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
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
    WON_AFTER_ALL = "won_after_all"
    LOST_AFTER_ALL = "lost_after_all"


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class Outcome(Enum):
    """What an event does to a row."""

    APPLIED = auto()
    STALE = auto()  # a duplicate, or older than what is known: nothing changes and nothing is wrong
    REJECTED = auto()  # it contradicts what is known: nothing changes and a person should look


@dataclass(frozen=True)
class Machine(Generic[S, E]):
    """A matrix from (state, event) to what follows."""

    edges: Sequence[tuple[S, E, S]]
    stale: Sequence[tuple[S, Sequence[E]]]
    _next: dict[tuple[S, E], S] = field(init=False, repr=False)
    _stale: frozenset[tuple[S, E]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_next", {(state, event): to for state, event, to in self.edges})
        object.__setattr__(
            self, "_stale", frozenset((state, event) for state, events in self.stale for event in events)
        )

    def decide(self, state: S, event: E) -> tuple[Outcome, S]:
        """What `event` does in `state`, and the state that follows: `state` itself unless the event is applied."""
        if (to := self._next.get((state, event))) is not None:
            return Outcome.APPLIED, to
        return (Outcome.STALE if (state, event) in self._stale else Outcome.REJECTED), state


_O, _OE = OrderState, OrderEvent

ORDER: Machine[OrderState, OrderEvent] = Machine(
    edges=[
        (_O.AWAITING_PAYMENT, _OE.PAYMENT_RECEIVED, _O.PAID),
        # It costs nothing, so it is paid without a payment when it is placed.
        (_O.AWAITING_PAYMENT, _OE.NOTHING_DUE, _O.PAID),
        (_O.AWAITING_PAYMENT, _OE.CANCELLED, _O.CANCELLED),
        (_O.AWAITING_PAYMENT, _OE.EXPIRED, _O.EXPIRED),
        (_O.PAID, _OE.FULFILLED, _O.FULFILLED),
        (_O.PAID, _OE.MONEY_RETURNED, _O.REFUNDED),
        (_O.FULFILLED, _OE.MONEY_RETURNED, _O.REFUNDED),
        # Money that came late: the order is paid if the stock is still there, else the money is returned.
        (_O.CANCELLED, _OE.PAYMENT_RECEIVED, _O.PAID),
        (_O.EXPIRED, _OE.PAYMENT_RECEIVED, _O.PAID),
        (_O.CANCELLED, _OE.MONEY_RETURNED, _O.REFUNDED),
        (_O.EXPIRED, _OE.MONEY_RETURNED, _O.REFUNDED),
        # A refund can fail after it succeeded: the store has the money again.
        (_O.REFUNDED, _OE.REFUND_FAILED, _O.PAID),
    ],
    stale=[
        (_O.PAID, [_OE.PAYMENT_RECEIVED, _OE.NOTHING_DUE, _OE.EXPIRED, _OE.CANCELLED, _OE.REFUND_FAILED]),
        (_O.FULFILLED, [_OE.PAYMENT_RECEIVED, _OE.EXPIRED, _OE.CANCELLED, _OE.REFUND_FAILED, _OE.FULFILLED]),
        (_O.REFUNDED, [_OE.PAYMENT_RECEIVED, _OE.EXPIRED, _OE.CANCELLED, _OE.MONEY_RETURNED]),
        (_O.CANCELLED, [_OE.CANCELLED, _OE.EXPIRED, _OE.REFUND_FAILED]),
        (_O.EXPIRED, [_OE.CANCELLED, _OE.EXPIRED, _OE.REFUND_FAILED]),
    ],
)

_P, _PE = PaymentState, PaymentEvent
_OBSERVATIONS = [_PE.OPENED, _PE.STILL_OPEN, _PE.DECLINED, _PE.ACTION_REQUIRED, _PE.PROCESSING]

PAYMENT: Machine[PaymentState, PaymentEvent] = Machine(
    edges=[
        (_P.UNOPENED, _PE.OPENED, _P.OPEN),
        (_P.UNOPENED, _PE.DECLINED, _P.DECLINED),
        (_P.UNOPENED, _PE.ACTION_REQUIRED, _P.ACTION_REQUIRED),
        (_P.UNOPENED, _PE.PROCESSING, _P.PROCESSING),
        (_P.UNOPENED, _PE.AUTHORISED, _P.AUTHORISED),
        (_P.UNOPENED, _PE.PAID, _P.PAID),
        (_P.UNOPENED, _PE.CANCELLED, _P.CANCELLED),
        (_P.OPEN, _PE.DECLINED, _P.DECLINED),
        (_P.OPEN, _PE.ACTION_REQUIRED, _P.ACTION_REQUIRED),
        (_P.OPEN, _PE.PROCESSING, _P.PROCESSING),
        (_P.OPEN, _PE.AUTHORISED, _P.AUTHORISED),
        (_P.OPEN, _PE.PAID, _P.PAID),
        (_P.OPEN, _PE.CANCELLED, _P.CANCELLED),
        (_P.DECLINED, _PE.ACTION_REQUIRED, _P.ACTION_REQUIRED),
        (_P.DECLINED, _PE.PROCESSING, _P.PROCESSING),
        (_P.DECLINED, _PE.AUTHORISED, _P.AUTHORISED),
        (_P.DECLINED, _PE.PAID, _P.PAID),
        (_P.DECLINED, _PE.CANCELLED, _P.CANCELLED),
        (_P.ACTION_REQUIRED, _PE.DECLINED, _P.DECLINED),
        (_P.ACTION_REQUIRED, _PE.PROCESSING, _P.PROCESSING),
        (_P.ACTION_REQUIRED, _PE.AUTHORISED, _P.AUTHORISED),
        (_P.ACTION_REQUIRED, _PE.PAID, _P.PAID),
        (_P.ACTION_REQUIRED, _PE.CANCELLED, _P.CANCELLED),
        (_P.ACTION_REQUIRED, _PE.STILL_OPEN, _P.OPEN),
        (_P.PROCESSING, _PE.DECLINED, _P.DECLINED),
        (_P.PROCESSING, _PE.ACTION_REQUIRED, _P.ACTION_REQUIRED),
        (_P.PROCESSING, _PE.AUTHORISED, _P.AUTHORISED),
        (_P.PROCESSING, _PE.PAID, _P.PAID),
        (_P.PROCESSING, _PE.CANCELLED, _P.CANCELLED),
        (_P.PROCESSING, _PE.STILL_OPEN, _P.OPEN),
        # Captured, or released: an authorised payment takes no other card any more.
        (_P.AUTHORISED, _PE.PAID, _P.PAID),
        (_P.AUTHORISED, _PE.CANCELLED, _P.CANCELLED),
        (_P.PAID, _PE.REFUNDED, _P.REFUNDED),
        (_P.REFUNDED, _PE.REFUND_FAILED, _P.PAID),
    ],
    stale=[
        (_P.OPEN, [_PE.OPENED, _PE.STILL_OPEN]),
        (_P.DECLINED, [_PE.OPENED, _PE.STILL_OPEN, _PE.DECLINED]),
        (_P.ACTION_REQUIRED, [_PE.OPENED, _PE.ACTION_REQUIRED]),
        (_P.PROCESSING, [_PE.OPENED, _PE.PROCESSING]),
        (_P.AUTHORISED, [*_OBSERVATIONS, _PE.AUTHORISED]),
        (_P.PAID, [*_OBSERVATIONS, _PE.AUTHORISED, _PE.PAID, _PE.REFUND_FAILED]),
        (_P.REFUNDED, [*_OBSERVATIONS, _PE.AUTHORISED, _PE.PAID, _PE.REFUNDED]),
        (_P.CANCELLED, [*_OBSERVATIONS, _PE.AUTHORISED, _PE.CANCELLED]),
    ],
)

_R, _RE = RefundState, RefundEvent

REFUND: Machine[RefundState, RefundEvent] = Machine(
    edges=[
        (_R.REQUESTED, _RE.PENDING, _R.PENDING),
        (_R.REQUESTED, _RE.SUCCEEDED, _R.SUCCEEDED),
        (_R.REQUESTED, _RE.FAILED, _R.FAILED),
        (_R.REQUESTED, _RE.CANCELLED, _R.CANCELLED),
        (_R.PENDING, _RE.SUCCEEDED, _R.SUCCEEDED),
        (_R.PENDING, _RE.FAILED, _R.FAILED),
        (_R.PENDING, _RE.CANCELLED, _R.CANCELLED),
        # The bank can send a refund back after it succeeded.
        (_R.SUCCEEDED, _RE.FAILED, _R.FAILED),
        (_R.SUCCEEDED, _RE.CANCELLED, _R.CANCELLED),
    ],
    stale=[
        (_R.PENDING, [_RE.PENDING]),
        (_R.SUCCEEDED, [_RE.PENDING, _RE.SUCCEEDED]),
        (_R.FAILED, list(_RE)),
        (_R.CANCELLED, list(_RE)),
    ],
)

_D, _DE = DisputeState, DisputeEvent

# A dispute only goes forward, so of two events in the wrong order the later one is known by its state. Only a decision
# can be reversed: which of `won` and `lost` is the later one cannot be known from the two, so each is rejected after
# the other, until the payment service is asked: its answer is `WON_AFTER_ALL` or `LOST_AFTER_ALL`.
DISPUTE: Machine[DisputeState, DisputeEvent] = Machine(
    edges=[
        (_D.NEW, _DE.INQUIRY, _D.INQUIRY),
        (_D.NEW, _DE.CLOSED, _D.CLOSED),
        (_D.NEW, _DE.NEEDS_RESPONSE, _D.NEEDS_RESPONSE),
        (_D.NEW, _DE.UNDER_REVIEW, _D.UNDER_REVIEW),
        (_D.NEW, _DE.WON, _D.WON),
        (_D.NEW, _DE.LOST, _D.LOST),
        (_D.INQUIRY, _DE.CLOSED, _D.CLOSED),
        (_D.INQUIRY, _DE.NEEDS_RESPONSE, _D.NEEDS_RESPONSE),
        (_D.INQUIRY, _DE.UNDER_REVIEW, _D.UNDER_REVIEW),
        (_D.INQUIRY, _DE.WON, _D.WON),
        (_D.INQUIRY, _DE.LOST, _D.LOST),
        (_D.CLOSED, _DE.NEEDS_RESPONSE, _D.NEEDS_RESPONSE),
        (_D.CLOSED, _DE.UNDER_REVIEW, _D.UNDER_REVIEW),
        (_D.CLOSED, _DE.WON, _D.WON),
        (_D.CLOSED, _DE.LOST, _D.LOST),
        (_D.NEEDS_RESPONSE, _DE.UNDER_REVIEW, _D.UNDER_REVIEW),
        (_D.NEEDS_RESPONSE, _DE.WON, _D.WON),
        (_D.NEEDS_RESPONSE, _DE.LOST, _D.LOST),
        (_D.UNDER_REVIEW, _DE.WON, _D.WON),
        (_D.UNDER_REVIEW, _DE.LOST, _D.LOST),
        (_D.WON, _DE.LOST_AFTER_ALL, _D.LOST),
        (_D.LOST, _DE.WON_AFTER_ALL, _D.WON),
    ],
    stale=[
        (_D.INQUIRY, [_DE.INQUIRY]),
        (_D.CLOSED, [_DE.INQUIRY, _DE.CLOSED]),
        (_D.NEEDS_RESPONSE, [_DE.INQUIRY, _DE.CLOSED, _DE.NEEDS_RESPONSE]),
        (_D.UNDER_REVIEW, [_DE.INQUIRY, _DE.CLOSED, _DE.NEEDS_RESPONSE, _DE.UNDER_REVIEW]),
        (_D.WON, [_DE.INQUIRY, _DE.CLOSED, _DE.NEEDS_RESPONSE, _DE.UNDER_REVIEW, _DE.WON, _DE.WON_AFTER_ALL]),
        (_D.LOST, [_DE.INQUIRY, _DE.CLOSED, _DE.NEEDS_RESPONSE, _DE.UNDER_REVIEW, _DE.LOST, _DE.LOST_AFTER_ALL]),
    ],
)
