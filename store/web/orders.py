"""An order's pages: payment, status, the list of this browser's orders. The state decides which one is shown."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Order
from store.domain.errors import NotFound, PaymentMisconfigured, PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState
from store.services import checkout, links, orders, payments
from store.web.forms import PostForm
from store.web.identity import grant, granted, known_browser
from store.web.pages import Page, confirming_path, page_of, path_of
from store.web.presentation.declines import DECLINES, PLAIN, decline_message
from store.web.presentation.notices import Notice, notice, told_of
from store.web.presentation.states import Told
from store.web.presentation.timeline import timeline
from store.web.shop import now, till

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

# Which card paid is told by an event of its own, most often within a second of the payment.
CARD_FOLLOWS_WITHIN = timedelta(seconds=10)


@blueprint.get("")
def listing() -> ResponseReturnValue:
    """The orders of this browser, newest first."""
    with till().database.reading() as session:
        mine = [(order, notice(order, told_of(order))) for order in orders.of_browser(session, known_browser())]
    return render_template("orders.html", orders=mine), 200


@blueprint.get("/<reference:reference>/pay")
def pay(reference: str) -> ResponseReturnValue:
    """The card form, while the order can be paid; else the page its state belongs on."""
    order = _find(reference)
    if page_of(order) is not Page.PAY:
        return redirect(path_of(order), 303)
    opened = payments.open(till(), reference, now())
    order = _find(reference)  # opening may have learnt something, such as a decline
    settings = till().settings
    return (
        render_template(
            "pay.html",
            order=order,
            client_secret=opened.client_secret,
            publishable_key=settings.stripe_publishable_key,
            stripe_js_url=settings.stripe_js_url,
            decline=decline_message(order.payment.last_decline)
            if order.payment.state is PaymentState.DECLINED
            else None,
            unfinished=order.payment.state is PaymentState.ACTION_REQUIRED,
            declines=DECLINES,
            plain_decline=PLAIN,
            # A little late rather than early: the page asks again at the end, and by then the time must be over.
            seconds_left=max(math.ceil((order.expires_at - now()).total_seconds()), 1),
            form=PostForm(),
        ),
        200,
    )


@blueprint.get("/<reference:reference>")
def status(reference: str) -> ResponseReturnValue:
    """Where the money is, and everything that happened. An order that can be paid goes to its payment page, unless its
    browser says that it has just paid: then this page waits for word from the payment service."""
    # A bank's page that sent the browser back here adds the payment's own parameters; the redirect below drops them.
    view = _look(reference, confirming="confirming" in request.args or "payment_intent" in request.args)
    if view.path != request.full_path.rstrip("?"):
        return redirect(view.path, 303)
    order = view.order
    return (
        render_template(
            "order.html",
            order=order,
            notice=view.notice,
            timeline=timeline(order.history, order.currency),
            refunded=Money(order.payment.refunded_minor, order.currency),
            confirming=view.confirming,
            card_to_come=_card_to_come(order, now()),
            newer=_newest_of_browser() if Told.REPLACED in told_of(order) else None,
            cancellable=order.state is OrderState.AWAITING_PAYMENT and not view.notice.waiting,
            form=PostForm(),
        ),
        200,
    )


@blueprint.get("/<reference:reference>/from-mail/<key>")
def from_mail(reference: str, key: str) -> ResponseReturnValue:
    """The way in from a letter, in any browser."""
    if not links.opens(till(), reference, key):
        raise NotFound
    grant(reference)
    return redirect(url_for("orders.status", reference=reference), 303)


@blueprint.get("/<reference:reference>/status.json")
def status_json(reference: str) -> ResponseReturnValue:
    """The same for the page's script. With `confirming`, `next` stays the waiting page until the outcome is known."""
    view = _look(reference, confirming="confirming" in request.args)
    return jsonify(
        order=view.order.reference,
        state=view.order.state,
        payment=view.order.payment.state,
        message=view.notice.text,
        next=view.path,
    )


@blueprint.post("/<reference:reference>/cancel")
def cancel(reference: str) -> ResponseReturnValue:
    """Give an unpaid order up. Its things go back to the shelf, the cart keeps its own list."""
    _find(reference)
    checkout.cancel(till(), reference, now())
    return redirect(url_for("orders.status", reference=reference), 303)


@blueprint.get("/<reference:reference>/cancel")
def after_cancel(reference: str) -> ResponseReturnValue:
    """A reload of the form's address, as after an error page, shows the order."""
    return redirect(url_for("orders.status", reference=reference), 303)


class Answer(enum.Enum):
    """What came of asking the payment service."""

    NOT_ASKED = enum.auto()
    NO_ANSWER = enum.auto()
    ASKED = enum.auto()


@dataclass(frozen=True, slots=True)
class View:
    """An order, what it means to its shopper, and the path that it belongs on."""

    order: Order
    notice: Notice
    path: str
    confirming: bool


def _look(reference: str, *, confirming: bool) -> View:
    """Read the order; while somebody waits for news of it, ask the payment service when it is time to.

    `confirming` ends as soon as the order moves, or the payment service has answered that it was not paid after all.
    """
    order = _find(reference)
    confirming = confirming and page_of(order) is Page.PAY
    answer = Answer.NOT_ASKED
    if confirming or notice(order, told_of(order)).waiting:
        answer, order = _ask(order)
        confirming = confirming and page_of(order) is Page.PAY and answer is not Answer.ASKED
    told = told_of(order, confirming=confirming, unreachable=answer is Answer.NO_ANSWER)
    return View(order, notice(order, told), confirming_path(order) if confirming else path_of(order), confirming)


def _ask(order: Order) -> tuple[Answer, Order]:
    """Let the store ask the payment service, if it is time to, and read the order again."""
    before = order.payment.looked_up_at
    failed = False
    try:
        payments.look_up(till(), order.reference, now())
    except (PaymentUnavailable, PaymentMisconfigured):
        failed = True  # not known is an answer here: the page says so and goes on waiting
    order = _find(order.reference)
    asked = order.payment.looked_up_at
    if failed:
        return Answer.NO_ANSWER, order
    if asked != before:
        return Answer.ASKED, order
    # Somebody asked a moment ago and the order still waits: had there been an answer, it would not.
    lately = asked is not None and now() - asked < payments.PATIENCE
    return (Answer.NO_ANSWER if lately else Answer.NOT_ASKED), order


def _card_to_come(order: Order, at: datetime) -> bool:
    """Whether the order was paid a moment ago and the store has yet to hear with which card."""
    if order.state is not OrderState.PAID or order.paid_at is None or order.payment.card_last4:
        return False
    return at - order.paid_at < CARD_FOLLOWS_WITHIN


def _newest_of_browser() -> Order | None:
    with till().database.reading() as session:
        return next(iter(orders.of_browser(session, known_browser())), None)


def _find(reference: str) -> Order:
    with till().database.reading() as session:
        return orders.find(session, reference, known_browser(), granted=reference in granted())
