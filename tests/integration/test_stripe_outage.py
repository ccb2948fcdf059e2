"""While Stripe does not answer, pages are quick to say that nothing was charged, and orders wait."""

from store.domain.states import OrderState
from store.gateway.stripe.transport import FAILURES
from tests.support.shop import NoAnswer, Shop


def away(_method: str, _path: str) -> None:
    raise NoAnswer


def test_after_repeated_timeouts_stripe_is_not_asked_for_a_while(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    shop.transport.before = away

    answers = [browser.get(f"/orders/{reference}/pay") for _ in range(FAILURES + 3)]

    assert {answer.status_code for answer in answers} == {503}
    assert all("Nothing was charged" in answer.text for answer in answers)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert len([path for _, path in shop.transport.requests if path == "/v1/payment_intents"]) == FAILURES
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT


def test_a_shopper_who_may_have_paid_does_not_read_nothing_was_charged(shop: Shop) -> None:
    """The card was charged, the webhook is lost, and the shopper comes back to the payment page."""
    browser, reference = shop.browser_with_order()
    browser.get(f"/orders/{reference}/pay")
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    shop.stripe("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    shop.lose()
    shop.transport.before = away

    answer = browser.get(f"/orders/{reference}/pay")

    assert answer.status_code == 503
    assert "We cannot see right now whether you were charged." in answer.text
    assert "do not pay again" in answer.text
    assert "Nothing was charged" not in answer.text


def test_a_reload_shows_the_same_page(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    shop.transport.before = away

    answer = browser.get(f"/orders/{reference}/pay?from=an-email")

    assert f'href="/orders/{reference}/pay?from=an-email"' in answer.text


def test_a_webhook_is_handled_while_stripe_does_not_answer(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.transport.before = away

    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID
