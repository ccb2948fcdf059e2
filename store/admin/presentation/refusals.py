"""What a member of staff reads when the store refuses something, or cannot do it."""

from __future__ import annotations

from collections.abc import Mapping

from store.admin.presentation.words import staff_refused
from store.domain.errors import (
    ApiKeyRefusal,
    ApiKeyRefused,
    CaptureRefusal,
    CaptureRefused,
    CatalogueRefusal,
    CatalogueRefused,
    DisputeNotAnswered,
    EndpointRefusal,
    EndpointRefused,
    EventGone,
    EvidenceFileRefusal,
    EvidenceFileRefused,
    FulfilmentRefusal,
    NotFound,
    OrderClosed,
    OrderNotFulfilled,
    PaymentMisconfigured,
    PaymentUnavailable,
    PictureRefusal,
    PictureRefused,
    RefundRefusal,
    RefundRefused,
    ReviewNotResolved,
    ReviewRefusal,
    StaffRefused,
    StoreBusy,
    StoreError,
)


def refusal(error: StoreError) -> str:
    """One or two sentences: what was refused, and what to do instead."""
    words = _WORDS.get(type(error)) or _BY_REASON.get(type(error), {}).get(getattr(error, "reason", ""))
    if words is not None:
        return words
    match error:
        case StaffRefused():
            return staff_refused(error)
        case CatalogueRefused() | PictureRefused() | EvidenceFileRefused():
            return _not_taken(error)
        case RefundRefused():
            return _refund_refused(error)
        case CaptureRefused():
            return _NOT_CAPTURED[error.reason].format(amount=error.amount.text() if error.amount else "")
        case OrderNotFulfilled():
            return _NOT_FULFILLED[error.reason].format_map(vars(error))
        case ReviewNotResolved(reason=ReviewRefusal.NOTE_INVALID):
            return f"Say in one line, of at most {error.longest_note} characters, what came of it."
        case ReviewNotResolved():
            return "This order is not in review any more, so there is nothing to resolve."
        case PaymentUnavailable():
            return "Stripe does not answer right now. Try again in a moment."
    return f"The store refused this: {error}."


_WORDS: Mapping[type[StoreError], str] = {
    StoreBusy: "The database did not answer in time, so nothing was changed. Try again in a moment.",
    PaymentMisconfigured: "Stripe refuses what the store asks. `flask doctor` says whether the keys are right.",
    NotFound: "It is not there, or not any more.",
    DisputeNotAnswered: "This dispute takes no answer any more: it is answered, its time is over, or it is decided.",
    EventGone: "Stripe has this event no more: it keeps each for 30 days. Take it off the list, or reconcile.",
    OrderClosed: "It is too late for that: the order is paid or closed by now, or the bank is deciding.",
}


def _not_taken(refused: CatalogueRefused | PictureRefused | EvidenceFileRefused) -> str:
    if isinstance(refused, EvidenceFileRefused):
        return _EVIDENCE[refused.reason].format(megabytes=max(refused.left, 0) // 10_000 / 100)
    if isinstance(refused, PictureRefused):
        return _PICTURE[refused.reason].format(limit=refused.limit, megabytes=refused.limit // 1024**2)
    return _CATALOGUE[refused.reason].format(count=refused.count, name=refused.name)


def _refund_refused(refused: RefundRefused) -> str:
    amount = refused.amount.text() if refused.amount else "the amount"
    since = f" since {refused.requested_at:%d %b %Y, %H:%M} UTC" if refused.requested_at else ""
    return {
        RefundRefusal.TOO_MUCH: f"Up to {amount} of this order can be refunded.",
        RefundRefusal.OTHER_CURRENCY: f"This order was paid in another currency; up to {amount} can be refunded.",
        RefundRefusal.EARLIER_UNANSWERED: (
            f"A refund of {amount} is not answered yet{since}. The worker asks for it until it is made; "
            "tick “besides the one that is not answered” to ask for another one."
        ),
        RefundRefusal.NOT_BY_LINE: (
            "Only an amount of this order can be refunded: it is not paid, or its things were sold meanwhile."
        ),
        RefundRefusal.FEWER_LEFT: "So much is not left to be refunded: some of it was refunded or sent meanwhile.",
        RefundRefusal.NOT_CHARGED: "Nothing was charged for what you chose, so there is nothing to return.",
        RefundRefusal.CHARGED: "What you chose was charged: refund it.",
        RefundRefusal.KEY_OF_ANOTHER_ORDER: "This refund was requested before, for another order.",
        RefundRefusal.KEY_OF_ANOTHER_AMOUNT: "This refund was requested before, with another amount.",
        RefundRefusal.BY_PAYMENT_SERVICE: "Stripe does not refund this payment: it was returned already.",
        RefundRefusal.OTHER_ACCOUNT: (
            "This payment belongs to another Stripe account or mode than the store’s keys: refund it in that account’s "
            "dashboard."
        ),
        RefundRefusal.DISPUTED: (
            f"The cardholder disputes {amount}{since}: the bank has that money, so Stripe refunds nothing of it."
        ),
        RefundRefusal.NOT_A_WHOLE_STEP: f"An amount in this currency is a multiple of {amount}.",
    }[refused.reason]


_CATALOGUE = {
    CatalogueRefusal.BELOW_RESERVED: "{count} pieces are reserved for open orders: so many have to stay.",
    CatalogueRefusal.NAME_TAKEN: "There is one with the name “{name}” already.",
    CatalogueRefusal.IN_USE: "“{name}” is not empty. Move what is in it first.",
    CatalogueRefusal.NO_NAME: "A name needs letters or digits.",
    CatalogueRefusal.PLACE_TAKEN: "“{name}” is in another zone. Take it out there first.",
    CatalogueRefusal.PLACE_UNKNOWN: "“{name}” is no country or region that we know. Write it as US, or as US-CA.",
    CatalogueRefusal.FEWER_THAN_USED: "{count} orders have a use of it already.",
    CatalogueRefusal.ADDRESS_UNFIT: "An address has small letters, digits and hyphens, such as “{name}”.",
    CatalogueRefusal.ADDRESS_TAKEN: "“{name}” is the address of something else. Take another one.",
    CatalogueRefusal.ADDRESS_ORDERED: "It was ordered already, so its address stays “{name}”: orders lead there.",
}
_PICTURE = {
    PictureRefusal.EMPTY: "This file is empty. Choose the picture itself.",
    PictureRefusal.TOO_LARGE: "This file is larger than {megabytes} MB. Save it smaller, or as a JPEG.",
    PictureRefusal.OTHER_TYPE: "This is no JPEG, PNG, WebP or AVIF, whatever its name says. Export it as one of them.",
    PictureRefusal.BROKEN: "This file is damaged, or not all of it has arrived. Export it anew, and upload that.",
    PictureRefusal.ANIMATED: "This is an animation. Export one picture of it.",
    PictureRefusal.FOR_PRINT: "This picture has the colours of print (CMYK). Save it in those of screens (RGB).",
    PictureRefusal.TOO_MANY_PIXELS: (
        "This picture has more than {limit:,} pixels. Save it smaller: 2000 of them in width are plenty."
    ),
    PictureRefusal.TOO_SMALL: (
        "This picture is too small: each side needs {limit} pixels at least, and 1280 in width look best."
    ),
    PictureRefusal.TOO_NARROW: "This picture is more than {limit} times as long as wide, or as wide as long. Crop it.",
    PictureRefusal.THERE_ALREADY: "This product has this picture already.",
    PictureRefusal.TOO_MANY: "A product has {limit} pictures at most. Remove one first.",
}
_NOT_CAPTURED = {
    CaptureRefusal.NOT_AUTHORISED: "No card is authorised for this order, so there is no amount to charge.",
    CaptureRefusal.ENDED: "Nothing was charged: the authorisation has ended, and the order with it. Do not ship it.",
    CaptureRefusal.BY_PAYMENT_SERVICE: (
        "Stripe does not charge this card, so nothing is shipped. Look at the payment in Stripe’s dashboard, and try "
        "again."
    ),
    CaptureRefusal.OTHER_ACCOUNT: (
        "This payment belongs to another Stripe account or mode than the store’s keys, so it is not charged."
    ),
    CaptureRefusal.TOO_MUCH: "Up to {amount} can be charged: so much was authorised.",
    CaptureRefusal.OTHER_CURRENCY: "{amount} was authorised; nothing can be charged in another currency.",
    CaptureRefusal.NOT_A_WHOLE_STEP: "An amount in this currency is a multiple of {amount}.",
    CaptureRefusal.EARLIER_UNANSWERED: (
        "{amount} was asked for before, and Stripe has not said whether it is charged. Ship it with this amount, or "
        "wait: the worker asks until it knows."
    ),
}
# Reasons that need no data in their words.
_BY_REASON: Mapping[type[StoreError], Mapping[str, str]] = {
    ApiKeyRefused: {
        ApiKeyRefusal.NAME_INVALID: "Give the key a name in one line of at most 40 characters.",
        ApiKeyRefusal.NAME_TAKEN: "There is a key with this name already.",
        ApiKeyRefusal.NO_SCOPE: "Tick what the program may do.",
    },
    EndpointRefused: {
        EndpointRefusal.URL_UNFIT: "Type one such as https://example.com/till; in test mode http://localhost does.",
        EndpointRefusal.URL_TAKEN: "There is an endpoint with this address already.",
        EndpointRefusal.NO_FACT: "Tick of what it is told.",
    },
}
_EVIDENCE = {
    EvidenceFileRefusal.EMPTY: "This file is empty. Choose the document itself.",
    EvidenceFileRefusal.OTHER_TYPE: "This is no PDF, JPEG or PNG, whatever its name says. Save it as one of them.",
    EvidenceFileRefusal.TOO_LARGE: (
        "All files of a dispute come to 4.5 MB at most, and {megabytes} MB of that are left. Save this one smaller."
    ),
    EvidenceFileRefusal.BY_PAYMENT_SERVICE: (
        "Stripe does not take this file. A PDF needs fewer than 50 pages; save it anew, or send a picture of it."
    ),
}
_NOT_FULFILLED = {
    FulfilmentRefusal.NOT_PAID: "This order is not paid, so it is not to be sent.",
    FulfilmentRefusal.REVIEW_OPEN: "This order waits for a person: resolve its review first.",
    FulfilmentRefusal.DISPUTED: "The payment of this order is disputed. Tick “though it is disputed” to send it.",
    FulfilmentRefusal.TRACKING_INVALID: "Give the tracking in one line of at most {longest_tracking} characters.",
    FulfilmentRefusal.CARRIER_INVALID: "Give the carrier in one line of at most {longest_carrier} characters.",
    FulfilmentRefusal.FEWER_LEFT: "So many pieces are not left any more: some were sent or refunded meanwhile.",
    FulfilmentRefusal.REST_IS_PAID: "All of it is charged, so what is not sent has to be refunded, not left.",
    FulfilmentRefusal.NOTHING_CHOSEN: "Say how many pieces of what are in the parcel.",
    FulfilmentRefusal.STOCK_GONE: "Its things were sold when its money went back. Refund it, or add stock first.",
}
