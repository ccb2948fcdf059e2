"""What an operator reads of a finding: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from store.services.findings import Finding

RECONCILE = "Run `flask reconcile`."
BY_HAND = "Compare its timeline (`flask order`) with Stripe's dashboard, and settle it by hand."
_NOT_THERE = "Check that STRIPE_SECRET_KEY is of the account and the mode that took it; else find out who wrote it."
_WORKER = "Is `flask worker --every 30` running?"


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence about what is wrong with `subject`, and one about what a person should do; the second may be empty."""

    subject: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.wrong} {self.remedy}"


def problem_of(finding: Finding) -> Problem:
    """A finding in words. What reconciliation could not repair will not be repaired by running it again."""
    wrong, remedy = WORDS[finding.code]
    if finding.unrepaired and remedy == RECONCILE:
        remedy = BY_HAND
    return Problem(finding.subject, wrong.format_map(finding.data), remedy.format_map(finding.data))


# By the code of a finding: what is wrong, and what to do.
WORDS: Mapping[str, tuple[str, str]] = {
    # Of the audit.
    "no_live_payment": ("has no live payment, not even one that is not opened.", "Find out who removed it."),
    "in_review": ("waits for a person: {reason}.", "See `flask order {reference}`, then `flask resolve`."),
    "paid_without_payment": ("is paid, but its payment is not.", "Run `flask reconcile`; send nothing out before."),
    "payment_without_order": ("was paid for, but is not paid.", "Refund it with `flask refund`, or look into it."),
    "other_amount_received": ("was paid with another amount than its total.", "Settle the difference."),
    "authorisation_differs": (
        "and its payment disagree about whether a card is authorised.",
        "Run `flask reconcile`; send nothing out before.",
    ),
    "total_differs": (
        "has a total of {total}; its lines and adjustments come to {quoted}.",
        "Look into it before it is sent.",
    ),
    "other_payment_amount": ("has a payment of another amount than its total.", "Look into it before it is sent."),
    "refunds_differ": ("does not agree with its refunds.", RECONCILE),
    "shipments_differ": (
        "has lines that do not agree with its shipments.",
        "Look into its timeline with `flask order`, and at what was sent.",
    ),
    "refund_lines_differ": (
        "has lines that do not agree with what was refunded of them.",
        "Look into its timeline with `flask order`, and count the stock.",
    ),
    "refund_amount_differs_from_lines": ("has a refund of another amount than its lines.", BY_HAND),
    "second_payment_kept": ("was paid a second time, and that is not being returned.", "Refund it at Stripe."),
    "stock_misplaced": ("has stock that is not where its state says.", "Look into its timeline with `flask order`."),
    "reserved_differs": ("{reserved} are reserved, open orders need {needed}.", "Set `reserved` to what they need."),
    "uses_differ": ("{used} uses are counted, {orders} orders have one.", "Set `used` to the number of orders."),
    "dispute_flag_wrong": ("is flagged as disputed, or not, against its disputes.", RECONCILE),
    "overdue": (
        "should have expired long ago.",
        f"{_WORKER} If it is, `flask reconcile` says what stands in its way.",
    ),
    "refund_overdue": ("waits for a refund that was not made.", _WORKER),
    "capture_overdue": ("waits for Stripe to say whether its money was captured.", _WORKER),
    "taxes_differ": (
        "has other taxes on record at Stripe than it was paid with.",
        "Compare its timeline (`flask order`) with the tax transactions in Stripe's dashboard.",
    ),
    "tax_overdue": ("its taxes are not on record at Stripe yet.", _WORKER),
    "invoice_differs": (
        "has an invoice of another total than what came in.",
        "Find out who wrote it.",
    ),
    "invoice_missing": ("was paid and has no invoice.", _WORKER),
    "credit_differs": ("has credit notes of another sum than what was returned.", _WORKER),
    "number_before_missing": (
        "there is none with the number before.",
        "Find out who removed it; the tax office will ask.",
    ),
    "last_number_missing": ("it was issued, and is not there.", "Find out who removed it; the tax office will ask."),
    "event_unhandled": (
        "a webhook of type {type} could not be handled ({error}).",
        "Run `flask reconcile`, and look into the log.",
    ),
    "mail_unsent": (
        "its e-mail “{kind}” was not sent after {attempts} tries.",
        "Check MAIL_SERVER with `flask doctor`.",
    ),
    "mail_refused": (
        "its e-mail “{kind}” was refused for good by the mail server.",
        "It is not sent again: tell the customer another way.",
    ),
    "merchant_mail_refused": (
        "its e-mail “{kind}” to you was refused for good by the mail server.",
        "It is not sent again: look at MERCHANT_EMAIL, and at the order.",
    ),
    # Of the comparison with Stripe.
    "payment_not_there": ("has a payment, {payment}, that Stripe does not have.", _NOT_THERE),
    "paid_twice": ("was paid a second time, by {payment}.", RECONCILE),
    "second_payment_open": ("has a second payment that is open, {payment}.", RECONCILE),
    "authorised_only_there": ("has an authorised card at Stripe and not here.", RECONCILE),
    "paid_only_there": ("is paid at Stripe and not here.", RECONCILE),
    "paid_only_here": ("is paid here and not at Stripe.", "Send nothing out; find out who wrote it."),
    "received_differs": ("was paid {there} at Stripe.", "Settle the difference."),
    "cancelled_only_there": ("waits here for a payment that is cancelled at Stripe.", RECONCILE),
    "still_payable": ("is {state}, and can still be paid at Stripe.", RECONCILE),
    "order_not_here": (
        "{there} came in for order {reference}, which this store does not have.",
        "Refund it in Stripe's dashboard, or find out which store took it.",
    ),
    "refund_not_there": ("has a refund of {here}, {id}, that Stripe does not have.", _NOT_THERE),
    "refund_not_here": ("has a refund of {there} at Stripe, {id}, that is not here.", RECONCILE),
    "refund_amount_differs": ("has a refund, {id}, of {here} here and of {there} at Stripe.", "Settle the difference."),
    "refund_state_differs": ("has a refund, {id}, {state} here, {event} at Stripe.", RECONCILE),
    "dispute_not_there": ("has a dispute, {id}, that Stripe does not have.", _NOT_THERE),
    "dispute_not_here": ("has a dispute of {there} at Stripe, {id}, that is not here.", RECONCILE),
    "dispute_amount_differs": (
        "has a dispute, {id}, of {here} here and of {there} at Stripe.",
        "Go by Stripe's dashboard.",
    ),
    "dispute_state_differs": ("has a dispute, {id}, {state} here, {event} at Stripe.", RECONCILE),
}
