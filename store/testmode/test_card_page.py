"""The test-card page: every test card, what a shopper reads, which events follow, what becomes of the order; and each
is run with a click. A store that takes real money has none of it.

The page's script opens the payment page itself in a window beside it and sends this blueprint what a shopper reads
there. `make cards` does the same from a headless browser.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.domain.contacts import tidy
from store.testmode import runs, test_cards
from store.testmode.presentation import ANSWERS, FACTS, PLACES, same_words, words
from store.testmode.runs import RunStatus
from store.testmode.test_cards import Place, Scenario
from store.web.current import now, services
from store.web.forms import PostForm
from store.web.identity import browser_id, known_browser
from store.webhooks.handlers import HANDLERS

blueprint = Blueprint("test_cards", __name__, url_prefix="/test-cards")

LONGEST = 1000  # characters of a page's words that are worth keeping


@blueprint.get("")
def show() -> ResponseReturnValue:
    """The whole table, each row with its last result."""
    with services().database.reading() as session:
        results = runs.results(session)
    return (
        render_template(
            "test_cards.html",
            groups=test_cards.groups(),
            counts=test_cards.counts(),
            results=results,
            standing=Counter("passed" if result.passed else "failed" for result in results.values()),
            browser=known_browser(),
            words=words,
            answers=ANSWERS,
            places=PLACES,
            facts=FACTS,
            differences=_differences,
            form=PostForm(),
            sandbox=services().settings.stripe_api_base,
        ),
        200,
    )


@blueprint.get("/drawer")
def drawer() -> ResponseReturnValue:
    """The drawer of test cards, which the payment page asks for when it is opened: a part of a page."""
    return (
        render_template("components/test_card_drawer.html", groups=test_cards.groups(), counts=test_cards.counts()),
        200,
    )


@blueprint.post("/runs.json")
def place() -> ResponseReturnValue:
    """Place an order for the scenario in the form, `hosted` to be paid on the payment service's own page; the answer
    names it and the addresses that concern it.
    """
    chosen = test_cards.scenario(request.form.get("scenario", ""))
    if chosen is None:
        abort(400, "There is no such test card.")
    order = runs.place(services(), browser_id(), chosen, now(), hosted="hosted" in request.form)
    reference = order.reference
    return jsonify(
        order=reference,
        pay=url_for("orders.pay", reference=reference),
        page=url_for("orders.status", reference=reference),
        observed=url_for("test_cards.observe", reference=reference),
        refund=url_for("test_cards.refund", reference=reference),
        result=url_for("test_cards.note", reference=reference),
    ), 201


@blueprint.get("/runs/<reference:reference>.json")
def observe(reference: str) -> ResponseReturnValue:
    """How the order stands, and whether all that the table expects has happened."""
    tried = _scenario_of(reference)
    seen = runs.observe(services(), reference, HANDLERS)
    return jsonify(complete=seen.matches(tried), **_got(seen))


@blueprint.post("/runs/<reference:reference>/refund.json")
def refund(reference: str) -> ResponseReturnValue:
    """Refund the order, where the scenario says so."""
    if not _scenario_of(reference).expected.refund:
        abort(400, "This card is not there to be refunded.")
    runs.refund(services(), reference, now())
    return "", 204


@blueprint.post("/runs/<reference:reference>/result.json")
def note(reference: str) -> ResponseReturnValue:
    """Compare what the shopper reads (`read` in the form) and how the order stands with the table; keep the result."""
    tried = _scenario_of(reference)
    elsewhere = tried.expected.page is Place.HOSTED  # where the words are not the store's
    read = "" if elsewhere else tidy(request.form.get("read", ""))[:LONGEST]
    seen = runs.observe(services(), reference, HANDLERS)
    got = {"read": read, **_got(seen)}
    passed = seen.matches(tried) and same_words(read, words(tried))
    hosted = tried != test_cards.scenario(tried.key)
    runs.note(services(), reference, tried, passed, {**got, **({"hosted": True} if hosted else {})}, now())
    return jsonify(passed=passed, expected=_expected(tried), got=got)


def _scenario_of(reference: str) -> Scenario:
    with services().database.reading() as session:
        return runs.scenario_of(session, reference, known_browser())


def _got(seen: RunStatus) -> dict[str, Any]:
    return {
        "events": list(seen.events),
        "order": seen.order,
        "payment": seen.payment,
        "disputed": seen.disputed,
        "needs_review": seen.needs_review,
    }


def _differences(tried: Scenario, got: Mapping[str, Any]) -> dict[str, str]:
    """What was observed and is not as the table says, ready to print, by the name of the fact."""
    expected = _expected(test_cards.on_hosted_page(tried) if got.get("hosted") else tried)
    return {
        name: (", ".join(value) if isinstance(value, list) else str(value)) or "nothing"
        for name, value in ((name, got.get(name, "")) for name in FACTS)
        if value != expected[name]
    }


def _expected(tried: Scenario) -> dict[str, Any]:
    outcome = tried.expected
    return {
        "read": words(tried),
        "events": sorted(outcome.events),
        "order": outcome.order,
        "payment": outcome.payment,
        "disputed": outcome.disputed,
        "needs_review": outcome.needs_review,
    }
