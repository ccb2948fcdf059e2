"""Disputes: the evidence is drafted from the order, read by a person, and handed to the bank; or the money is left."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard, uploads
from store.admin.evidence_form import EvidenceForm
from store.admin.forms import ButtonForm
from store.admin.presentation.evidence import draft
from store.admin.presentation.orders import dispute_state
from store.admin.presentation.refusals import refusal
from store.admin.presentation.stripe_links import stripe_links
from store.domain.errors import EvidenceFileRefused, PaymentMisconfigured, PaymentUnavailable
from store.domain.evidence import LARGEST_TOGETHER, EvidenceKind
from store.domain.money import Money
from store.domain.staff import Role
from store.gateway.port import DisputeEvidence
from store.services.orders import whole
from store.services.payments import evidence, evidence_files
from store.services.payments.disputes import UNANSWERED
from store.web.current import now, services

blueprint = Blueprint("disputes", __name__, url_prefix="/orders")

# Some more than is taken: that a file is too large is said beside what was typed.
LARGEST_FORM = 4 * LARGEST_TOGETHER


@blueprint.route("/<reference:reference>/disputes/<dispute_id>", methods=["GET", "POST"])
@guard.allowed(Role.SERVICE)
@uploads.takes_a_file(LARGEST_FORM)
def answer(reference: str, dispute_id: str) -> ResponseReturnValue:
    """The evidence, as far as the store knows it, and what sends it. Files that are chosen are added at once, whichever
    button was pressed, and what was typed stays. Raises NotFound and DisputeNotAnswered.
    """
    if request.method == "GET":
        return _page(reference, dispute_id, None), 200
    form = EvidenceForm()
    valid = form.validate()
    taken = _take_files(reference, dispute_id, form)
    if "attach" in request.form or "detach" in request.form:
        form.forget_mistakes()
        return _page(reference, dispute_id, form), 200 if taken else 400
    if not (valid and taken):
        return _page(reference, dispute_id, form), 400
    evidence.submit(services(), reference, dispute_id, form.evidence(), guard.origin())
    flash("The evidence is with the bank, which decides within some weeks.")
    return redirect(url_for("orders.show", reference=reference), 303)


@blueprint.post("/<reference:reference>/disputes/<dispute_id>/accept")
@guard.allowed(Role.SERVICE)
def accept(reference: str, dispute_id: str) -> ResponseReturnValue:
    """Leave the money with the cardholder."""
    evidence.accept(services(), reference, dispute_id, guard.origin())
    flash("The dispute is accepted: the money stays with the cardholder.")
    return redirect(url_for("orders.show", reference=reference), 303)


def _take_files(reference: str, dispute_id: str, form: EvidenceForm) -> bool:
    """Take out the file that is to be, and add those that were chosen; whether all were taken."""
    if (out := request.form.get("detach")) in set(EvidenceKind):
        evidence_files.remove(services(), reference, dispute_id, EvidenceKind(out), guard.actor())
    taken = True
    for kind, content in form.chosen():
        try:
            evidence_files.add(services(), reference, dispute_id, kind, content, guard.actor())
        except (EvidenceFileRefused, PaymentUnavailable, PaymentMisconfigured) as refused:
            form.of_kind(kind).errors = [refusal(refused)]
            taken = False
    return taken


def _page(reference: str, dispute_id: str, sent: EvidenceForm | None) -> str:
    """The form as it was `sent`, or else with what the store knows."""
    with services().database.reading() as session:
        found = evidence.find(session, reference, dispute_id)
        order = whole.read(session, reference)
        attached = {each.kind: each for each in evidence.files_of(session, dispute_id)}
    known = draft(order, found)
    drafted = {name: getattr(known, name) for name in DisputeEvidence.__slots__}
    return render_template(
        "admin/dispute.html",
        order=order.order,
        dispute=found,
        state=dispute_state(found),
        amount=Money(found.amount_minor, order.order.currency).text(),
        open=found.state in UNANSWERED,
        form=sent or EvidenceForm(formdata=None, data=drafted),
        kinds=list(EvidenceKind),
        attached=attached,
        button=ButtonForm(formdata=None),
        stripe=stripe_links(services().settings),
        now=now(),
    )
