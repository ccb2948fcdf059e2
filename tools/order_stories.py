"""What happens to orders: each story is an order in one final state, with everything the store writes on the way.

Seconds count from when the order was placed. In data and keys NAME stands for the order's own name, and "TOTAL" for its
total in minor units, "PART" for so much of it as a part refund returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
PART = 40  # percent


class Period(StrEnum):
    """When an order was placed: within minutes, so that it may be open, before that within hours, before that, or
    before a fortnight, after which the audit says no more of mail that was refused.
    """

    RECENT = "recent"
    LATELY = "lately"
    OLD = "old"
    OLDEST = "oldest"


@dataclass(frozen=True)
class Step:
    """One entry of the history."""

    after: int
    type: str
    source: str
    from_state: str | None = None
    to_state: str | None = None
    data: str = "{}"
    dedupe_key: str | None = None


@dataclass(frozen=True)
class SentMail:
    """`ended` is "sent", "failed", or why the mail was dropped."""

    after: int
    kind: str
    dedupe_key: str
    data: str = "{}"
    ended: str = "sent"


@dataclass(frozen=True)
class Webhook:
    after: int
    type: str


@dataclass(frozen=True)
class MadeRefund:
    """`percent` of the order's live payment, or of its other one."""

    after: int
    state: str
    percent: int
    live: bool = True


@dataclass(frozen=True)
class OpenedDispute:
    after: int
    state: str


Part = Step | SentMail | Webhook | MadeRefund | OpenedDispute


@dataclass(frozen=True)
class LivePayment:
    """`returned` is the percentage of it that went back."""

    state: str
    opened: bool = True
    received: bool = False
    returned: int = 0
    declines: int = 0
    last_decline: str | None = None


@dataclass(frozen=True)
class Story:
    """`share` of a thousand orders of the period end like this."""

    share: int
    period: Period
    state: str
    reservation: str
    payment: LivePayment
    history: tuple[Step, ...]
    events: tuple[Webhook, ...] = ()
    mails: tuple[SentMail, ...] = ()
    refunds: tuple[MadeRefund, ...] = ()
    disputes: tuple[OpenedDispute, ...] = ()
    closed_because: str | None = None
    disputed: bool = False
    paid_after: int | None = None
    fulfilled_after: int | None = None
    second_payment: bool = False
    review: bool = False
    cart_kept: bool = field(default=False)


AMOUNT = '{"amount": "TOTAL"}'
PART_AMOUNT = '{"amount": "PART"}'
REASON = '{"reason": "%s"}'

PLACED = (Step(0, "order.placed", "shopper", None, "awaiting_payment", '{"total": "TOTAL"}'),)
OPENED = (*PLACED, Step(2, "payment.opened", "store", "unopened", "open"))
DECLINED = (
    *OPENED,
    Step(
        40, "payment.declined", "webhook", data='{"decline_code": "insufficient_funds"}', dedupe_key="declined:ch_NAME"
    ),
)
CHALLENGED = (*OPENED, Step(40, "payment.action_required", "webhook", "open", "action_required"))


def _received(before: tuple[Step, ...], state: str) -> tuple[Step, ...]:
    return (
        *before,
        Step(80, "payment.paid", "webhook", state, "paid", AMOUNT),
        Step(80, "order.payment_received", "webhook", "awaiting_payment", "paid", '{"late": false}'),
    )


PAID = _received(OPENED, "open")
FULFILLED = (*PAID, Step(6 * HOUR, "order.fulfilled", "staff", "paid", "fulfilled", '{"tracking": "TRACK-NAME"}'))

CREATED_EVENT = (Webhook(3, "payment_intent.created"),)
PAID_EVENTS = (*CREATED_EVENT, Webhook(79, "charge.succeeded"), Webhook(80, "payment_intent.succeeded"))
CANCELLED_EVENTS = (*CREATED_EVENT, Webhook(31 * MINUTE, "payment_intent.canceled"))
DECLINED_EVENTS = (*CREATED_EVENT, Webhook(40, "payment_intent.payment_failed"))

PAID_MAIL = (SentMail(80, "order_paid", "order_paid"),)
FULFILLED_MAILS = (*PAID_MAIL, SentMail(6 * HOUR, "order_fulfilled", "order_fulfilled"))
REFUND_MAIL = SentMail(15 * MINUTE, "refunded", "refund:re_0NAME", AMOUNT)

RECEIVED = LivePayment("paid", received=True)


def _refund(after: int, state: str, percent: int) -> tuple[Step, ...]:
    amount = AMOUNT if percent == 100 else PART_AMOUNT
    return (
        Step(after, "refund.requested", "staff", None, "requested", amount),
        Step(after + 1, f"refund.{state}", "staff", "requested", state, amount),
    )


def _dispute(opened: int, decided: str | None) -> tuple[Step, ...]:
    begun = (Step(opened, "dispute.needs_response", "webhook", "new", "needs_response", AMOUNT),)
    if decided is None:
        return begun
    return (*begun, Step(opened + HOUR, f"dispute.{decided}", "webhook", "needs_response", decided, AMOUNT))


DISPUTE_EVENTS = (Webhook(DAY, "charge.dispute.created"), Webhook(DAY + 1, "charge.dispute.funds_withdrawn"))
DISPUTE_MAIL = SentMail(DAY, "dispute_opened", "dispute:du_NAME")


def _decided_mail(state: str) -> SentMail:
    data = f'{{"dispute": "du_NAME", "state": "{state}", "amount": "TOTAL"}}'
    return SentMail(DAY + HOUR, "dispute_decided", f"dispute:du_NAME:{state}", data)


def _closed(
    before: tuple[Step, ...], payment: str, order: str, reason: str, source: str, after: int
) -> tuple[Step, ...]:
    return (
        *before,
        Step(after, "payment.cancelled", source, payment, "cancelled"),
        Step(after, f"order.{order}", source, "awaiting_payment", order, REASON % reason),
    )


def _stories(period: Period, shares: dict[str, int]) -> tuple[Story, ...]:
    """The stories of one period, each with its share."""
    return tuple(_story(name, share, period) for name, share in shares.items())


def _story(name: str, share: int, period: Period) -> Story:
    values = dict(ENDINGS[name])
    return Story(share=share, period=period, **values)  # type: ignore[arg-type]  # each ending has fields of a story


OPEN_ORDER = {"state": "awaiting_payment", "reservation": "reserved", "cart_kept": True}
PAID_ORDER = {"state": "paid", "reservation": "committed", "payment": RECEIVED, "paid_after": 80}
FULFILLED_ORDER = {**PAID_ORDER, "state": "fulfilled", "fulfilled_after": 6 * HOUR}
EXPIRED_ORDER = {"state": "expired", "reservation": "released", "closed_because": "expired"}

ENDINGS: dict[str, dict[str, object]] = {
    "placed": {**OPEN_ORDER, "payment": LivePayment("unopened", opened=False), "history": PLACED},
    "opened": {**OPEN_ORDER, "payment": LivePayment("open"), "history": OPENED, "events": CREATED_EVENT},
    "declined": {
        **OPEN_ORDER,
        "payment": LivePayment("declined", declines=1, last_decline="insufficient_funds"),
        "history": DECLINED,
        "events": DECLINED_EVENTS,
        "mails": (SentMail(60, "payment_failed", "payment_failed"),),
    },
    "challenged": {**OPEN_ORDER, "payment": LivePayment("action_required"), "history": CHALLENGED},
    "deciding": {
        **OPEN_ORDER,
        "payment": LivePayment("processing"),
        "history": (*OPENED, Step(40, "payment.processing", "webhook", "open", "processing")),
        "events": (*CREATED_EVENT, Webhook(40, "payment_intent.processing")),
    },
    "paid": {**PAID_ORDER, "history": PAID, "events": PAID_EVENTS, "mails": PAID_MAIL},
    "paid after a decline": {
        **PAID_ORDER,
        "payment": LivePayment("paid", received=True, declines=1, last_decline="insufficient_funds"),
        "history": _received(DECLINED, "declined"),
        "events": (*DECLINED_EVENTS, *PAID_EVENTS[1:]),
        "mails": (SentMail(60, "payment_failed", "payment_failed", ended="money_received"), *PAID_MAIL),
    },
    "paid after 3-D Secure": {
        **PAID_ORDER,
        "history": _received(CHALLENGED, "action_required"),
        "events": (*CREATED_EVENT, Webhook(40, "payment_intent.requires_action"), *PAID_EVENTS[1:]),
        "mails": PAID_MAIL,
    },
    "paid, mail refused": {
        **PAID_ORDER,
        "history": (*PAID, Step(120, "mail.refused", "worker", data='{"kind": "order_paid"}')),
        "events": PAID_EVENTS,
        "mails": (SentMail(80, "order_paid", "order_paid", ended="failed"),),
    },
    "fulfilled": {**FULFILLED_ORDER, "history": FULFILLED, "events": PAID_EVENTS, "mails": FULFILLED_MAILS},
    "reviewed": {
        **FULFILLED_ORDER,
        "review": True,
        "history": (
            *PAID,
            Step(
                600,
                "review.opened",
                "webhook",
                data='{"reason": "early_fraud_warning", "subject": "issfr_NAME", "fraud_type": "misc", '
                '"actionable": true}',
            ),
            Step(900, "review.resolved", "staff", data='{"note": "The customer answered the telephone."}'),
            FULFILLED[-1],
        ),
        "events": (*PAID_EVENTS, Webhook(600, "radar.early_fraud_warning.created")),
        "mails": FULFILLED_MAILS,
    },
    "paid twice": {
        **PAID_ORDER,
        "second_payment": True,
        "history": (
            *PAID,
            Step(100, "payment.opened", "lookup", "unopened", "open"),
            Step(100, "payment.paid", "lookup", "open", "paid", AMOUNT),
            Step(100, "payment.second", "lookup", data=AMOUNT),
            Step(130, "refund.requested", "worker", None, "requested", AMOUNT),
            Step(131, "refund.succeeded", "worker", "requested", "succeeded", AMOUNT),
        ),
        "events": (*PAID_EVENTS, Webhook(100, "payment_intent.succeeded"), Webhook(132, "refund.created")),
        "mails": (*PAID_MAIL, SentMail(131, "second_payment_returned", "refund:re_0NAME", AMOUNT)),
        "refunds": (MadeRefund(130, "succeeded", 100, live=False),),
    },
    "partly refunded": {
        **PAID_ORDER,
        "payment": LivePayment("paid", received=True, returned=PART),
        "history": (*PAID, *_refund(15 * MINUTE, "succeeded", PART)),
        "events": (*PAID_EVENTS, Webhook(15 * MINUTE, "refund.created")),
        "mails": (*PAID_MAIL, SentMail(15 * MINUTE, "refunded", "refund:re_0NAME", PART_AMOUNT)),
        "refunds": (MadeRefund(15 * MINUTE, "succeeded", PART),),
    },
    "refund pending": {
        **PAID_ORDER,
        "payment": LivePayment("paid", received=True, returned=PART),
        "history": (*PAID, *_refund(15 * MINUTE, "pending", PART)),
        "events": (*PAID_EVENTS, Webhook(15 * MINUTE, "refund.created")),
        "mails": PAID_MAIL,
        "refunds": (MadeRefund(15 * MINUTE, "pending", PART),),
    },
    "refunded": {
        **PAID_ORDER,
        "state": "refunded",
        "reservation": "released",
        "payment": LivePayment("refunded", received=True, returned=100),
        "history": (
            *PAID,
            *_refund(15 * MINUTE, "succeeded", 100),
            Step(15 * MINUTE + 1, "order.money_returned", "staff", "paid", "refunded"),
        ),
        "events": (*PAID_EVENTS, Webhook(15 * MINUTE, "refund.created")),
        "mails": (*PAID_MAIL, REFUND_MAIL),
        "refunds": (MadeRefund(15 * MINUTE, "succeeded", 100),),
    },
    "disputed": {
        **FULFILLED_ORDER,
        "disputed": True,
        "history": (*FULFILLED, *_dispute(DAY, None)),
        "events": (*PAID_EVENTS, *DISPUTE_EVENTS),
        "mails": (*FULFILLED_MAILS, DISPUTE_MAIL),
        "disputes": (OpenedDispute(DAY, "needs_response"),),
    },
    "dispute lost": {
        **FULFILLED_ORDER,
        "disputed": True,
        "history": (*FULFILLED, *_dispute(DAY, "lost")),
        "events": (*PAID_EVENTS, *DISPUTE_EVENTS, Webhook(DAY + HOUR, "charge.dispute.closed")),
        "mails": (*FULFILLED_MAILS, DISPUTE_MAIL, _decided_mail("lost")),
        "disputes": (OpenedDispute(DAY, "lost"),),
    },
    "dispute won": {
        **FULFILLED_ORDER,
        "history": (*FULFILLED, *_dispute(DAY, "won")),
        "events": (*PAID_EVENTS, *DISPUTE_EVENTS, Webhook(DAY + HOUR, "charge.dispute.closed")),
        "mails": (*FULFILLED_MAILS, DISPUTE_MAIL, _decided_mail("won")),
        "disputes": (OpenedDispute(DAY, "won"),),
    },
    "expired unseen": {
        **EXPIRED_ORDER,
        "payment": LivePayment("unopened", opened=False),
        "history": (
            *PLACED,
            Step(31 * MINUTE, "order.expired", "worker", "awaiting_payment", "expired", REASON % "expired"),
        ),
    },
    "expired": {
        **EXPIRED_ORDER,
        "payment": LivePayment("cancelled"),
        "history": _closed(OPENED, "open", "expired", "expired", "worker", 31 * MINUTE),
        "events": CANCELLED_EVENTS,
    },
    "expired after a decline": {
        **EXPIRED_ORDER,
        "payment": LivePayment("cancelled", declines=1, last_decline="insufficient_funds"),
        "history": _closed(DECLINED, "declined", "expired", "expired", "worker", 31 * MINUTE),
        "events": (*DECLINED_EVENTS, CANCELLED_EVENTS[-1]),
        "mails": (
            SentMail(60, "payment_failed", "payment_failed"),
            SentMail(31 * MINUTE, "order_expired", "order_expired"),
        ),
    },
    "cancelled": {
        "state": "cancelled",
        "reservation": "released",
        "closed_because": "by_shopper",
        "payment": LivePayment("cancelled"),
        "history": _closed(OPENED, "open", "cancelled", "by_shopper", "shopper", 5 * MINUTE),
        "events": (*CREATED_EVENT, Webhook(5 * MINUTE, "payment_intent.canceled")),
    },
}

OLD = {
    "fulfilled": 595, "paid after a decline": 40, "paid after 3-D Secure": 40, "reviewed": 10, "paid twice": 5,
    "partly refunded": 20, "refunded": 50, "dispute lost": 6, "dispute won": 4, "expired unseen": 70, "expired": 80,
    "expired after a decline": 40, "cancelled": 40,
}  # fmt: skip
STORIES = (
    *_stories(
        Period.RECENT, {"placed": 200, "opened": 300, "declined": 150, "challenged": 50, "deciding": 50, "paid": 250}
    ),
    *_stories(
        Period.LATELY,
        {
            "paid": 370, "paid after a decline": 60, "paid after 3-D Secure": 60, "fulfilled": 200, "reviewed": 10,
            "paid twice": 10, "partly refunded": 20, "refund pending": 10, "refunded": 30, "disputed": 10,
            "expired unseen": 60, "expired": 80, "expired after a decline": 40, "cancelled": 40,
        },
    ),
    *_stories(Period.OLD, OLD),
    *_stories(Period.OLDEST, {**OLD, "fulfilled": OLD["fulfilled"] - 5, "paid, mail refused": 5}),
)  # fmt: skip
