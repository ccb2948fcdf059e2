"""The log of the staff in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models import StaffLogEntry


@dataclass(frozen=True, slots=True)
class LogLine:
    """What `actor` did. `reference` is the order that it is about, if it is about one."""

    at: datetime
    actor: str
    sentence: str
    reference: str | None


def sentences(entries: Sequence[StaffLogEntry]) -> list[LogLine]:
    """A line for each entry. What has no sentence of its own is shown by its name."""
    return [
        LogLine(
            entry.at,
            entry.actor,
            _sentence(entry),
            entry.subject if entry.action.split(".")[0] in OF_AN_ORDER else None,
        )
        for entry in entries
    ]


def _sentence(entry: StaffLogEntry) -> str:
    words = WORDS.get(entry.action) or entry.action.replace(".", " ").replace("_", " ")
    return words.format_map(_Told(entry.data, subject=entry.subject))


class _Told(dict[str, object]):
    """What an entry says; of what it does not say, nothing."""

    def __missing__(self, _key: str) -> str:
        return ""


OF_AN_ORDER = frozenset({"order", "refund", "review", "payment", "dispute", "mail"})

WORDS: Mapping[str, str] = {
    "staff.added": "added {subject}, with the role {role}",
    "staff.removed": "removed {subject}",
    "staff.role_changed": "changed the role of {subject} from {from} to {to}",
    "staff.password_set": "set another password for {subject}",
    "staff.password_changed": "changed their password",
    "staff.signed_in": "signed in",
    "staff.signed_out": "signed out",
    "staff.signed_out_everywhere": "signed {subject} out everywhere",
    "staff.authenticator_added": "added an authenticator",
    "staff.authenticator_removed": "removed the authenticator",
    "staff.recovery_codes_made": "made recovery codes",
    "staff.passkey_added": "added the passkey {name}",
    "staff.passkey_removed": "removed the passkey {name}",
    "order.fulfilled": "sent the order",
    "order.partly_shipped": "sent a part of the order: {pieces}",
    "order.cancelled": "cancelled the order",
    "order.withdrawn": "took {pieces} out of the order, which were not charged or returned another way",
    "order.restocked": "put {pieces} of the order back into stock",
    "refund.requested": "asked for a refund",
    "review.resolved": "resolved the review: {note}",
    "dispute.answered": "answered the dispute {dispute} of the order",
    "dispute.accepted": "accepted the dispute {dispute} of the order",
    "dispute.file_added": "added a file ({kind}) to the answer to the dispute {dispute} of the order",
    "dispute.file_removed": "took a file ({kind}) out of the answer to the dispute {dispute} of the order",
    "mail.given_up": "told “{kind}” another way than by mail",
    "product.added": "added the product {subject}",
    "picture.added": "added a picture to {subject}: {alt}",
    "picture.changed": "changed a picture of {subject}: {alt}",
    "picture.exchanged": "exchanged a picture of {subject}: {alt}",
    "picture.removed": "removed a picture of {subject}: {alt}",
    "product.changed": "changed {subject}: {fields}",
    "stock.corrected": "corrected the stock of {subject} by {by} to {stock}: {reason}",
    "category.added": "added the category {subject}",
    "category.changed": "changed the category {subject}",
    "category.removed": "removed the category {subject}",
    "zone.added": "added the shipping zone {subject}",
    "zone.changed": "changed the shipping zone {subject}: {places}",
    "zone.removed": "removed the shipping zone {subject}",
    "shipping.added": "added the shipping method {subject}",
    "shipping.changed": "changed the shipping method {subject}",
    "shipping.removed": "removed the shipping method {subject}",
    "tax.added": "added the tax {name} of {subject}",
    "tax.changed": "changed the tax {name} of {subject}",
    "tax.removed": "removed the tax {name} of {subject}",
    "coupon.added": "made the coupon {subject}",
    "coupon.changed": "changed the coupon {subject}: {fields}",
    "webhook.replayed": "had the webhook {subject} handled again",
    "webhook.set_aside": "took the webhook {subject} off the list",
    "key.added": "made the key {subject} for programs: {scopes}",
    "key.revoked": "revoked the key {subject}",
    "endpoint.added": "has {subject} told of {facts}",
    "endpoint.changed": "changed the endpoint {subject}: {facts}",
    "endpoint.secret_changed": "made another secret for {subject}",
    "endpoint.removed": "removed the endpoint {subject}",
    "notification.replayed": "had {subject} sent again",
    "mail.sent_again": "had the mail “{kind}” sent again",
}
