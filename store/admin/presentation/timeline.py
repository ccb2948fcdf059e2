"""Everything that happened to an order, in one line of time: what the store, the shopper, the payment service and the
staff did, and the mails about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import HistoryEntry, Mail
from store.admin.presentation.orders import mail_state
from store.domain.money import Money
from store.services.history import Source
from store.services.orders.whole import WholeOrder
from store.web.presentation.states import Tone

Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StaffLine:
    """`source` says who did it, or how the store knows it."""

    at: datetime
    sentence: str
    source: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class _Entry:
    sentence: str
    tone: Tone = Tone.CALM


WORDS: Mapping[str, _Entry] = {
    "order.placed": _Entry("Placed for {total}; its stock is reserved."),
    "order.extended": _Entry("Held a little longer, while the payment is being decided.", Tone.WAIT),
    "order.payment_received": _Entry("Paid; its stock is committed.", Tone.GOOD),
    "order.nothing_due": _Entry("Nothing was to be paid, so it is paid.", Tone.GOOD),
    "order.partly_shipped": _Entry("A part was shipped: {pieces}. {how}", Tone.GOOD),
    "order.fulfilled": _Entry("{shipped} {how}", Tone.GOOD),
    "order.rest_not_sent": _Entry("Not sent and not charged, back in stock: {pieces}."),
    "order.withdrawn": _Entry("Not sent, and {not_paid}: {pieces}."),
    "order.restocked": _Entry("Back in stock: {pieces}."),
    "order.cancelled": _Entry("Cancelled ({reason}); its stock is for others again."),
    "order.expired": _Entry("Expired; its stock is for others again."),
    "order.money_returned": _Entry("All of its money was returned."),
    "order.refund_failed": _Entry("The money of a refund came back, so it is paid again.", Tone.WAIT),
    "review.opened": _Entry("Set aside for a person: {reason} {subject}", Tone.BAD),
    "review.resolved": _Entry("Review resolved: {note}", Tone.GOOD),
    "risk_review.closed": _Entry("Stripe Radar’s review ended: {reason}"),
    "payment.opened": _Entry("The payment page was opened, and a payment made at Stripe."),
    "payment.replaced": _Entry("The shopper chose another way to pay ({kind})."),
    "payment.declined": _Entry("A card was declined: {decline_code}", Tone.BAD),
    "payment.action_required": _Entry("The bank asked the shopper (3-D Secure).", Tone.WAIT),
    "payment.processing": _Entry("The bank is deciding.", Tone.WAIT),
    "payment.still_open": _Entry("The payment can be tried again."),
    "payment.authorised": _Entry("The card is authorised for {amount}; nothing is charged yet.", Tone.GOOD),
    "payment.capture_requested": _Entry("{amount} is to be charged.", Tone.CALM),
    "payment.capture_refused": _Entry("{amount} was not charged: {reason}.", Tone.BAD),
    "payment.paid": _Entry("{amount} received. {authorised}", Tone.GOOD),
    "payment.cancelled": _Entry("The payment was cancelled."),
    "payment.refunded": _Entry("The payment was returned whole."),
    "payment.refund_failed": _Entry("A refund came back: the money is here again.", Tone.WAIT),
    "payment.too_late": _Entry("{amount} came after the things were sold. It is returned.", Tone.WAIT),
    "payment.second": _Entry("A second payment of {amount} was received. It is returned.", Tone.WAIT),
    "payment.unreachable": _Entry("The payment {payment} is of another account or mode, {account}.", Tone.BAD),
    "refund.requested": _Entry("A refund of {amount} was asked for{refunded}."),
    "refund.pending": _Entry("A refund of {amount} is on its way.", Tone.WAIT),
    "refund.succeeded": _Entry("A refund of {amount} was sent to the card.", Tone.GOOD),
    "refund.failed": _Entry("A refund of {amount} failed.", Tone.BAD),
    "refund.cancelled": _Entry("A refund of {amount} was called off.", Tone.BAD),
    "tax.recorded": _Entry("Stripe Tax has on record what is due of {amount}."),
    "tax.reversed": _Entry("Stripe Tax has taken what was due of {amount} off its record."),
    "dispute.inquiry": _Entry("The bank asks about {amount}; no money was taken.", Tone.WAIT),
    "dispute.closed": _Entry("The bank’s question came to nothing."),
    "dispute.needs_response": _Entry("{amount} is disputed and waits for your answer.", Tone.BAD),
    "dispute.under_review": _Entry("The bank looks at your answer.", Tone.WAIT),
    "dispute.won": _Entry("The dispute is won: {amount} stays.", Tone.GOOD),
    "dispute.lost": _Entry("The dispute is lost: {amount} is gone.", Tone.BAD),
    "dispute.won_after_all": _Entry("The dispute is won after all: {amount} stays.", Tone.GOOD),
    "dispute.lost_after_all": _Entry("The dispute is lost after all: {amount} is gone.", Tone.BAD),
    "dispute.answered": _Entry("The evidence was handed to the bank.", Tone.GOOD),
    "dispute.file_added": _Entry("A file ({kind}) was added to the answer to the dispute."),
    "dispute.file_removed": _Entry("A file ({kind}) was taken out of the answer to the dispute."),
    "dispute.accepted": _Entry("The dispute was accepted: the money stays with the cardholder."),
    "mail.dropped": _Entry("Mail “{kind}” was not sent, for it was not true any more: {because}"),
    "mail.refused": _Entry("Mail “{kind}” was refused by the mail server for good.", Tone.BAD),
    "mail.given_up": _Entry("Mail “{kind}” is not sent: it was told another way."),
    "mail.sent_again": _Entry("Mail “{kind}” is to be sent again."),
}
_AMOUNTS = ("amount", "total")
_CODES = ("kind", "reason", "because", "decline_code")

_SOURCES: Mapping[Source, str] = {
    Source.SHOPPER: "the shopper",
    Source.WEBHOOK: "webhook",
    Source.LOOKUP: "Stripe, when asked",
    Source.WORKER: "the worker",
    Source.RECONCILIATION: "reconciliation",
    Source.STAFF: "at the terminal",
    Source.PROGRAM: "a program",
    Source.STORE: "the store",
}


def timeline(whole: WholeOrder) -> list[StaffLine]:
    """History and mails as they happened, the oldest first."""
    currency = whole.order.currency
    lines = [_of_history(entry, currency) for entry in whole.order.history]
    lines += [_of_mail(mail) for mail in whole.mails]
    return sorted(lines, key=lambda line: line.at)


def _of_history(entry: HistoryEntry, currency: str) -> StaffLine:
    words = WORDS.get(entry.type) or _Entry(entry.type.replace(".", " ").replace("_", " ") + ".")
    sentence = " ".join(words.sentence.format_map(_Said(entry.data, currency)).split())
    source = entry.actor or _SOURCES[Source(entry.source)]
    return StaffLine(entry.at, sentence, source, words.tone)


def _of_mail(mail: Mail) -> StaffLine:
    state = mail_state(mail)
    at = mail.sent_at or mail.failed_at or mail.written_at
    return StaffLine(at, f"Mail “{mail.kind.replace('_', ' ')}”: {state.text}.", "mail", state.tone)


class _Said(dict[str, Any]):
    """What an entry says, its amounts and codes as they are read; of what it does not say, nothing."""

    def __init__(self, data: Detail, currency: str) -> None:
        super().__init__(data)
        for name in _AMOUNTS:
            if isinstance(self.get(name), int):
                self[name] = Money(self[name], currency).text()
        for name in _CODES:
            if isinstance(self.get(name), str):
                self[name] = self[name].replace("_", " ")
        if isinstance(self.get("authorised"), int):
            self["authorised"] = f"{Money(self['authorised'], currency).text()} was authorised."
        how = " ".join(self[name] for name in ("carrier", "tracking") if self.get(name))
        self["how"] = f"Tracking {how}." if how else ""
        self["shipped"] = f"Shipped: {self['pieces']}." if self.get("pieces") else "Shipped."
        self["not_paid"] = "returned another way" if self.get("returned_elsewhere") else "not charged"
        if self.get("nothing_left"):
            self["shipped"] = "Nothing of it is left to be sent."
        parts = [self.get("pieces", ""), "the shipping" if self.get("shipping") else ""]
        self["refunded"] = ": " * any(parts) + ", ".join(part for part in parts if part)

    def __missing__(self, _name: str) -> str:
        return ""
