"""The webhooks that came: what became of each, what is in it, and how one is handled once more."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.presentation.webhooks import event_state, replay_sentence
from store.domain.errors import EventGone, PaymentMisconfigured, PaymentUnavailable
from store.domain.staff import Role
from store.web.current import now, services
from store.webhooks import deliveries, inbox

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.get("")
@guard.allowed(Role.SERVICE)
def index() -> ResponseReturnValue:
    """The newest, page by page, or those that could not be handled."""
    failed = request.args.get("show") == "failed"
    with services().database.reading() as session:
        part = deliveries.find(session, failed=failed, after=request.args.get("after"))
    button = ButtonForm(formdata=None)
    return render_template("admin/webhooks.html", part=part, failed=failed, event_state=event_state, button=button), 200


@blueprint.get("/<event_id>")
@guard.allowed(Role.SERVICE)
def show(event_id: str) -> ResponseReturnValue:
    """One of them, with its body as Stripe has it. Raises NotFound."""
    with services().database.reading() as session:
        event = deliveries.one(session, event_id)
    try:
        found = services().gateway.find_event(event_id)
        text = found.text if found is not None else None
        answered = True
    except (PaymentUnavailable, PaymentMisconfigured):  # what is known here is shown all the same
        text, answered = None, False
    button = ButtonForm(formdata=None)
    return render_template(
        "admin/webhook.html", event=event, text=text, answered=answered, event_state=event_state, button=button
    ), 200


@blueprint.post("/replay")
@guard.allowed(Role.SERVICE)
def replay_all() -> ResponseReturnValue:
    """Have every event handled that could not be; one that fails again stays."""
    with services().database.reading() as session:
        waiting = inbox.unhandled(session)
    done = sum(_replay(event.id) for event in waiting[: inbox.MOST_AT_ONCE])
    left = len(waiting) - done
    flash(f"{done} handled{f', {left} left' if left else ''}.", "bad" if left else "message")
    return _back()


@blueprint.post("/<event_id>/replay")
@guard.allowed(Role.SERVICE)
def replay(event_id: str) -> ResponseReturnValue:
    """Have one handled once more; what was handled is not done twice. Raises EventGone."""
    try:
        outcome = inbox.replay(services(), event_id, now(), guard.member().email)
    except (EventGone, PaymentUnavailable, PaymentMisconfigured):
        raise
    except Exception as failure:  # noqa: BLE001  # whatever a handler raises is kept beside the event, and said here
        flash(f"It failed again: {type(failure).__name__}. The log has more.", "bad")
        return _back()
    flash(replay_sentence(outcome))
    return _back()


@blueprint.post("/<event_id>/set-aside")
@guard.allowed(Role.SERVICE)
def set_aside(event_id: str) -> ResponseReturnValue:
    """Take one off the list that cannot be handled."""
    done = inbox.set_aside(services(), event_id, now(), guard.member().email)
    flash("It is off the list." if done else "It was handled meanwhile.")
    return _back()


def _replay(event_id: str) -> bool:
    try:
        inbox.replay(services(), event_id, now(), guard.member().email)
    except Exception:  # noqa: BLE001  # kept beside the event; the others are not to wait for it
        return False
    return True


def _back() -> ResponseReturnValue:
    home = request.form.get("back") == "today"
    return redirect(url_for("home.show") if home else url_for("webhooks.index", show="failed"), 303)
