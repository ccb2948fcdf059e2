"""An order after it is placed: who may see it, how long it waits, how it ends, and what its status.json says."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import SandboxProcess, StoreProcess


def test_a_browser_sees_its_own_orders_only(page: Page, new_browser: NewBrowser) -> None:
    mine = shop.go_to_payment(page)
    stranger = new_browser().new_page()
    theirs = shop.go_to_payment(stranger)

    page.goto("/orders")

    expect(page.get_by_role("link", name=mine)).to_be_visible()
    expect(page.get_by_role("link", name=theirs)).to_have_count(0)
    for address in (f"/orders/{mine}", f"/orders/{mine}/pay", f"/orders/{mine}/status.json"):
        answer = stranger.goto(address)
        assert answer is not None
        assert answer.status == 404
        assert "Lovelace" not in answer.text()


def test_status_json_says_the_state_of_the_order(page: Page) -> None:
    reference = shop.go_to_payment(page)

    assert shop.status(page, reference) == {
        "order": reference,
        "state": "awaiting_payment",
        "payment": "open",
        "message": shop.status(page, reference)["message"],
        "next": f"/orders/{reference}/pay",
    }
    assert shop.status(page, reference)["message"].startswith("Nothing was charged.")

    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)
    shop.see_paid_with(page, "with Visa ending 4242")

    paid = shop.status(page, reference)
    assert (paid["state"], paid["payment"], paid["next"]) == ("paid", "paid", f"/orders/{reference}")
    assert paid["message"].startswith("You paid $28.00 with Visa ending 4242.")


def test_the_payment_page_shows_how_long_the_stock_is_reserved(page: Page) -> None:
    shop.go_to_payment(page)

    expect(
        page.get_by_text(re.compile(r"We hold these things for you for (29|30):\d\d minutes more\."))
    ).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(
        "After that the order closes, they go back on the shelf, and nothing is charged."
    )


def test_an_overdue_order_says_so_when_it_is_opened(page: Page, store: StoreProcess, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    let_time_run_out(store, reference)

    page.goto(f"/orders/{reference}/pay")

    expect(page.get_by_role("heading", level=1, name="The time to pay is over")).to_be_visible()
    expect(page.get_by_text("Nothing was charged.", exact=True)).to_be_visible()
    assert shop.path_of(page) == f"/orders/{reference}"
    assert [intent.status for intent in sandbox.payments_of(reference)] == ["canceled"]


def test_the_worker_closes_an_expired_order(page: Page, store: StoreProcess, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    let_time_run_out(store, reference)

    store.flask("worker")

    assert [intent.status for intent in sandbox.payments_of(reference)] == ["canceled"]
    shop.reload(page)
    expect(page.get_by_role("heading", level=1, name="The time to pay is over")).to_be_visible()
    expect(shop.timeline(page, "The order’s time was over and your things went back on the shelf.")).to_be_visible()
    page.get_by_role("link", name="Go to your cart").click()
    expect(page.get_by_role("heading", name=shop.MUG)).to_be_visible()


def test_paying_in_a_page_left_open_too_long_charges_nothing(page: Page, store: StoreProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)
    let_time_run_out(store, reference)
    store.flask("worker")

    shop.pay(page)

    expect(page.get_by_role("heading", level=1, name="The time to pay is over")).to_be_visible()
    expect(page.get_by_text("Nothing was charged.", exact=True)).to_be_visible()


def test_a_shopper_can_cancel_an_order_that_is_not_paid(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)

    page.get_by_text("Cancel this order").click()
    page.get_by_role("button", name="Cancel the order").click()

    expect(page.get_by_role("heading", level=1, name="Order cancelled")).to_be_visible()
    assert shop.status(page, reference)["state"] == "cancelled"
    assert [intent.status for intent in sandbox.payments_of(reference)] == ["canceled"]


def let_time_run_out(store: StoreProcess, reference: str) -> None:
    """As if the order had been placed an hour earlier."""
    store.change(
        "UPDATE orders SET placed_at = datetime(placed_at, '-1 hour'), expires_at = datetime(expires_at, '-1 hour') "
        "WHERE reference = ?",
        reference,
    )
