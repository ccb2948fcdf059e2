"""Paying with a card typed on the page: paid, declined, typed wrongly."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e import shop
from tests.support.processes import SandboxProcess, StoreProcess

PLAIN_DECLINE = "Your card was declined. Nothing was charged. Try another card, or ask your bank about this payment."


def test_an_order_is_paid_once_a_signed_webhook_says_so(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)

    shop.type_card(page, shop.PAYS)
    shop.pay(page)

    shop.see_paid(page, reference)
    shop.see_paid_with(page, "You paid $28.00 with Visa ending 4242.")
    expect(shop.timeline(page, "Your payment of $28.00 was received.")).to_contain_text(
        "reported by the payment service"
    )
    assert shop.status(page, reference)["state"] == "paid"
    (intent,) = sandbox.payments_of(reference)
    assert (intent.amount, intent.currency, intent.status) == (2800, "usd", "succeeded")


def test_a_foreign_card_is_not_asked_for_a_known_postal_code(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Country="Canada", City="Ottawa", Postal_code="K1A 0B1")
    reference = shop.continue_to_payment(page)

    shop.type_card(page, shop.PAYS)  # of the United States
    expect(shop.card_field(page).locator("input[name=postal]")).to_have_count(0)
    shop.pay(page)

    shop.see_paid(page, reference)


def test_after_a_decline_another_card_is_taken_with_the_same_postal_code(page: Page, sandbox: SandboxProcess) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Country="Ireland", City="Dublin", Postal_code="")
    reference = shop.continue_to_payment(page)
    postal_code = shop.card_field(page).locator("input[name=postal]")
    total = shop.pay_button(page).inner_text().removeprefix("Pay ").strip()

    shop.type_card(page, shop.DECLINED, postal="10001")
    shop.pay(page)
    expect(shop.message(page)).to_have_text(PLAIN_DECLINE, use_inner_text=True)
    shop.card_field(page).locator("input[name=cardnumber]").fill(shop.ANOTHER_THAT_PAYS)
    expect(postal_code).to_have_value("10001")
    shop.type_card(page, shop.ANOTHER_THAT_PAYS)
    shop.pay(page)

    shop.see_paid(page, reference)
    shop.see_paid_with(page, f"You paid {total} with Mastercard ending 4444.")
    (intent,) = sandbox.payments_of(reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded", "failed"]
    assert f"${intent.amount_received / 100:.2f}" == total


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(shop.DECLINED, PLAIN_DECLINE, id="plain"),
        pytest.param("4000000000009987", PLAIN_DECLINE, id="lost"),
        pytest.param(
            "4000000000009995",
            "Your card has insufficient funds for this payment. Nothing was charged. "
            "Use another card, or try again when there is enough on it.",
            id="insufficient-funds",
        ),
        pytest.param(
            "4000000000000069",
            "Your card has expired. Nothing was charged. Use another card, or check the expiry date you typed.",
            id="expired",
        ),
        pytest.param(
            "4000000000000127",
            "Your card’s security code is incorrect. Nothing was charged. "
            "Check the 3 digits on the back (4 on the front for American Express) and try again.",
            id="wrong-security-code",
        ),
    ],
)
def test_a_declined_shopper_reads_what_happened_and_what_to_do(
    page: Page, store: StoreProcess, number: str, words: str
) -> None:
    reference = shop.go_to_payment(page)

    shop.type_card(page, number)
    shop.pay(page)

    expect(shop.message(page)).to_have_text(words, use_inner_text=True)
    shop.see_card_form(page)
    status = shop.status(page, reference)
    assert (status["state"], status["next"]) == ("awaiting_payment", f"/orders/{reference}/pay")
    expect_reserved(store, reference)


def test_a_decline_is_still_shown_after_a_reload(page: Page) -> None:
    shop.go_to_payment(page)
    shop.type_card(page, "4000000000009995")
    shop.pay(page)
    expect(shop.message(page)).to_contain_text("insufficient funds")

    shop.reload(page)

    expect(shop.message(page)).to_contain_text(
        "Your card has insufficient funds for this payment. Nothing was charged."
    )
    shop.see_card_form(page)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param("424242424242", "Your card number is incomplete.", id="incomplete"),
        pytest.param("4242424242424241", "Your card number is invalid.", id="invalid"),
    ],
)
def test_a_wrong_card_number_is_shown_at_the_field_and_nothing_is_sent(page: Page, number: str, words: str) -> None:
    reference = shop.go_to_payment(page)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/confirm") else None)

    shop.type_card(page, number)
    if shop.pay_button(page).is_enabled():
        shop.pay(page)

    expect(page.get_by_role("group", name="Card")).to_have_accessible_description(words)
    expect(page.get_by_text(words)).to_be_visible()
    assert sent == []
    assert shop.status(page, reference)["payment"] == "open"

    shop.type_card(page, shop.PAYS)
    expect(page.get_by_text(words)).to_have_count(0)
    shop.pay(page)
    shop.see_paid(page, reference)


def test_a_card_number_never_reaches_the_shop(page: Page) -> None:
    shop.go_to_payment(page)
    bodies: list[str] = []
    page.on(
        "request", lambda request: bodies.append(request.post_data or "") if is_to_the_shop(page, request) else None
    )

    shop.type_card(page)
    shop.pay(page)

    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    assert page.locator("input[name=cardnumber]").count() == 0
    assert not any(shop.PAYS in body for body in bodies)


def test_the_brand_is_shown_while_the_number_is_typed(page: Page) -> None:
    shop.go_to_payment(page)

    shop.card_field(page).locator("input[name=cardnumber]").press_sequentially("5555 55")

    expect(page.get_by_text("Mastercard", exact=True)).to_be_visible()


def expect_reserved(store: StoreProcess, reference: str) -> None:
    """The order awaits payment and its stock is still reserved."""
    ((state, reserved),) = store.read(
        "SELECT orders.state, products.reserved FROM orders JOIN order_lines ON order_lines.order_id = orders.id "
        "JOIN products ON products.id = order_lines.product_id WHERE reference = ?",
        reference,
    )
    assert state == "awaiting_payment"
    assert reserved >= 1


def is_to_the_shop(page: Page, request: Request) -> bool:
    return request.url.startswith(page.url.split("/orders/")[0])
