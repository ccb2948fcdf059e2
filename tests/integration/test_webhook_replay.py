"""Webhooks that could not be handled: seen with their body, handled once more, and never done twice."""

import pytest

from models import InboxEvent
from store.domain.staff import Role
from store.domain.states import OrderState
from tests.support.shop import Shop, event_of
from tests.support.staff import staff


def failed_payment_event(shop: Shop) -> tuple[str, str]:
    """An order that is paid at Stripe, and the event that said so and could not be handled: only its error is kept."""
    order = shop.order(2)
    shop.pay(order)
    (said,) = [event_of(each) for each in shop.lose() if event_of(each)["type"] == "payment_intent.succeeded"]
    with shop.services.database.transaction() as session:
        failed = {"type": said["type"], "received_at": shop.clock(), "last_error": "StoreBusy"}
        session.add(InboxEvent(id=said["id"], **failed))
    return order.reference, said["id"]


def stored(shop: Shop, event_id: str) -> InboxEvent:
    with shop.services.database.reading() as session:
        return session.get_one(InboxEvent, event_id)


def test_a_failed_event_is_seen_and_handled_again(shop: Shop) -> None:
    reference, event_id = failed_payment_event(shop)
    browser = staff(shop, Role.SERVICE)

    listed = browser.get("/admin/webhooks?show=failed").text
    page = browser.get(f"/admin/webhooks/{event_id}").text
    browser.post(f"/admin/webhooks/{event_id}/replay", {}, page="/admin/webhooks?show=failed")

    assert event_id in listed
    assert "client_secret&#34;: &#34;…&#34;" in page
    assert "_secret_" not in page
    order = shop.read(reference)
    assert (order.state, stored(shop, event_id).outcome) == (OrderState.PAID, "handled")
    assert {entry.actor for entry in order.history if entry.type == "payment.paid"} == {"service@shop.example"}


@pytest.mark.on_both_databases
def test_an_event_is_never_done_twice(shop: Shop) -> None:
    reference, event_id = failed_payment_event(shop)
    browser = staff(shop, Role.SERVICE)

    for _ in range(2):
        browser.post("/admin/webhooks/replay", {}, page="/admin/account")
        browser.post(f"/admin/webhooks/{event_id}/replay", {}, page="/admin/account")

    assert "nothing was done twice" in browser.get("/admin/webhooks").text
    assert shop.history(reference).count("order.payment_received") == 1


def test_the_command_replays_one_event_or_every_failed_one(shop: Shop) -> None:
    _, first = failed_payment_event(shop)
    _, second = failed_payment_event(shop)
    run = shop.app.test_cli_runner().invoke

    one = run(args=["webhooks", "replay", first])
    rest = run(args=["webhooks", "replay"])
    none = run(args=["webhooks", "replay"])
    unknown = run(args=["webhooks", "replay", "evt_of_nobody"])

    assert (one.exit_code, one.output) == (0, f"{first}  handled\n")
    assert (rest.exit_code, rest.output) == (0, f"{second}  handled\n")
    assert none.output == "Every event was handled.\n"
    assert (unknown.exit_code, "keeps each for 30 days" in unknown.output) == (1, True)
    assert "payment_intent.succeeded" in run(args=["webhooks"]).output


def test_an_event_that_stripe_has_no_more_is_taken_off_the_list(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.add(InboxEvent(id="evt_old", type="refund.updated", received_at=shop.clock(), last_error="KeyError"))
    shop.clock.forward(hours=1)
    browser = staff(shop, Role.SERVICE)

    browser.post("/admin/webhooks/evt_old/replay", {"back": "today"}, page="/admin")
    page = browser.get("/admin").text
    browser.post("/admin/webhooks/evt_old/set-aside", {"back": "today"}, page="/admin")

    assert "Stripe has this event no more" in page
    assert "evt_old" in page
    assert "evt_old" not in browser.get("/admin").text
    assert (stored(shop, "evt_old").outcome, browser.get("/admin/webhooks/evt_none").status_code) == ("set_aside", 404)
