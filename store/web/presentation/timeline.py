"""An order's history as sentences, keyed by what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import HistoryEntry
from store.domain.money import Money
from store.domain.states import PaymentKind
from store.gateway.port import CancelReason
from store.services.history import Source
from store.web.presentation.declines import decline_message
from store.web.presentation.states import Tone

Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline. `source` says how the store knows it, and is empty where that is plain."""

    at: datetime
    sentence: str
    source: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class _Words:
    """`say` is empty where another entry says it."""

    say: Callable[[Detail, str], str]
    tone: Tone = Tone.CALM


def _always(sentence: str, tone: Tone = Tone.CALM) -> _Words:
    return _Words(lambda _detail, _currency: sentence, tone)


def _with_amount(sentence: str, tone: Tone, key: str = "amount") -> _Words:
    """`sentence` names an amount as {amount}; an entry without one reads well too."""

    def say(detail: Detail, currency: str) -> str:
        minor = detail.get(key)
        amount = Money(minor, currency).text() if isinstance(minor, int) else "the whole amount"
        return sentence.format(amount=amount)

    return _Words(say, tone)


def _declined(detail: Detail, _currency: str) -> str:
    message = decline_message(detail.get("decline_code"))
    return f"{message.happened} {message.charged}"


_CANCELLED = {
    CancelReason.BY_SHOPPER: "You cancelled the order, and its things went back on the shelf.",
    CancelReason.REPLACED: "You changed your order, so this one made way for the new one.",
    CancelReason.CARD_TESTING: "Too many cards were declined, so the order was closed for safety.",
}


def _cancelled(detail: Detail, _currency: str) -> str:
    if detail.get("source") in (Source.STAFF, Source.PROGRAM):
        return "We cancelled the order, and its things went back on the shelf."
    return _CANCELLED.get(detail.get("reason", ""), "The order was closed and its things went back on the shelf.")


def _paid(detail: Detail, _currency: str) -> str:
    return (
        "Your payment came late, but your things were still there: they are yours."
        if detail.get("late")
        else "Your order is confirmed."
    )


def _fulfilled(detail: Detail, _currency: str) -> str:
    if detail.get("nothing_left"):
        return "Nothing of the order is left to be sent."
    number, pieces = detail.get("shipment", 1), detail.get("pieces", "")
    return f"The rest left our shop: {pieces}." if number > 1 else "Your order left our shop."


def _withdrawn(detail: Detail, _currency: str) -> str:
    because = "we returned your money another way" if detail.get("returned_elsewhere") else "not charged"
    return f"Not sent, and {because}: {detail.get('pieces', '')}."


def _refund_requested(detail: Detail, currency: str) -> str:
    minor = detail.get("amount")
    amount = Money(minor, currency).text() if isinstance(minor, int) else "the whole amount"
    parts = [detail.get("pieces", ""), "the shipping" if detail.get("shipping") else ""]
    what = ", ".join(part for part in parts if part)
    return f"A refund of {amount} was asked for: {what}." if what else f"A refund of {amount} was asked for."


def _extended(detail: Detail, _currency: str) -> str:
    if detail.get("because") == PaymentKind.HOSTED:
        return "Your things are held a little longer, so that you have time on our payment service’s page."
    return "Your things are held a little longer while the payment is being decided."


def _opened(detail: Detail, _currency: str) -> str:
    return "" if detail.get("kind") == PaymentKind.HOSTED else "The payment page was opened."


def _replaced(detail: Detail, _currency: str) -> str:
    if detail.get("kind") == PaymentKind.HOSTED:
        return "You chose to pay on our payment service’s own page."
    return "You came back to pay on our page."


def _ended(detail: Detail, _currency: str) -> str:
    return "" if detail.get("replaced") else "The payment was closed. Nothing was charged."


def _received(detail: Detail, currency: str) -> str:
    received, authorised = detail.get("amount"), detail.get("authorised")
    if not isinstance(received, int):
        return "Your payment of the whole amount was received."
    amount = Money(received, currency).text()
    if not isinstance(authorised, int):
        return f"Your payment of {amount} was received."
    if received == authorised:
        return f"Your card was charged {amount}."
    return (
        f"Your card was charged {amount} of the {Money(authorised, currency).text()} authorised; the rest is released."
    )


# Another entry of the same transaction says it, or what is between the store and the payment service.
WITHOUT_SENTENCE = frozenset(
    {
        "order.restocked",
        "dispute.answered",
        "dispute.accepted",
        "dispute.file_added",
        "dispute.file_removed",
        "payment.capture_requested",
        "payment.capture_refused",
        "payment.refunded",
        "payment.unreachable",
    }
)

SENTENCES: Mapping[str, _Words] = {
    "order.placed": _with_amount(
        "You placed the order for {amount}. Your things are held for you.", Tone.CALM, "total"
    ),
    "order.extended": _Words(_extended),
    "order.payment_received": _Words(_paid, Tone.GOOD),
    "order.nothing_due": _always("There was nothing to pay, so your order is confirmed.", Tone.GOOD),
    "order.partly_shipped": _Words(lambda detail, _: f"A part left our shop: {detail.get('pieces', '')}.", Tone.GOOD),
    "order.rest_not_sent": _Words(
        lambda detail, _: f"We could not send {detail.get('pieces', 'the rest')}, and charged nothing for it.", Tone.BAD
    ),
    "order.fulfilled": _Words(_fulfilled, Tone.GOOD),
    "order.withdrawn": _Words(_withdrawn),
    "order.cancelled": _Words(_cancelled),
    "order.expired": _always("The order’s time was over and your things went back on the shelf. Nothing was charged."),
    "order.money_returned": _always("All of your money was sent back.", Tone.GOOD),
    "order.refund_failed": _always("Your money is back with us, so the order is yours again or will be refunded anew."),
    "review.opened": _always("Something did not add up, so a person is looking at this order.", Tone.WAIT),
    "review.resolved": _always("A person looked into this order and resolved what did not add up."),
    "payment.opened": _Words(_opened),
    "payment.replaced": _Words(_replaced),
    "payment.declined": _Words(_declined, Tone.BAD),
    "payment.action_required": _always("Your bank asked to make sure that it was you.", Tone.WAIT),
    "payment.processing": _always("Your bank is deciding about the payment.", Tone.WAIT),
    "payment.still_open": _always("The payment can be tried again. Nothing was charged."),
    "payment.authorised": _with_amount(
        "Your card was authorised for {amount}. Nothing is charged until your order is shipped.", Tone.GOOD
    ),
    "payment.paid": _Words(_received, Tone.GOOD),
    "payment.cancelled": _Words(_ended),
    "payment.refund_failed": _always("A refund did not reach your card. The money is still with us.", Tone.WAIT),
    "payment.too_late": _with_amount(
        "Your payment of {amount} came after the things were sold. It will be sent back.", Tone.WAIT
    ),
    "payment.second": _with_amount(
        "A second payment of {amount} was received for this order. It will be sent back.", Tone.WAIT
    ),
    "refund.requested": _Words(_refund_requested),
    "refund.pending": _with_amount("A refund of {amount} is on its way.", Tone.WAIT),
    "refund.succeeded": _with_amount("A refund of {amount} was sent to your card.", Tone.GOOD),
    "refund.failed": _with_amount("A refund of {amount} did not reach your card.", Tone.BAD),
    "refund.cancelled": _with_amount("A refund of {amount} was called off.", Tone.CALM),
    "tax.recorded": _with_amount("The tax in {amount} was recorded.", Tone.CALM),
    "tax.reversed": _with_amount("The tax in the {amount} that went back was taken off the record.", Tone.CALM),
    "dispute.inquiry": _always("Your bank asked us about this payment.", Tone.WAIT),
    "dispute.closed": _always("Your bank closed its question about this payment."),
    "dispute.needs_response": _with_amount("The payment was disputed at your bank: {amount}.", Tone.WAIT),
    "dispute.under_review": _always("We answered your bank, which is looking at it.", Tone.WAIT),
    "dispute.won": _always("Your bank decided that the payment stands."),
    "dispute.lost": _with_amount("Your bank decided that you get your money back: {amount}.", Tone.GOOD),
    "dispute.won_after_all": _always("Your bank decided after all that the payment stands."),
    "dispute.lost_after_all": _with_amount(
        "Your bank decided after all that you get your money back: {amount}.", Tone.GOOD
    ),
}

_SOURCES = {
    Source.WEBHOOK: "reported by the payment service",
    Source.LOOKUP: "the payment service said so when we asked",
    Source.WORKER: "done by the store’s clock",
    Source.RECONCILIATION: "found when we compared our books with the payment service’s",
    Source.STAFF: "done by the shop",
    Source.PROGRAM: "done by the shop",
    Source.STORE: "noted by the store",
}


def timeline(history: Iterable[HistoryEntry], currency: str) -> list[TimelineEntry]:
    """The history in the order it happened. What has no sentence is not for shoppers and is left out."""
    return [
        TimelineEntry(entry.at, sentence, _SOURCES.get(Source(entry.source), ""), words.tone)
        for entry in history
        if (words := SENTENCES.get(entry.type)) is not None
        and (sentence := words.say({**entry.data, "source": entry.source}, currency))
    ]
