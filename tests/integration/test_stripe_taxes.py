"""Stripe Tax in place of the store's own rates: asked at the checkout, recorded when paid, taken back with refunds."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from models import CouponRow, Order, Review, ShippingZoneMethod, TaxTransaction
from store.cli import doctor
from store.cli.doctor import WebhookSetup
from store.domain.coupons import CouponKind
from store.domain.money import Money
from store.domain.states import OrderState
from store.services import payments, tariffs
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.tariffs import TariffCache
from tests.support.shop import FORM, WEBHOOK_PATH, Browser, NoAnswer, Shop

SEATTLE = FORM | {"city": "Seattle", "region": "", "postal_code": "98101"}
BERLIN = FORM | {"country": "DE", "city": "Berlin", "region": "", "postal_code": "10115"}
CALCULATIONS, TRANSACTIONS = "/v1/tax/calculations", "/v1/tax/transactions"


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    """A shop that asks Stripe Tax, with an account that collects in the European Union and in Washington."""
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    settings = usual_shop.services.settings.model_copy(update={"taxes": "stripe"})
    usual_shop.services = replace(usual_shop.services, settings=settings, tariffs=TariffCache(own_taxes=False))
    usual_shop.services.tax_answers.forget()
    usual_shop.app.extensions["services"] = usual_shop.services
    register(usual_shop, "DE", {"country_options[de][type]": "oss_union"})
    register(usual_shop, "US", {"country_options[us][type]": "state_sales_tax", "country_options[us][state]": "WA"})
    return usual_shop


def register(shop: Shop, country: str, options: Mapping[str, str]) -> None:
    shop.stripe("POST", "/v1/tax/registrations", {"country": country, "active_from": "now", **options})


@pytest.fixture
def browser(shop: Shop) -> Browser:
    """A browser with a mug in its cart: $28.00."""
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "stoneware-mug", "quantity": "1"}, page="/products/stoneware-mug")
    return browser


def rows(page: str) -> dict[str, str]:
    found = re.findall(r'<span class="receipt-name">(.*?)</span>\s*<span class="amount">(.*?)</span>', page)
    return {name.strip(): amount for name, amount in found}


def asked(shop: Shop, path: str) -> int:
    """How many requests began with this path."""
    return sum(1 for _method, requested in shop.transport.requests if requested.startswith(path))


def placed(shop: Shop, browser: Browser, form: Mapping[str, str] = SEATTLE) -> Order:
    answer = browser.post("/checkout", form, page="/checkout")
    assert answer.status_code == 303, answer.text
    return shop.read(answer.location.split("/")[2])


def paid(shop: Shop, browser: Browser, form: Mapping[str, str] = SEATTLE) -> Order:
    order = placed(shop, browser, form)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def refund(shop: Shop, order: Order, minor: int | None) -> None:
    amount = None if minor is None else Money(minor, order.currency)
    origin = Origin(Source.STAFF, shop.clock())
    key = payments.refunds.request(shop.services, order.reference, amount, origin)
    payments.refunds.submit(shop.services, order.reference, amount, key, origin)


def work(shop: Shop) -> None:
    """A round of the worker, after its claims have ended."""
    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())


def recorded(shop: Shop, order: Order) -> list[tuple[str, int]]:
    """What Stripe has recorded of the order: the reference and the amount with its taxes."""
    with shop.services.database.reading() as session:
        names = session.scalars(
            select(TaxTransaction.provider_transaction_id)
            .where(TaxTransaction.order_id == order.id, TaxTransaction.provider_transaction_id.is_not(None))
            .order_by(TaxTransaction.id)
        ).all()
    found = [shop.stripe("GET", f"{TRANSACTIONS}/{name}", {"expand[]": "line_items"}) for name in names]
    return [(each["reference"], total_of(each)) for each in found]


def total_of(transaction: Mapping[str, Any]) -> int:
    parts = [*transaction["line_items"]["data"], *filter(None, [transaction["shipping_cost"]])]
    on_top = [part["amount_tax"] for part in parts if part["tax_behavior"] == "exclusive"]
    return int(sum(part["amount"] for part in parts) + sum(on_top))


def findings(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [finding.code for finding in audit.run(session, shop.clock())]


def test_both_ways_show_and_charge_the_same(shop: Shop, browser: Browser) -> None:
    shown = browser.post("/checkout/total", SEATTLE, page="/checkout").text
    order = placed(shop, browser)

    for page in (shown, browser.get(f"/orders/{order.reference}/pay").text):
        assert rows(page)["Sales tax 6.5%"] == "$1.82"
    assert order.total == Money(2982, "usd")
    assert order.tax_calculation is not None
    assert findings(shop) == []


def test_a_vat_is_in_the_price_and_shown(shop: Shop, browser: Browser) -> None:
    order = placed(shop, browser, BERLIN)

    assert rows(browser.get(f"/orders/{order.reference}/pay").text)["VAT 19%, included"] == "$6.71"
    assert order.total == Money(4200, "usd")
    assert order.quote.total == order.total


def test_a_business_is_charged_no_tax(shop: Shop, browser: Browser) -> None:
    order = placed(shop, browser, BERLIN | {"tax_id": "136695976"})

    labels = [each.label for each in order.adjustments if not each.amount.minor]
    assert labels == ["VAT not charged: reverse charge"]
    assert order.tax_id == "DE136695976"


def test_nobody_is_asked_before_there_is_an_address(shop: Shop, browser: Browser) -> None:
    for path in ("/cart", "/products/stoneware-mug", "/checkout"):
        page = browser.get(path, headers={"Accept-Language": "de-DE"} if path == "/cart" else {}).text
        assert "VAT" not in page

    assert asked(shop, CALCULATIONS) == 0


def test_the_same_form_asks_once_and_an_order_asks_anew(shop: Shop, browser: Browser) -> None:
    for _ in range(2):
        browser.post("/checkout/total", SEATTLE, page="/cart")
    previews = asked(shop, CALCULATIONS)
    orders = [placed(shop, browser).reference for _ in range(2)]

    assert previews == 1
    assert asked(shop, CALCULATIONS) >= 3
    assert orders[0] == orders[1]


def test_an_address_that_is_not_known_is_said_at_its_field(shop: Shop, browser: Browser) -> None:
    nowhere = SEATTLE | {"postal_code": "00101", "region": ""}

    shown = browser.post("/checkout/total", nowhere, page="/checkout")
    refused = browser.post("/checkout", nowhere, page="/checkout")
    mended = placed(shop, browser)

    assert "Taxes are added when we know the place" in shown.text
    assert refused.status_code == 400
    assert "We could not find this place, which the tax goes by." in refused.text
    assert mended.total == Money(2982, "usd")


def test_a_silent_service_stops_the_order_and_loses_nothing(shop: Shop, browser: Browser) -> None:
    def silent(_method: str, path: str) -> None:
        if path.startswith(CALCULATIONS):
            raise NoAnswer

    token = browser.token("/checkout")
    shop.transport.before = silent
    refused = browser.open("POST", "/checkout", data=SEATTLE | {"csrf_token": token})
    shop.transport.before = lambda _method, _path: None
    order = placed(shop, browser)

    assert refused.status_code == 503
    assert "We cannot calculate the taxes right now." in refused.text
    assert "Taxes are not in this total yet" in refused.text
    assert f'value="{SEATTLE["address_line1"]}"' in refused.text
    assert order.total == Money(2982, "usd")


def test_a_paid_order_is_recorded_once(shop: Shop, browser: Browser) -> None:
    waiting, order = placed(shop, browser), paid(shop, browser)
    before = findings(shop)

    work(shop)
    work(shop)

    assert waiting.reference == order.reference
    assert (before, findings(shop)) == ([], [])
    assert recorded(shop, order) == [(order.reference, 2982)]
    assert "tax.recorded" in shop.history(order.reference)
    assert "The tax in $29.82 was recorded." in browser.get(f"/orders/{order.reference}").text


def test_refunds_are_taken_off_the_record(shop: Shop, browser: Browser) -> None:
    order = paid(shop, browser)
    refund(shop, order, 1000)
    work(shop)
    refund(shop, order, None)
    work(shop)

    assert recorded(shop, order) == [
        (order.reference, 2982),
        (f"{order.reference}-1", -1000),
        (f"{order.reference}-2", -1982),
    ]
    assert findings(shop) == []


def test_a_whole_refund_takes_all_of_it_back(shop: Shop, browser: Browser) -> None:
    order = paid(shop, browser, BERLIN)
    work(shop)

    refund(shop, order, None)
    work(shop)

    assert recorded(shop, order) == [(order.reference, 4200), (f"{order.reference}-1", -4200)]


def test_a_refund_that_fails_is_on_record_again(shop: Shop, browser: Browser) -> None:
    order = placed(shop, browser)
    shop.pay(order, "4000000000005126")
    shop.deliver()
    refund(shop, order, 1000)
    work(shop)
    shop.clock.forward(seconds=10)
    shop.deliver()
    work(shop)

    assert [amount for _reference, amount in recorded(shop, order)] == [2982, -1000, 1000]
    assert findings(shop) == ["in_review"]  # of the refund


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_for_again(shop: Shop, browser: Browser, when: str) -> None:
    order = paid(shop, browser)

    def silent(_method: str, path: str) -> None:
        if path.startswith(TRANSACTIONS):
            raise NoAnswer

    setattr(shop.transport, when, silent)
    work(shop)
    overdue = [order.reference for _ in findings(shop)]
    shop.transport.renew()
    work(shop)

    assert overdue == []
    assert recorded(shop, order) == [(order.reference, 2982)]


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["in_review"])])
def test_a_service_that_breaks_down_records_nothing_twice(
    shop: Shop, browser: Browser, when: str, left: list[str]
) -> None:
    order = paid(shop, browser)
    fault = {"target": "api", "kind": "error", "when": when, "match": f"POST {TRANSACTIONS}", "times": 1}
    shop.sandbox.test_client().post("/sandbox/faults", json=fault)

    for _ in range(3):
        work(shop)

    # Stripe remembers its failure under the key, and has no list to look in whether it was done all the same.
    assert recorded(shop, order) == ([] if left else [(order.reference, 2982)])
    assert findings(shop) == left


def test_what_was_not_recorded_in_time_is_a_finding(shop: Shop, browser: Browser) -> None:
    paid(shop, browser)

    shop.clock.forward(minutes=20)

    assert findings(shop) == ["tax_overdue", "mail_unsent"]  # no worker was running


def test_an_expired_calculation_is_made_again(shop: Shop, browser: Browser) -> None:
    order = paid(shop, browser)
    shop.clock.forward(days=91)

    work(shop)

    assert recorded(shop, order) == [(order.reference, 2982)]


def test_taxes_that_have_changed_wait_for_a_person(shop: Shop, browser: Browser) -> None:
    order = paid(shop, browser)
    (registration,) = [
        each["id"] for each in shop.stripe("GET", "/v1/tax/registrations")["data"] if each["country"] == "US"
    ]
    shop.stripe("POST", f"/v1/tax/registrations/{registration}", {"expires_at": "now"})
    shop.clock.forward(days=91)

    work(shop)
    work(shop)

    assert recorded(shop, order) == []
    with shop.services.database.reading() as session:
        assert session.scalars(select(Review.reason)).all() == ["tax_not_recorded"]
    assert findings(shop) == ["in_review"]


def test_the_doctor_finds_an_account_that_collects_nowhere(shop: Shop) -> None:
    setup = WebhookSetup(WEBHOOK_PATH, frozenset({"payment_intent.succeeded"}), "2026-10-28.endive")

    def problems() -> list[str]:
        found = doctor.run(shop.services, setup, shop.clock(), lambda _url, _event: 200, lambda _seconds: None)
        return [problem.wrong for problem in found if problem.subject == "taxes"]

    before = problems()
    for each in shop.stripe("GET", "/v1/tax/registrations")["data"]:
        shop.stripe("POST", f"/v1/tax/registrations/{each['id']}", {"expires_at": "now"})

    assert (before, problems()) == ([], ["Stripe Tax collects nowhere: the account has no registration."])


def test_an_order_that_costs_nothing_has_no_taxes(shop: Shop, browser: Browser) -> None:
    with shop.services.database.transaction() as session:
        session.add(CouponRow(code="ALL", kind=CouponKind.PERCENT, thousandths=100_000, currency="usd"))
        session.execute(update(ShippingZoneMethod).values(free_from_minor=1))

    order = placed(shop, browser, SEATTLE | {"code": "all"})
    work(shop)

    assert (order.total.minor, order.state, order.tax_calculation) == (0, OrderState.PAID, None)
    assert asked(shop, "/v1/tax/") == 0
    assert findings(shop) == []
