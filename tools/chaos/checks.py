"""What must be true once all pending work is done, counted from the evidence. Each check lists what is not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.chaos.evidence import Evidence, Order
from tools.chaos.plan import Story
from tools.chaos.shoppers import Visit

KEPT_ORDERS = ("paid", "fulfilled")
RECEIVED = ("paid", "refunded")
# Shoppers who changed their minds may buy twice; everybody else wanted one order.
BUYS_ONCE = frozenset(Story) - {Story.CHANGES_THE_CART}


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence, what shoppers remember, the stock at first, and how many emails may be repeated."""

    evidence: Evidence
    visits: Sequence[Visit]
    initial_stock: Mapping[str, int]
    crashes: int

    def by_reference(self) -> dict[str, Order]:
        return {order.reference: order for order in self.evidence.orders}

    def intents(self) -> dict[str, list[dict[str, Any]]]:
        """Stripe's payments by the order they name."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for intent in self.evidence.intents:
            found[intent["metadata"].get("order_reference", "")].append(intent)
        return found


def paid_at_stripe_only(case: Case) -> Iterator[str]:
    """Money that came in has an order that says so, of that amount and currency."""
    orders = case.by_reference()
    for intent in case.evidence.intents:
        if intent["status"] != "succeeded":
            continue
        order = orders.get(intent["metadata"].get("order_reference", ""))
        if order is None or order.intent != intent["id"]:
            yield f"{intent['id']}: {intent['amount_received']} came in and no order knows it"
        elif order.payment not in RECEIVED or order.received != intent["amount_received"]:
            yield f"order {order.reference}: Stripe received {intent['amount_received']}, the store {order.received}"
        elif order.state not in (*KEPT_ORDERS, "refunded") and order.refunded != order.received:
            yield f"order {order.reference} is {order.state}, and its money was kept"


def paid_in_the_store_only(case: Case) -> Iterator[str]:
    """An order that says paid, or ever was, has a payment that succeeded at Stripe."""
    succeeded = {intent["id"]: intent for intent in case.evidence.intents if intent["status"] == "succeeded"}
    for order in case.evidence.orders:
        claims = order.paid or order.received or order.payment in RECEIVED or order.state in KEPT_ORDERS
        intent = succeeded.get(order.intent or "")
        if claims and intent is None:
            yield f"order {order.reference} is {order.state}, its payment {order.payment}; Stripe has nothing"
        due = order.captured or order.total
        if intent is not None and intent["amount_received"] != due:
            yield f"order {order.reference}: {due} was due, Stripe received {intent['amount_received']}"


def charged_twice(case: Case) -> Iterator[str]:
    """One order, one charge; one shopper who wanted one order, one charge. What was only authorised is none."""
    order_of = {intent["id"]: intent["metadata"].get("order_reference") for intent in case.evidence.intents}
    charges = [charge for charge in case.evidence.charges if charge["paid"] and charge["captured"]]
    charged = Counter(order_of.get(charge["payment_intent"]) for charge in charges)
    yield from (f"order {reference} was charged {times} times" for reference, times in charged.items() if times > 1)
    for visit in case.visits:
        times = sum(charged[reference] for reference in visit.orders)
        if times > 1 and visit.shopper.story in BUYS_ONCE and all(charged[each] < 2 for each in visit.orders):
            yield f"{visit.shopper.email} was charged for {times} orders and wanted one"


def orphans(case: Case) -> Iterator[str]:
    """No payment without an order, none that can still be paid for a closed order, no unfinished work."""
    orders = case.by_reference()
    for reference, intents in case.intents().items():
        order = orders.get(reference)
        for intent in intents:
            if order is None:
                yield f"{intent['id']} ({intent['status']}) names no order of the store"
            elif intent["status"] not in ("succeeded", "canceled"):
                yield f"{intent['id']} ({intent['status']}) can still be paid, and its order is {order.state}"
        kept = [intent for intent in intents if intent["status"] != "canceled"]
        if len(kept) > 1:
            yield f"order {reference} has {len(kept)} payments at Stripe"
    for page in case.evidence.pages:
        if page["status"] == "open":
            yield f"{page['id']} can still be paid, for order {page['client_reference_id']}"
    for order in case.evidence.orders:
        if order.state == "awaiting_payment" or order.refund_due or order.needs_review:
            waits = "a refund" if order.refund_due else "a person" if order.needs_review else "its payment"
            yield f"order {order.reference} ({order.state}) still waits for {waits}"


def different_refunds(case: Case) -> Iterator[str]:
    """Money that went back is the same on both sides, refund by refund and order by order."""
    at_stripe = {
        refund["id"]: refund for refund in case.evidence.refunds if refund["status"] in ("succeeded", "pending")
    }
    for provider_refund_id in at_stripe.keys() ^ case.evidence.store_refunds.keys():
        knows = "Stripe" if provider_refund_id in at_stripe else "the store"
        yield f"refund {provider_refund_id} is known to {knows} alone"
    returned: Counter[str] = Counter()
    for refund in at_stripe.values():
        returned[refund["payment_intent"]] += refund["amount"]
    for order in case.evidence.orders:
        if order.refunded != returned[order.intent or ""]:
            yield f"order {order.reference}: {returned[order.intent or '']} went back, the store says {order.refunded}"
        if (order.state == "refunded") != (order.refunded == order.received > 0) and order.paid:
            yield f"order {order.reference} is {order.state} with {order.refunded} of {order.received} returned"


def different_disputes(case: Case) -> Iterator[str]:
    """Every dispute is known on both sides, in the same state. Nobody here answers an inquiry."""
    at_stripe = {dispute["id"]: dispute["status"] for dispute in case.evidence.disputes}
    for provider_dispute_id in at_stripe.keys() | case.evidence.store_disputes.keys():
        here, there = case.evidence.store_disputes.get(provider_dispute_id), at_stripe.get(provider_dispute_id)
        if here != there:
            yield f"dispute {provider_dispute_id} is {there} at Stripe, {here} in the store"


def unhandled_webhooks(case: Case) -> Iterator[str]:
    """Every webhook that the store remembers was handled in the end."""
    if case.evidence.unhandled_events:
        yield f"{case.evidence.unhandled_events} events were remembered and never handled"


def oversold(case: Case) -> Iterator[str]:
    """Committed stock and remaining stock add up to the initial stock; what is reserved belongs to an open order."""
    for slug, (stock, reserved) in case.evidence.stock.items():
        if slug not in case.initial_stock:
            continue
        pieces = case.evidence.pieces.get(slug, {})
        committed, expected_reserved = pieces.get("committed", 0), pieces.get("reserved", 0)
        if committed > case.initial_stock[slug] or stock < 0:
            yield f"{slug}: {committed} committed of {case.initial_stock[slug]}"
        elif stock + committed != case.initial_stock[slug]:
            yield f"{slug}: {case.initial_stock[slug]} at first, {committed} committed, {stock} remaining"
        if reserved != expected_reserved:
            yield f"{slug}: {reserved} reserved, {expected_reserved} of them by open orders"
    for order in case.evidence.orders:
        expected = {"awaiting_payment": "reserved", "paid": "committed", "fulfilled": "committed"}.get(
            order.state, "released"
        )
        if order.reservation != expected:
            yield f"order {order.reference} is {order.state} and its stock is {order.reservation}"


def unsent_emails(case: Case) -> Iterator[str]:
    """Every email in the outbox arrived, or was dropped because it was not true any more. Every paid order, every one
    that expired after a card was tried, every refund and every dispute has one.
    """
    arrived = {email.message_id for email in case.evidence.delivered}
    queued: defaultdict[str, set[str]] = defaultdict(set)
    for email in case.evidence.emails:
        queued[email.reference].add(email.kind)
        if not email.dropped and (email.message_id not in arrived or not email.sent):
            yield f"order {email.reference}: its email {email.kind} did not arrive"
    for order in case.evidence.orders:
        closed = {"order_expired"} if order.state == "expired" and order.tried else set()
        if order.authorised:
            closed = {"authorisation_released"}
        expected = {"order_paid"} if order.paid else closed
        if missing := expected - queued[order.reference]:
            yield f"order {order.reference} is {order.state} and has no email {', '.join(missing)}"
    dedupe_keys = {email.dedupe_key for email in case.evidence.emails}
    happened = [f"refund:{refund['id']}" for refund in case.evidence.refunds if refund["status"] == "succeeded"]
    happened += [f"dispute:{dispute['id']}" for dispute in case.evidence.disputes]
    yield from (f"{each} has no email" for each in happened if each not in dedupe_keys)


def duplicate_emails(case: Case) -> Iterator[str]:
    """Nothing has two emails; an email is repeated, with the same Message-ID, at most once for each crash."""
    for (reference, dedupe_key), times in Counter(
        (each.reference, each.dedupe_key) for each in case.evidence.emails
    ).items():
        if times > 1:
            yield f"order {reference}: {times} emails for {dedupe_key}"
    known = {email.message_id for email in case.evidence.emails}
    subjects: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for email in case.evidence.delivered:
        if email.message_id not in known:
            yield f"an email arrived that is not in the outbox: {email.subject}"
        if "is paid" in email.subject or "was closed" in email.subject:
            subjects[email.to, email.subject].add(email.message_id)
    yield from (f"{to} has two emails: {subject}" for (to, subject), ids in subjects.items() if len(ids) > 1)
    if (repeated := repeats(case.evidence)) > case.crashes:
        yield f"{repeated} emails were repeated, with {case.crashes} crashes"


def misinformed_shoppers(case: Case) -> Iterator[str]:
    """What shoppers saw stays true: an order that was shown to them as paid is paid, or was refunded, or its card was
    authorised and released.
    """
    orders = case.by_reference()
    for visit in case.visits:
        for reference in visit.confirmed_paid | visit.seen_paid:
            order = orders.get(reference)
            if order is None or (order.payment not in RECEIVED and not order.authorised):
                yield f"{visit.shopper.email} saw order {reference} as paid, and it is not"
        for reference in visit.orders:
            if reference not in orders:
                yield f"{visit.shopper.email} placed order {reference}, and the store has lost it"


def repeats(evidence: Evidence) -> int:
    """How many emails arrived more than once under the same Message-ID."""
    return len(evidence.delivered) - len({email.message_id for email in evidence.delivered})


CHECKS: Mapping[str, Callable[[Case], Iterator[str]]] = {
    "Paid at Stripe, not in the store": paid_at_stripe_only,
    "Paid in the store, not at Stripe": paid_in_the_store_only,
    "Charged twice": charged_twice,
    "Orphans and unfinished work": orphans,
    "Refunds that differ": different_refunds,
    "Disputes that differ": different_disputes,
    "Webhooks not handled": unhandled_webhooks,
    "Oversold or leaked": oversold,
    "Mails never sent": unsent_emails,
    "Mails sent twice": duplicate_emails,
    "Shoppers misinformed": misinformed_shoppers,
}
