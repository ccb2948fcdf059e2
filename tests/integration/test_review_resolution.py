"""A review ends when a person resolves it, and the order can be in review again."""

import pytest

from models import Order
from store.domain.errors import NotFound, ReviewNotResolved, ReviewRefusal
from store.services import transitions
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.orders import reviews
from tests.support.shop import Shop


def open_review(shop: Shop, order: Order, reason: str, subject: str = "", *, lasting: bool = False) -> None:
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        origin = Origin(Source.WEBHOOK, shop.clock())
        reviews.open_review(session, locked, reason, origin, subject=subject, lasting=lasting)


def resolve(shop: Shop, order: Order, note: str = "Called the shopper.") -> None:
    reviews.resolve(shop.services, order.reference, note, Origin(Source.STAFF, shop.clock()))


def reasons(shop: Shop, order: Order) -> list[str]:
    history = shop.read(order.reference).history
    return [entry.data["reason"] for entry in history if entry.type == "review.opened"]


def test_resolving_a_review_keeps_its_note(shop: Shop) -> None:
    order, other = shop.order(), shop.order()
    for each in (order, other):
        open_review(shop, each, "refund_failed")

    resolve(shop, order, " Paid back by transfer. ")

    last = shop.read(order.reference).history[-1]
    assert (last.type, last.source, last.data) == ("review.resolved", "staff", {"note": "Paid back by transfer."})
    assert not shop.read(order.reference).needs_review
    assert shop.read(other.reference).needs_review
    with shop.services.database.reading() as session:
        assert [finding.subject for finding in audit.run(session, shop.clock())] == [f"order {other.reference}"]


def test_an_order_without_a_review_cannot_be_resolved(shop: Shop) -> None:
    order = shop.order()

    with pytest.raises(ReviewNotResolved) as refusal:
        resolve(shop, order)
    with pytest.raises(NotFound):
        reviews.resolve(shop.services, "NO-SUCH", "Called.", Origin(Source.STAFF, shop.clock()))

    assert refusal.value.reason is ReviewRefusal.NOT_IN_REVIEW
    assert "review.resolved" not in shop.history(order.reference)


@pytest.mark.parametrize("note", ["", "  ", "two\nlines", "\0", "\udcff", "x" * 501])
def test_a_note_is_one_line(shop: Shop, note: str) -> None:
    order = shop.order()
    open_review(shop, order, "refund_failed")

    with pytest.raises(ReviewNotResolved) as refusal:
        resolve(shop, order, note)

    assert refusal.value.reason is ReviewRefusal.NOTE_INVALID
    assert shop.read(order.reference).needs_review


def test_a_new_event_after_a_resolved_review_opens_another(shop: Shop) -> None:
    order = shop.order()
    for _ in range(3):
        open_review(shop, order, "refund_failed")
        open_review(shop, order, "refund_failed")
        assert shop.read(order.reference).needs_review
        resolve(shop, order)

    assert reasons(shop, order) == ["refund_failed"] * 3


def test_a_resolved_payment_opens_no_review_again_but_another_does(shop: Shop) -> None:
    order = shop.order()
    open_review(shop, order, "wrong_amount", "pi_1", lasting=True)
    resolve(shop, order)

    open_review(shop, order, "wrong_amount", "pi_1", lasting=True)
    assert not shop.read(order.reference).needs_review
    open_review(shop, order, "wrong_amount", "pi_2", lasting=True)

    assert shop.read(order.reference).needs_review
    assert reasons(shop, order) == ["wrong_amount"] * 2


def test_one_reason_about_two_subjects_is_two_reviews(shop: Shop) -> None:
    order = shop.order()
    for subject in ("a", "b", "a"):
        open_review(shop, order, "refund_failed", subject)

    history = shop.read(order.reference).history
    assert [entry.data["subject"] for entry in history if entry.type == "review.opened"] == ["a", "b"]


def test_the_shopper_reads_that_a_review_was_resolved_but_not_the_note(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    order = shop.read(reference)
    shop.pay(order)
    shop.deliver()
    open_review(shop, order, "refund_failed")
    resolve(shop, order, "secretly noted")

    page = browser.get(f"/orders/{reference}").text

    assert "A person looked into this order" in page
    assert "secretly noted" not in page


def test_the_command_resolves_a_review_once(shop: Shop) -> None:
    order = shop.order()
    open_review(shop, order, "refund_failed")
    arguments = ("resolve", order.reference, "--note", "Called the shopper.")

    answers = [shop.app.test_cli_runner().invoke(args=list(arguments), catch_exceptions=False) for _ in range(2)]

    assert [answer.exit_code for answer in answers] == [0, 1]
    assert "not in review" in answers[1].output
    assert not shop.read(order.reference).needs_review
