"""The bench: every test card, what a shopper reads, which events follow, what becomes of the order; and each tried with
a click. A store that takes real money has none of it.

The page's script opens the payment page itself in a window beside it and tells this blueprint what a shopper reads
there. `make cards` does the same from a headless browser.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.domain import test_cards
from store.domain.test_cards import Course
from store.services import bench
from store.services.bench import Observation
from store.web.forms import PostForm, tidy
from store.web.identity import browser_id, known_browser
from store.web.presentation.test_cards import ANSWERS, PLACES, same_words, words
from store.web.shop import now, till

blueprint = Blueprint("bench", __name__, url_prefix="/bench")

LONGEST = 1000  # characters of a page's words that are worth keeping


@blueprint.get("")
def show() -> ResponseReturnValue:
    """The whole table, each row with its last result."""
    with till().database.reading() as session:
        results = bench.results(session)
    return (
        render_template(
            "bench.html",
            groups=test_cards.groups(),
            results=results,
            browser=known_browser(),
            words=words,
            answers=ANSWERS,
            places=PLACES,
            form=PostForm(),
        ),
        200,
    )


@blueprint.post("/runs.json")
def place() -> ResponseReturnValue:
    """Place an order for the course in the form; the answer names it and the addresses that concern it."""
    chosen = test_cards.course(request.form.get("course", ""))
    if chosen is None:
        abort(400, "There is no such test card.")
    order = bench.place(till(), browser_id(), chosen, now())
    reference = order.reference
    return jsonify(
        order=reference,
        pay=url_for("orders.pay", reference=reference),
        page=url_for("orders.status", reference=reference),
        observed=url_for("bench.observe", reference=reference),
        refund=url_for("bench.refund", reference=reference),
        result=url_for("bench.note", reference=reference),
    ), 201


@blueprint.get("/runs/<reference:reference>.json")
def observe(reference: str) -> ResponseReturnValue:
    """How the order stands, and whether that is all that was to come."""
    tried = _course(reference)
    seen = bench.observe(till(), reference)
    return jsonify(complete=seen.matches(tried), **_got(seen))


@blueprint.post("/runs/<reference:reference>/refund.json")
def refund(reference: str) -> ResponseReturnValue:
    """Refund the order, where the course says so."""
    if not _course(reference).outcome.refund:
        abort(400, "This card is not there to be refunded.")
    bench.refund(till(), reference, now())
    return "", 204


@blueprint.post("/runs/<reference:reference>/result.json")
def note(reference: str) -> ResponseReturnValue:
    """Hold what the shopper reads (`read` in the form) and how the order stands against the table, and keep the
    verdict.
    """
    tried = _course(reference)
    read = str(tidy(request.form.get("read", "")))[:LONGEST]
    seen = bench.observe(till(), reference)
    got = {"read": read, **_got(seen)}
    passed = seen.matches(tried) and same_words(read, words(tried))
    bench.note(till(), reference, tried, passed, got, now())
    return jsonify(passed=passed, expected=_expected(tried), got=got)


def _course(reference: str) -> Course:
    with till().database.reading() as session:
        return bench.course_of(session, reference, known_browser())


def _got(seen: Observation) -> dict[str, Any]:
    return {
        "events": list(seen.events),
        "order": seen.order,
        "payment": seen.payment,
        "disputed": seen.disputed,
        "needs_review": seen.needs_review,
    }


def _expected(tried: Course) -> dict[str, Any]:
    outcome = tried.outcome
    return {
        "read": words(tried),
        "events": sorted(outcome.events),
        "order": outcome.order,
        "payment": outcome.payment,
        "disputed": outcome.disputed,
        "needs_review": outcome.needs_review,
    }
