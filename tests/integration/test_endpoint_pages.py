"""An owner sets up endpoints in /admin or at the terminal, sees what they were told, and has it sent again."""

import re

from sqlalchemy import select

from models import Notification
from store.gateway.port import EndpointAnswer
from store.services import notifications
from store.services.notifications import endpoints
from tests.support.receivers import receiver_of
from tests.support.shop import Shop
from tests.support.staff import staff

URL = "https://books.example/till"
PROGRAMS = "/admin/programs"


def secret_on(text: str) -> str:
    found = re.search(r"whsec_[A-Za-z0-9+/=]{44}", text)
    return found[0] if found else ""


def paid(shop: Shop) -> str:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    notifications.write(shop.services, shop.clock())
    notifications.send_due(shop.services, shop.clock())
    return order.reference


def test_an_owner_sets_up_an_endpoint_and_sees_what_it_answers(usual_shop: Shop) -> None:
    browser, receiver = staff(usual_shop), receiver_of(usual_shop)
    form = {"url": URL, "facts": ["order.paid"]}

    refused = browser.post(f"{PROGRAMS}/endpoints", {**form, "url": "http://books.example"}, page=PROGRAMS)
    made = browser.post(f"{PROGRAMS}/endpoints", form, page=PROGRAMS)
    receiver.answer = lambda _url: EndpointAnswer(500, "<b>out of order</b>")
    paid(usual_shop)

    secret = secret_on(made.text)
    page = browser.get(f"{PROGRAMS}/endpoints/1").text
    assert (refused.status_code, made.status_code) == (400, 201)
    assert receiver.got[0].is_signed_with(secret)
    assert "&lt;b&gt;out of order" in page
    assert receiver.got[0].headers["webhook-id"] in page
    assert "to be tried again" in page
    assert secret not in page + browser.get(PROGRAMS).text
    receiver.answer = lambda _url: EndpointAnswer(200, "")
    browser.post(f"{PROGRAMS}/endpoints/notifications/1/again", {}, page=f"{PROGRAMS}/endpoints/1")
    notifications.send_due(usual_shop.services, usual_shop.clock())
    assert receiver.got[1].headers["webhook-id"] == receiver.got[0].headers["webhook-id"]
    another = browser.post(f"{PROGRAMS}/endpoints/1/secret", {}, page=f"{PROGRAMS}/endpoints/1")
    paid(usual_shop)
    assert receiver.got[2].is_signed_with(secret_on(another.text))
    off = browser.post(f"{PROGRAMS}/endpoints/1", {**form, "facts": ["review.opened"]}, page=f"{PROGRAMS}/endpoints/1")
    assert off.status_code == 303
    with usual_shop.services.database.reading() as session:
        (endpoint,) = endpoints.everything(session)
    assert (endpoint.facts, endpoint.active) == (["review.opened"], False)
    browser.post(f"{PROGRAMS}/endpoints/1/remove", {}, page=f"{PROGRAMS}/endpoints/1")
    with usual_shop.services.database.reading() as session:
        assert (list(endpoints.everything(session)), list(session.scalars(select(Notification)))) == ([], [])


def test_an_endpoint_that_was_stopped_is_on_the_work_list(usual_shop: Shop) -> None:
    browser, receiver = staff(usual_shop), receiver_of(usual_shop)
    browser.post(f"{PROGRAMS}/endpoints", {"url": URL, "facts": ["order.paid"]}, page=PROGRAMS)
    receiver.answer = lambda _url: EndpointAnswer(410, "")
    paid(usual_shop)

    before = browser.get("/admin").text
    browser.post(
        f"{PROGRAMS}/endpoints/1",
        {"url": URL, "facts": ["order.paid"], "active": "y"},
        page=f"{PROGRAMS}/endpoints/1",
    )

    assert "Programs that are not told any more" in before
    assert URL in before
    assert URL not in browser.get("/admin").text


def test_commands_set_up_endpoints(usual_shop: Shop) -> None:
    receiver = receiver_of(usual_shop)

    def run(*args: str) -> tuple[int, str]:
        result = usual_shop.app.test_cli_runner().invoke(args=["endpoints", *args])
        return result.exit_code, result.output

    assert run("list") == (0, "There is no endpoint yet.\n")
    added = run("add", URL, "--event", "order.paid")
    paid(usual_shop)
    assert receiver.got[0].is_signed_with(secret_on(added[1]))
    assert run("list") == (0, f"  1  {URL}  order.paid  on\n")
    assert run("add", "http://books.example", "--event", "order.paid")[0] == 1
    second = secret_on(run("secret", "1")[1])
    paid(usual_shop)
    assert receiver.got[1].is_signed_with(second)
    assert run("change", "1", "--event", "order.shipped", "--event", "order.paid") == (
        *(0, "Endpoint 1 is told of order.shipped, order.paid.\n"),
    )
    assert run("change", "1", "--off") == (0, "Endpoint 1 is off.\n")
    assert run("list") == (0, f"  1  {URL}  order.paid order.shipped  off\n")
    receiver.answer = lambda _url: EndpointAnswer(500, "")
    assert run("change", "1", "--url", f"{URL}2", "--on")[0] == 0
    paid(usual_shop)
    assert " failing since 20" in run("list")[1]
    receiver.answer = lambda _url: EndpointAnswer(410, "")
    paid(usual_shop)
    assert " stopped 20" in run("list")[1]
    assert run("remove", "1") == (0, "Endpoint 1 is removed.\n")
    unknown = (1, "Error: There is no such endpoint: see `flask endpoints list`.\n")
    assert [run("remove", "1"), run("secret", "1"), run("change", "1", "--on")] == [unknown] * 3
