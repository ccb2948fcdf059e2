"""Orders: the list, and what can be done with one of them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.order_filter import OrderQuery
from store.admin.order_forms import RefundForm, ResolveForm, ShipForm, refund_choice, shipped_number, shipped_pieces
from store.admin.presentation import orders as words
from store.admin.presentation.endpoints import notification_state
from store.admin.presentation.refusals import refusal
from store.admin.presentation.stripe_links import stripe_links
from store.admin.presentation.timeline import timeline
from store.admin.presentation.webhooks import event_state
from store.domain.errors import NotFound, OrderClosed, PaymentMisconfigured, PaymentUnavailable, StoreBusy
from store.domain.money import Money
from store.domain.staff import Role
from store.domain.states import OrderState
from store.gateway.port import CancelReason
from store.services import balance, documents, mail, orders, payments
from store.services.orders import links, listing, reviews, whole
from store.services.payments import fraud_warnings, refunds
from store.services.payments.disputes import UNANSWERED
from store.services.payments.refunds import Choice
from store.web.current import now, services
from store.web.documents import address
from store.webhooks import deliveries

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.get("")
@guard.allowed(Role.PACKING)
def index() -> ResponseReturnValue:
    """The orders, searched, filtered and sorted, page by page."""
    query = OrderQuery.of_request()
    with services().database.reading() as session:
        part = listing.find(session, query.filter, query.after)
    return render_template(
        "admin/orders.html",
        query=query,
        orders=part.orders,
        after=query.cursor_text(part.after),
        labels=words.labels,
        shown=words.SHOWN,
        sorted=words.SORTED,
    ), 200


@blueprint.get("/<reference:reference>")
@guard.allowed(Role.PACKING)
def show(reference: str) -> ResponseReturnValue:
    """Everything that is known of an order, and what can be done with it."""
    with services().database.reading() as session:
        found = whole.read(session, reference)
        events = deliveries.about_payments(session, found.order.payments)
        issued = documents.of_order(session, found.order.id)
        entries = balance.of_order(session, found.order)
    return render_template(
        "admin/order.html",
        whole=found,
        order=found.order,
        words=words,
        notification_state=notification_state,
        events=events,
        event_state=event_state,
        timeline=timeline(found),
        unanswered=UNANSWERED,
        documents=[(each, address(each, reference)) for each in issued],
        entries=entries,
        entries_net=balance.net_of(entries),
        invoices_are_issued=documents.can_issue(services().settings),
        stripe=stripe_links(services().settings),
        pay_link=links.order_link(services(), reference),
        ship_form=ShipForm(formdata=None),
        refund_form=RefundForm(formdata=None),
        resolve_form=ResolveForm(formdata=None),
        button=ButtonForm(formdata=None),
        open_reviews=[review for review in found.order.reviews if review.resolved_at is None],
        closed_reviews=[review for review in found.order.reviews if review.resolved_at is not None],
        money=lambda minor: Money(minor, found.order.currency).text(),
    ), 200


@blueprint.get("/<reference:reference>/packing-slip")
@guard.allowed(Role.PACKING)
def packing_slip(reference: str) -> ResponseReturnValue:
    """What goes into a parcel, to be printed: one that was sent, by its number, or the next one."""
    with services().database.reading() as session:
        found = orders.find(session, reference, orders.STAFF)
    number = request.args.get("number")
    sent = next((each for each in found.shipments if str(each.number) == number), None)
    if sent is None and number is not None:
        raise NotFound
    return render_template(
        "admin/packing_slip.html", order=found, shipment=sent, pieces=words.packed_pieces(found, sent)
    ), 200


@blueprint.get("/<reference:reference>/mails/<int:mail_id>")
@guard.allowed(Role.SERVICE)
def show_mail(reference: str, mail_id: int) -> ResponseReturnValue:
    """The text of a mail, as it would be sent now."""
    with services().database.reading() as session:
        email = mail.preview(session, services(), mail_id, reference)
        subject, _, body = render_template(f"mail/{email.kind}.txt", **email.facts).partition("\n")
    return render_template("admin/mail.html", reference=reference, to=email.to, subject=subject, body=body.strip()), 200


@blueprint.post("/<reference:reference>/ship")
@guard.allowed(Role.PACKING)
def ship(reference: str) -> ResponseReturnValue:
    """Note that it was sent, or a part of it, having charged the card where it is only authorised."""
    form = ShipForm()
    try:
        pieces = shipped_pieces()
    except ValueError:
        flash("Type how many pieces are in the parcel: 0 or more of each thing.", "bad")
        return _back(reference)
    try:
        capture = _amount(reference, form.capture.data)
    except ValueError as example:
        flash(f"Type an amount such as {example}, or leave the field empty for all that is authorised.", "bad")
        return _back(reference)
    sent = orders.fulfil(
        services(),
        reference,
        form.tracking.data,
        guard.origin(),
        carrier=form.carrier.data,
        pieces=pieces,
        number=shipped_number(),
        disputed=form.disputed.data,
        capture=capture,
        leave_rest=form.leave_rest.data,
    )
    flash("Shipped. The customer gets a mail." if sent else "It was shipped before.")
    return _back(reference)


@blueprint.post("/<reference:reference>/refund")
@guard.allowed(Role.SERVICE)
def refund(reference: str) -> ResponseReturnValue:
    """Return its money, or a part of it. What Stripe does not answer is made by the worker."""
    form = RefundForm()
    try:
        amount = _amount(reference, form.amount.data)
    except ValueError as example:
        flash(f"Type an amount such as {example}, or leave the field empty for all that is left.", "bad")
        return _back(reference)
    return _refund(reference, amount, another=form.another.data)


@blueprint.post("/<reference:reference>/refund-lines")
@guard.allowed(Role.SERVICE)
def refund_lines(reference: str) -> ResponseReturnValue:
    """Return the money for pieces of its lines, or for its shipping; what was not charged is only not sent any more."""
    form = RefundForm()
    try:
        choice = refund_choice()
    except ValueError:
        flash("Type how many pieces are refunded: 0 or more of each thing.", "bad")
        return _back(reference)
    if not choice.pieces and not choice.shipping:
        flash("Say how many pieces of what are refunded.", "bad")
        return _back(reference)
    elsewhere = "elsewhere" in request.form
    if refunds.withdraw(services(), reference, choice, guard.origin(), returned_elsewhere=elsewhere):
        noted = "Noted." if elsewhere else "Nothing was charged for it, so nothing is returned."
        flash(f"{noted} It is not sent any more.")
        return _back(reference)
    return _refund(reference, choice, another=form.another.data)


def _refund(reference: str, what: Money | Choice | None, *, another: bool) -> ResponseReturnValue:
    key = refunds.request(services(), reference, what, guard.origin(), another=another)
    try:
        state = refunds.submit(services(), reference, None, key, guard.origin())
    except (PaymentUnavailable, PaymentMisconfigured, StoreBusy) as failure:
        flash(f"{refusal(failure)} The refund is asked for, and the worker goes on until it is made.", "bad")
        return _back(reference)
    with services().database.reading() as session:
        made = refunds.by_key(session, key)
        amount = Money(made.amount_minor, orders.peek(session, reference, orders.STAFF).currency).text()
    flash(f"The refund of {amount} is {words.REFUND_STATES[state].text}.")
    return _back(reference)


@blueprint.post("/<reference:reference>/cancel")
@guard.allowed(Role.SERVICE)
def cancel(reference: str) -> ResponseReturnValue:
    """Close an order that waits for its payment. Raises OrderClosed where it is too late for that."""
    left = payments.close(services(), reference, CancelReason.BY_SHOPPER, now(), guard.origin())
    if left is not OrderState.CANCELLED:
        raise OrderClosed(reference)
    flash("Cancelled. Nothing was charged, and its stock is for others again.")
    return _back(reference)


@blueprint.post("/<reference:reference>/resolve")
@guard.allowed(Role.SERVICE)
def resolve(reference: str) -> ResponseReturnValue:
    """Say what came of its reviews, or of one of them."""
    form = ResolveForm()
    reviews.resolve(services(), reference, form.note.data or "", guard.origin(), form.review.data)
    flash("The review is resolved.")
    return _back(reference)


@blueprint.post("/<reference:reference>/warnings/<int:review_id>/refund")
@guard.allowed(Role.SERVICE)
def refund_warned(reference: str, review_id: int) -> ResponseReturnValue:
    """Return the money of a payment that a card network takes for fraud, and resolve the warning."""
    try:
        state = fraud_warnings.return_money(services(), reference, review_id, guard.origin())
    except (PaymentUnavailable, PaymentMisconfigured, StoreBusy) as failure:
        flash(f"{refusal(failure)} A refund that is asked for is made by the worker.", "bad")
        return _back(reference)
    if state is None:
        flash("Cancelled. Nothing was charged, and the authorisation is released.")
    else:
        flash(f"The warning is answered, and the refund is {words.REFUND_STATES[state].text}.")
    return _back(reference)


@blueprint.post("/<reference:reference>/mails/<int:mail_id>/again")
@guard.allowed(Role.SERVICE)
def send_mail_again(reference: str, mail_id: int) -> ResponseReturnValue:
    """Have the worker send a mail once more."""
    again = mail.send_again(services(), mail_id, reference, guard.origin())
    flash("The mail goes out again in a moment." if again else "The mail is on its way already.")
    return _back(reference)


@blueprint.post("/<reference:reference>/mails/<int:mail_id>/now")
@guard.allowed(Role.SERVICE)
def try_mail_now(reference: str, mail_id: int) -> ResponseReturnValue:
    """Have the worker try a mail at once that the mail server has not taken yet."""
    waits = mail.try_now(services(), mail_id, reference, guard.origin())
    flash("The worker tries it at once." if waits else "This mail does not wait any more.")
    return _back(reference)


@blueprint.post("/<reference:reference>/mails/<int:mail_id>/give-up")
@guard.allowed(Role.SERVICE)
def give_up_mail(reference: str, mail_id: int) -> ResponseReturnValue:
    """Somebody was told another way."""
    told = mail.give_up(services(), mail_id, reference, guard.origin())
    flash("The mail is off the list." if told else "The mail was sent, or was not true any more.")
    return _back(reference)


@blueprint.post("/<reference:reference>/refund-now")
@guard.allowed(Role.SERVICE)
def refund_now(reference: str) -> ResponseReturnValue:
    """Ask Stripe at once for what the worker would ask for: money that is owed back, and refunds without an answer."""
    refunds.return_unowed(services(), reference, now())
    refunds.resubmit(services(), reference, now())
    flash("Stripe has answered: the money is on its way back.")
    return _back(reference)


def _amount(reference: str, typed: str | None) -> Money | None:
    """An amount in the order's currency; None where nothing is typed. Raises ValueError with an example of one."""
    if not (typed or "").strip():
        return None
    with services().database.reading() as session:
        currency = orders.peek(session, reference, orders.STAFF).currency
    try:
        return Money.read(typed or "", currency)
    except ValueError:
        raise ValueError(Money(1230, currency).plain) from None


def _back(reference: str) -> ResponseReturnValue:
    """To where the form was: the order's page, or the work list."""
    home = request.form.get("back") == "today"
    return redirect(url_for("home.show") if home else url_for("orders.show", reference=reference), 303)
