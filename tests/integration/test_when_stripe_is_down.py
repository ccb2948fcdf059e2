"""While Stripe does not answer, pages are quick to say that nothing was charged, and orders wait."""

from store.domain.states import OrderState
from store.gateway.guarded_gateway import FAILURES
from tests.support.shop import NoAnswer, Shop


def away(_method: str, _path: str) -> None:
    raise NoAnswer


def test_after_repeated_silence_stripe_is_not_asked_for_a_while(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    shop.line.before = away

    answers = [browser.get(f"/orders/{reference}/pay") for _ in range(FAILURES + 3)]

    assert {answer.status_code for answer in answers} == {503}
    assert all("Nothing was charged" in answer.text for answer in answers)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert len([path for _, path in shop.line.requests if path == "/v1/payment_intents"]) == FAILURES
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT


def test_a_webhook_is_taken_in_while_stripe_does_not_answer(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.line.before = away

    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID


def test_a_refusal_is_an_answer_and_holds_nothing_back(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    for _ in range(FAILURES + 1):
        shop.stripe("POST", "/v1/payment_intents/pi_unknown/cancel")

    assert shop.open(order).client_secret
