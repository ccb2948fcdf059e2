"""Commands about orders: `order`, `fulfil`, `refund`, `reviews`, `resolve`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import click
from flask.cli import with_appcontext

from models import HistoryEntry, Order, OrderLine, Payment, Shipment
from store.cli.command import StoreCommand, current, sentence
from store.cli.line_options import LINE, METAVAR, pieces_of
from store.domain.addresses import Address
from store.domain.errors import NotFound, PaymentMisconfigured, PaymentUnavailable, StoreBusy
from store.domain.money import Money
from store.domain.states import OrderState
from store.services import orders
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces


@click.command("order", cls=StoreCommand)
@click.argument("reference")
@with_appcontext
def order_command(reference: str) -> None:
    """Print an order: what, to whom, for how much, its payments, its reviews, and its timeline."""
    services = current()
    with services.database.reading() as session:
        order = orders.find(session, _known_form(reference), orders.STAFF)
        for line in _order_lines(order):
            click.echo(line)


@click.command("reviews", cls=StoreCommand)
@with_appcontext
def reviews_command() -> None:
    """List the orders that wait for a person, and why, the longest waiting first."""
    services = current()
    with services.database.reading() as session:
        waiting = reviews.waiting(session)
    for each in waiting:
        why = _review(each.review.reason, each.review.subject)
        click.echo(f"{_time(each.review.opened_at)}  {each.reference}  {why}")
    many = "1 review waits" if len(waiting) == 1 else f"{len(waiting)} reviews wait"
    click.echo(f"{many} for a person." if waiting else "Nothing waits for a person.")


@click.command("fulfil", cls=StoreCommand)
@click.argument("reference")
@click.option(LINE, "lines", multiple=True, metavar=METAVAR, help="Only so many of this product; can be repeated.")
@click.option("--carrier", help="Who carries it; one line.")
@click.option("--tracking", help="The carrier's number or address, for the customer; one line.")
@click.option("--disputed", is_flag=True, help="Though the payment is disputed.")
@click.option(
    "--capture", type=click.IntRange(min=1), help="Of an authorised card, charge so many cents only; else all."
)
@click.option("--leave-rest", is_flag=True, help="Send nothing else, where the rest is not charged.")
@with_appcontext
def fulfil_command(
    reference: str,
    lines: tuple[str, ...],
    carrier: str | None,
    tracking: str | None,
    disputed: bool,
    capture: int | None,
    leave_rest: bool,
) -> None:
    """Note that an order was sent, or a part of it; a card that is only authorised is charged first. Its customer gets
    an e-mail.
    """
    services = current()
    with services.database.reading() as session:
        order = orders.find(session, _known_form(reference), orders.STAFF)
    sent = orders.fulfil(
        services,
        order.reference,
        tracking,
        Origin(Source.STAFF, services.clock()),
        carrier=carrier,
        pieces=pieces_of(order, lines, lambda line: line.to_ship) if lines else None,
        disputed=disputed,
        capture=Money(capture, order.currency) if capture is not None else None,
        leave_rest=leave_rest,
    )
    with services.database.reading() as session:
        done = orders.peek(session, order.reference, orders.STAFF).state is OrderState.FULFILLED
    if not sent:
        click.echo("The order was fulfilled before.")
    else:
        click.echo(f"{'The order is fulfilled' if done else 'A part was sent'}, and its customer gets an e-mail.")


@click.command("refund", cls=StoreCommand)
@click.argument("reference")
@click.option("--amount", type=click.IntRange(min=1), help="In minor units (cents); left out, all that is left.")
@click.option(LINE, "lines", multiple=True, metavar=METAVAR, help="What these pieces cost; can be repeated.")
@click.option("--shipping", is_flag=True, help="What the shipping cost.")
@click.option("--sent", is_flag=True, help="The pieces had been sent, and come back.")
@click.option("--no-restock", is_flag=True, help="They are not for sale again.")
@click.option("--another", is_flag=True, help="Though an earlier refund of this order is not answered yet.")
@with_appcontext
def refund_command(
    reference: str,
    amount: int | None,
    lines: tuple[str, ...],
    shipping: bool,
    sent: bool,
    no_restock: bool,
    another: bool,
) -> None:
    """Return the money of an order, or a part of it: an amount, or what some of its lines cost. What Stripe does not
    answer is made by the worker.
    """
    services = current()
    if amount is not None and (lines or shipping):
        raise click.UsageError("Give an amount, or lines and shipping.")
    with services.database.reading() as session:
        order = orders.find(session, _known_form(reference), orders.STAFF)
    origin = Origin(Source.STAFF, services.clock())
    what: Money | Choice | None = Money(amount, order.currency) if amount is not None else None
    if lines or shipping:
        what = _choice(order, lines, shipping=shipping, sent=sent, restock=not no_restock)
        if refunds.withdraw(services, order.reference, what, origin):
            click.echo("Nothing was charged for it, so nothing is returned; it is not sent any more.")
            return
    key = refunds.request(services, order.reference, what, origin, another=another)
    try:
        state = refunds.submit(services, order.reference, None, key, origin)
    except (PaymentUnavailable, PaymentMisconfigured, StoreBusy) as failure:
        click.echo(sentence(failure))
        click.echo("The refund is requested, and the worker submits it until it is made: do not request it again.")
        return
    if not isinstance(what, Choice):
        click.echo(f"The refund is {state}.")
        return
    with services.database.reading() as session:
        made = refunds.by_key(session, key)
    click.echo(f"The refund of {Money(made.amount_minor, order.currency).text()} is {state}.")


@click.command("resolve", cls=StoreCommand)
@click.argument("reference")
@click.option("--note", required=True, help="What came of it, in a line; the shopper does not read it.")
@with_appcontext
def resolve_command(reference: str, note: str) -> None:
    """Say that a person looked into an order that waited for one. Nothing else about the order changes."""
    services = current()
    resolved = reviews.resolve(services, _known_form(reference), note, Origin(Source.STAFF, services.clock()))
    click.echo("The review is resolved." if resolved == 1 else f"{resolved} reviews are resolved.")


def _choice(order: Order, lines: Sequence[str], *, shipping: bool, sent: bool, restock: bool) -> Choice:
    pieces = pieces_of(order, lines, lambda line: line.shipped - line.refunded_sent if sent else line.to_ship)
    chosen = [ChosenPieces(product_id, count, sent=sent, restock=restock) for product_id, count in pieces.items()]
    return Choice(chosen, shipping)


def _known_form(reference: str) -> str:
    """A reference is plain ASCII, and not every database takes anything else. Raises NotFound."""
    if not reference.isascii() or "\0" in reference:
        raise NotFound
    return reference.upper()


def _order_lines(order: Order) -> Iterator[str]:
    flags = {"authorised": order.is_authorised, "disputed": order.disputed, "in review": order.needs_review}
    state = ", ".join([order.state, *(flag for flag, raised in flags.items() if raised)])
    yield f"Order {order.reference}: {state}"
    yield f"  placed     {_time(order.placed_at)}" + (f", paid {_time(order.paid_at)}" if order.paid_at else "")
    if order.is_authorised:
        yield f"  authorised {_time(order.authorised_at)}, released {_time(order.expires_at)} unless it is sent"
    if order.closed_because:
        yield f"  closed     because {order.closed_because}"
    if order.fulfilled_at:
        yield f"  fulfilled  {_time(order.fulfilled_at)}"
    yield f"  e-mail     {order.email}"
    yield f"  ships to   {_address(order.shipping) or 'nowhere: it is sent by e-mail'}"
    yield f"  billed to  {_address(order.billing)}"
    if order.tax_id:
        yield f"  VAT number {order.tax_id}"
    yield ""
    yield from _price(order)
    yield ""
    for shipment in order.shipments:
        yield f"  shipment {_shipment(shipment)}"
    for payment in order.payments:
        yield f"  payment {_payment(payment, order.currency)}"
    for review in order.reviews:
        resolved = f"resolved {_time(review.resolved_at)}: {review.note}" if review.resolved_at else "open"
        yield f"  review  {_time(review.opened_at)}  {_review(review.reason, review.subject)}; {resolved}"
    yield ""
    for entry in order.history:
        yield f"  {_entry(entry)}"


def _price(order: Order) -> Iterator[str]:
    for line in order.lines:
        yield f"  {line.quantity:>3} × {line.name:<40} {line.total.text():>12}{_pieces(line)}"
    for adjustment in order.adjustments:
        amount = adjustment.contained or adjustment.amount
        yield f"      {adjustment.label:<42} {amount.text():>12}"
    yield f"      {'Total':<42} {order.total.text():>12}"


def _shipment(shipment: Shipment) -> str:
    pieces = ", ".join(f"{each.quantity} × {each.line.slug}" for each in shipment.lines)
    how = f", {shipment.how}" if shipment.how else ""
    return f"{shipment.number}  {_time(shipment.shipped_at)}  {pieces}{how}"


def _pieces(line: OrderLine) -> str:
    """What became of a line's pieces, where anything has."""
    counts = {"shipped": line.shipped, "refunded": line.refunded_unsent + line.refunded_sent}
    counts |= {"restocked": line.restocked}
    known = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"  {known}" if known else ""


def _payment(payment: Payment, currency: str) -> str:
    received, refunded = Money(payment.received_minor, currency), Money(payment.refunded_minor, currency)
    card = f", {payment.card_brand} {payment.card_last4}" if payment.card_last4 else ""
    name = payment.provider_payment_id or payment.provider_page_id or "(not created)"
    parts = [f"{name}  {payment.kind}, {payment.state}{card}"]
    if payment.capture_minor is not None and not payment.received_minor:
        parts += [f"{Money(payment.capture_minor, currency).text()} to be captured"]
    if payment.received_minor and payment.received_minor < payment.amount_minor:
        parts += [f"authorised {Money(payment.amount_minor, currency).text()}"]
    parts += [f"received {received.text()}"] if payment.received_minor else []
    parts += [f"refunded {refunded.text()}"] if payment.refunded_minor else []
    parts += [f"{payment.declines} declined"] if payment.declines else []
    parts += ["to be returned"] if payment.refund_due else []
    parts += [] if payment.live else ["the order does not count on it"]
    return ", ".join(parts)


def _review(reason: str, subject: str) -> str:
    return f"{reason} ({subject})" if subject else reason


def _entry(entry: HistoryEntry) -> str:
    states = f"  {entry.from_state or '-'} → {entry.to_state}" if entry.to_state else ""
    data = " ".join(f"{name}={value}" for name, value in entry.data.items() if value is not None)
    who = f"{entry.source} ({entry.actor})" if entry.actor else entry.source
    return f"{_time(entry.at)}  {entry.type:<26} {who:<15}{states}" + (f"  {data}" if data else "")


def _address(address: Address) -> str:
    parts = (
        *(address.full_name, address.line1, address.line2, address.city, address.region, address.postal_code),
        *(address.country, address.phone),
    )
    return ", ".join(part for part in parts if part)


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
