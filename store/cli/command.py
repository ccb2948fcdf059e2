"""What every command has: the store's services, and a sentence for each failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import current_app
from sqlalchemy.exc import DBAPIError

from store.cli.findings import Problem
from store.domain.errors import (
    ApiKeyRefusal,
    ApiKeyRefused,
    CaptureRefusal,
    CaptureRefused,
    EndpointRefusal,
    EndpointRefused,
    EventGone,
    FulfilmentRefusal,
    NotFound,
    OrderNotFulfilled,
    PaymentMisconfigured,
    PaymentUnavailable,
    RefundRefusal,
    RefundRefused,
    ReviewNotResolved,
    ReviewRefusal,
    StaffRefusal,
    StaffRefused,
    StoreBusy,
    StoreError,
)
from store.services.operations import health
from store.services.services import Services


class StoreCommand(click.Command):
    """A command that answers what the store refuses, and a database that cannot be used, with a sentence and exit
    code 1.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StoreError, DBAPIError) as failure:
            raise click.ClickException(sentence(failure)) from None


class StoreGroup(StoreCommand, click.Group):
    """A command with commands of its own, which answers in the same way."""


def current() -> Services:
    """The services of the store that the command is run for."""
    services: Services = current_app.extensions["services"]
    return services


def finish(problems: Sequence[Problem]) -> None:
    """Print the problems, and end with exit code 1 if there are any."""
    for problem in problems:
        click.echo(f"  {problem}")
    if problems:
        raise SystemExit(1)


def sentence(failure: StoreError | DBAPIError) -> str:
    """What an operator reads at a terminal."""
    if (words := _without_data(failure)) is not None:
        return words
    match failure:
        case StoreBusy() | DBAPIError():
            return _about_the_database()
        case RefundRefused():
            return _refund_refused(failure)
        case CaptureRefused():
            return _NOT_CAPTURED[failure.reason].format(amount=failure.amount.text() if failure.amount else "")
        case OrderNotFulfilled():
            return _NOT_FULFILLED[failure.reason].format_map(vars(failure))
        case StaffRefused():
            return failure.advice or _NOT_CHANGED[failure.reason]
        case ReviewNotResolved(reason=ReviewRefusal.NOTE_INVALID):
            return f"Say in one line, of at most {failure.longest_note} characters, what came of it."
        case ReviewNotResolved():
            return "This order is not in review, so there is nothing to resolve."
    return f"The store refused this: {failure}."


_SENTENCES: Mapping[type[StoreError], str] = {
    PaymentUnavailable: "Stripe does not answer right now.",
    PaymentMisconfigured: "Stripe refuses what the store asks: `flask doctor` says whether the keys are right.",
    EventGone: "Stripe does not have this event, or not any more: it keeps each for 30 days.",
    NotFound: "There is no order with this reference.",
}


def _without_data(failure: StoreError | DBAPIError) -> str | None:
    """The words of what needs no data in them."""
    for kind, words in _SENTENCES.items():
        if isinstance(failure, kind):
            return words
    return _BY_REASON.get(type(failure), {}).get(getattr(failure, "reason", ""))


def _refund_refused(refused: RefundRefused) -> str:
    amount = refused.amount.text() if refused.amount else "the amount"
    match refused.reason:
        case RefundRefusal.TOO_MUCH:
            return f"Up to {amount} of this order can be refunded."
        case RefundRefusal.OTHER_CURRENCY:
            return f"This order was paid in another currency; up to {amount} of it can be refunded."
        case RefundRefusal.EARLIER_UNANSWERED:
            return (
                f"A refund of {amount} of this order, requested at {refused.requested_at:%Y-%m-%d %H:%M} UTC, is not "
                "answered yet. The worker asks for it until it is made; `flask refund --another` requests one besides."
            )
        case RefundRefusal.DISPUTED:
            disputed = f"{amount} of this payment" if refused.amount else "this payment"
            since = f" since {refused.requested_at:%Y-%m-%d %H:%M} UTC" if refused.requested_at else ""
            return (
                f"The cardholder disputes {disputed}{since}: the bank has that money, so Stripe refunds nothing of it."
            )
        case RefundRefusal.NOT_A_WHOLE_STEP:
            step = refused.amount.minor if refused.amount else 1
            return f"An amount in this currency is a multiple of {step} minor units ({amount})."
    return _NOT_REFUNDED[refused.reason]


def _about_the_database() -> str:
    try:
        problems = health.problems(current())
    except DBAPIError:
        problems = []
    return " ".join(problems) or "The database did not do what it was asked, or not in time."


_NOT_CHANGED = {
    StaffRefusal.EMAIL_INVALID: "This is not an e-mail address, or it is longer than 80 characters.",
    StaffRefusal.EXISTS: "There is an account with this address.",
    StaffRefusal.UNKNOWN: "There is no account with this address: see `flask staff list`.",
    StaffRefusal.LAST_OWNER: "This is the only owner. Make somebody else an owner first.",
    StaffRefusal.LIVE: "With live keys there is no local account: `flask staff add` makes one.",
}
_NOT_CAPTURED = {
    CaptureRefusal.NOT_AUTHORISED: "No card is authorised for this order, so there is no amount to capture.",
    CaptureRefusal.ENDED: "Nothing was captured: the authorisation has ended, and the order with it. Do not send it.",
    CaptureRefusal.BY_PAYMENT_SERVICE: "Stripe does not capture this payment: see its dashboard, and try again.",
    CaptureRefusal.OTHER_ACCOUNT: "This payment belongs to another Stripe account or mode than STRIPE_SECRET_KEY.",
    CaptureRefusal.TOO_MUCH: "Up to {amount} can be captured: so much was authorised.",
    CaptureRefusal.OTHER_CURRENCY: "{amount} was authorised; nothing can be captured in another currency.",
    CaptureRefusal.NOT_A_WHOLE_STEP: "An amount in this currency is a multiple of {amount}.",
    CaptureRefusal.EARLIER_UNANSWERED: (
        "{amount} was asked for before, and Stripe has not said whether it was captured. Ask for the same again, or "
        "wait: the worker asks until it knows."
    ),
}
_BY_REASON: Mapping[type[Exception], Mapping[str, str]] = {
    ApiKeyRefused: {
        ApiKeyRefusal.NAME_INVALID: "Give the key a name in one line of at most 40 characters.",
        ApiKeyRefusal.NAME_TAKEN: "There is a key with this name already.",
        ApiKeyRefusal.NO_SCOPE: "Say what the key may do.",
    },
    EndpointRefused: {
        EndpointRefusal.URL_UNFIT: "An address is like https://example.com/till. In test mode http://localhost does.",
        EndpointRefusal.URL_TAKEN: "There is an endpoint with this address already.",
        EndpointRefusal.NO_FACT: "Say of what it is told.",
    },
}
_NOT_REFUNDED = {
    RefundRefusal.NOT_BY_LINE: (
        "Only an amount of this order can be refunded: it is not paid, or its things were sold meanwhile."
    ),
    RefundRefusal.FEWER_LEFT: "So much is not left to be refunded: `flask order` says what was refunded.",
    RefundRefusal.NOT_CHARGED: "Nothing was charged for what was chosen, so there is nothing to return.",
    RefundRefusal.CHARGED: "What was chosen was charged: refund it.",
    RefundRefusal.KEY_OF_ANOTHER_ORDER: "This refund was requested before, for another order.",
    RefundRefusal.KEY_OF_ANOTHER_AMOUNT: "This refund was requested before, with another amount.",
    RefundRefusal.BY_PAYMENT_SERVICE: "Stripe does not refund this payment: it was returned already.",
    RefundRefusal.OTHER_ACCOUNT: (
        "This payment belongs to another Stripe account or mode than STRIPE_SECRET_KEY: refund it in that account's "
        "dashboard."
    ),
}
_NOT_FULFILLED = {
    FulfilmentRefusal.NOT_PAID: "This order is not paid, so it is not to be sent.",
    FulfilmentRefusal.REVIEW_OPEN: "This order waits for a person: see `flask order`, then `flask resolve`.",
    FulfilmentRefusal.DISPUTED: "The payment of this order is disputed. If it is sent all the same, add --disputed.",
    FulfilmentRefusal.TRACKING_INVALID: "Give the tracking in one line of at most {longest_tracking} characters.",
    FulfilmentRefusal.CARRIER_INVALID: "Give the carrier in one line of at most {longest_carrier} characters.",
    FulfilmentRefusal.FEWER_LEFT: "So many pieces are not left to be sent: `flask order` says what was sent.",
    FulfilmentRefusal.REST_IS_PAID: "All of it is charged, so what is not sent has to be refunded, not left.",
    FulfilmentRefusal.NOTHING_CHOSEN: "There is nothing to be sent.",
    FulfilmentRefusal.STOCK_GONE: "Its things were sold when its money went back. Refund it, or add stock first.",
}
