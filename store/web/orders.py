"""An order's pages: payment, status, the list of this browser's orders. The state decides which one is shown."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models import Order
from store.domain.errors import NotFound, PaymentMisconfigured, PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState
from store.services import checkout, documents, orders, payments
from store.services.orders import Access, links
from store.web import header
from store.web.current import now, services
from store.web.forms import PostForm
from store.web.identity import access, grant, known_browser
from store.web.limits import page_changes, shopper
from store.web.mount import current_path
from store.web.pages import Because, Page, confirming_path, page_of, path_of
from store.web.presentation.declines import PLAIN, decline_message
from store.web.presentation.messages import OrderMessage, order_message, status_flags
from store.web.presentation.redirects import redirect_message
from store.web.presentation.states import StatusFlag
from store.web.presentation.timeline import timeline

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

# Which card paid is in an event of its own, most often within a second of the payment.
CARD_FOLLOWS_WITHIN = timedelta(seconds=10)


@blueprint.get("")
def listing() -> ResponseReturnValue:
    """The orders of this browser, newest first, page by page: those after one of them are older. Raises NotFound."""
    after = request.args.get("after")
    with header.reading() as session:
        listed = orders.of_browser(session, known_browser(), after)
    mine = [(order, order_message(order, status_flags(order))) for order in listed.orders]
    return render_template("orders.html", orders=mine, older=listed.after, newest=after is None), 200


@blueprint.get("/<reference:reference>/pay")
def pay(reference: str) -> ResponseReturnValue:
    """The card form, while the order can be paid; else the page its state belongs on. Who comes back from the hosted
    page pays here: nobody can pay there any more.
    """
    order, payment = payments.create(services(), reference, now(), access(), shopper())
    header.show_cart_of(order)
    settings = services().settings
    return (
        render_template(
            "pay.html",
            order=order,
            client_secret=payment.client_secret,
            publishable_key=settings.stripe_publishable_key,
            stripe_js_url=settings.stripe_js_url,
            payment_form=settings.payment_form,
            charged_later=settings.capture == "on_shipping",
            decline=decline_message(order.payment.last_decline)
            if order.payment.state is PaymentState.DECLINED
            else None,
            unfinished=order.payment.state is PaymentState.ACTION_REQUIRED,
            because=redirect_message(request.args.get("because")),
            link_key=links.key_for(services(), reference),
            own=order.browser_id == known_browser(),
            plain_decline=PLAIN,
            # A little late rather than early: the page asks again at the end, and by then the time must be over.
            seconds_left=max(math.ceil((order.expires_at - now()).total_seconds()), 1),
            form=PostForm(),
        ),
        200,
    )


@blueprint.post("/<reference:reference>/hosted")
@page_changes
def hosted_page(reference: str) -> ResponseReturnValue:
    """To the payment service's own page, where the same order is paid. The card form's payment ends with that."""
    return redirect(payments.open_page(services(), reference, now(), access(), shopper()), 303)


@blueprint.get("/<reference:reference>/hosted")
def after_hosted_page(reference: str) -> ResponseReturnValue:
    """A reload of the form's address, as after an error page, shows where the order can be paid."""
    return redirect(url_for("orders.status", reference=reference), 303)


@blueprint.get("/<reference:reference>")
def status(reference: str) -> ResponseReturnValue:
    """Where the money is, and everything that happened. An order that can be paid goes to its payment page, unless its
    browser says that it has just paid: then this page waits for the payment service."""
    # A bank's page that sent the browser back here adds the payment's own parameters; the redirect below drops them.
    failed = request.args.get("redirect_status") == "failed"
    came_from_paying = "confirming" in request.args or "payment_intent" in request.args
    page = _look(reference, orders.find, confirming=came_from_paying and not failed)
    if page.path != current_path():
        because = Because.NOT_PAID if came_from_paying else Because.UNPAID
        return redirect(page.path if page.confirming else path_of(page.order, because), 303)
    order = page.order
    header.show_cart_of(order)
    return (
        render_template(
            "order.html",
            order=order,
            order_message=page.order_message,
            timeline=timeline(order.history, order.currency),
            received=Money(order.payment.received_minor, order.currency),
            refunded=Money(order.payment.refunded_minor, order.currency),
            confirming=page.confirming,
            not_paid=url_for(Page.PAY.value, reference=reference, because=Because.NOT_PAID) if page.confirming else "",
            card_to_come=_card_to_come(order, now()),
            newer=_newest_of_browser() if StatusFlag.REPLACED in status_flags(order) else None,
            has_invoice=order.paid_at is not None and documents.can_issue(services().settings),
            cancellable=order.state is OrderState.AWAITING_PAYMENT and not page.order_message.waiting,
            form=PostForm(),
        ),
        200,
    )


@blueprint.get("/<reference:reference>/from-mail/<key>")
def open_link(reference: str, key: str) -> ResponseReturnValue:
    """The way to an order with a signed key, in any browser: from a mail, and from the payment page after paying, whose
    browser may have lost its cookies meanwhile.
    """
    if not links.opens(services(), reference, key):
        raise NotFound
    with services().database.reading() as session:
        order = orders.peek(session, reference, Access(references=frozenset({reference})))
    if order.browser_id != known_browser():
        grant(reference)
    if "invoice" in request.args and order.paid_at is not None:
        return redirect(url_for("documents.invoice", reference=reference), 303)
    if "confirming" in request.args:
        return redirect(url_for("orders.status", reference=reference, confirming=1), 303)
    return redirect(path_of(order, Because.UNPAID), 303)


@blueprint.get("/<reference:reference>/status.json")
def status_json(reference: str) -> ResponseReturnValue:
    """The same for the page's script. With `confirming`, `next` stays the waiting page until the outcome is known."""
    page = _look(reference, orders.peek, confirming="confirming" in request.args)
    return jsonify(
        order=page.order.reference,
        state=page.order.state,
        payment=page.order.payment.state,
        message=page.order_message.text,
        next=page.path,
    )


@blueprint.post("/<reference:reference>/cancel")
def cancel(reference: str) -> ResponseReturnValue:
    """Cancel an unpaid order. Its stock is released; the cart stays as it is."""
    _read(reference, orders.peek)
    checkout.cancel(services(), reference, now())
    return redirect(url_for("orders.status", reference=reference), 303)


@blueprint.get("/<reference:reference>/cancel")
def after_cancel(reference: str) -> ResponseReturnValue:
    """A reload of the form's address, as after an error page, shows the order."""
    return redirect(url_for("orders.status", reference=reference), 303)


class PollResult(enum.Enum):
    """What came of asking the payment service."""

    NOT_ASKED = enum.auto()
    NO_ANSWER = enum.auto()
    ASKED = enum.auto()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """An order, what it means to its shopper, and the path that it belongs on."""

    order: Order
    order_message: OrderMessage
    path: str
    confirming: bool


# How an order is read, `orders.find` or `orders.peek`: with what its page shows, or with its payment alone.
Reader = Callable[[Session, str, Access], Order]


def _look(reference: str, reader: Reader, *, confirming: bool) -> OrderPage:
    """Read the order; while somebody waits for its payment, ask the payment service when it is time to.

    `confirming` ends as soon as the order moves, or the payment service has answered that it was not paid after all.
    """
    order = _read(reference, reader)
    confirming = confirming and page_of(order) is Page.PAY
    answer = PollResult.NOT_ASKED
    if confirming or order_message(order, status_flags(order)).waiting:
        answer, order = _ask(order, reader)
        confirming = confirming and page_of(order) is Page.PAY and answer is not PollResult.ASKED
    flags = status_flags(order, confirming=confirming, unreachable=answer is PollResult.NO_ANSWER)
    return OrderPage(
        order, order_message(order, flags), confirming_path(order) if confirming else path_of(order), confirming
    )


def _ask(order: Order, reader: Reader) -> tuple[PollResult, Order]:
    """Let the store ask the payment service, if it is time to, and read the order again when it did."""
    at, last = now(), order.payment.looked_up_at
    try:
        if not payments.look_up(services(), order, at):
            # Somebody asked a moment ago and the order still waits: had there been an answer, it would not.
            lately = last is not None and at - last < payments.POLL_INTERVAL
            return (PollResult.NO_ANSWER if lately else PollResult.NOT_ASKED), order
        answer = PollResult.ASKED
    except (PaymentUnavailable, PaymentMisconfigured):
        answer = PollResult.NO_ANSWER  # not known is an answer here: the page says so and goes on waiting
    return answer, _read(order.reference, reader)


def _card_to_come(order: Order, at: datetime) -> bool:
    """Whether the order was paid a moment ago and the store has yet to hear with which card."""
    if order.state is not OrderState.PAID or order.paid_at is None or order.payment.card_last4:
        return False
    return at - order.paid_at < CARD_FOLLOWS_WITHIN


def _newest_of_browser() -> Order | None:
    with services().database.reading() as session:
        return orders.newest_of_browser(session, known_browser())


def _read(reference: str, reader: Reader) -> Order:
    with services().database.reading() as session:
        return reader(session, reference, access())
