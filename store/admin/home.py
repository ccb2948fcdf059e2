"""Today: what waits for somebody, each thing with what finishes it, and the day in figures."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.order_forms import ResolveForm, ShipForm
from store.admin.presentation import orders as words
from store.admin.presentation.bars import bars
from store.cli.findings import problem_of
from store.domain.money import Money
from store.domain.staff import Role
from store.services import reconciliation
from store.services.operations import figures, work_list
from store.services.payments.authorising import ENDS_SOON
from store.web.current import now, services

blueprint = Blueprint("home", __name__)

# Of these the work list has a part of its own.
SAID_ELSEWHERE = frozenset({"in_review", "refund_overdue", "event_unhandled", "mail_unsent", "mail_refused"})


@blueprint.get("")
@guard.allowed(Role.PACKING)
def show() -> ResponseReturnValue:
    """The work list, and the figures of the last 24 hours."""
    with services().database.reading() as session:
        work = work_list.read(session, now())
        left = [problem_of(finding) for finding in reconciliation.left(session) if finding.code not in SAID_ELSEWHERE]
        day = figures.of_day(session, now(), services().settings.store_currency)
    return render_template(
        "admin/today.html",
        work=work,
        most=work_list.MOST,
        left=left,
        day=day,
        bars=bars([amount.minor for amount in day.paid_by_hour]),
        words=words,
        ship_form=ShipForm(formdata=None),
        resolve_form=ResolveForm(formdata=None),
        button=ButtonForm(formdata=None),
        money=lambda minor, currency: Money(minor, currency).text(),
        now=now(),
        ends_soon=ENDS_SOON,
    ), 200
