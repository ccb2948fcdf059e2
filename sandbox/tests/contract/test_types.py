"""The official library's types judge what the sandbox takes and returns."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stripe
from flask import Flask

from harness.stripe_types import class_of, complaints
from till_sandbox.api.route import Route
from till_sandbox.api.routes import ROUTES
from till_sandbox.data import derive, load
from till_sandbox.testing import InProcessStripe

Later = Callable[[float], None]


class Recording(InProcessStripe):
    """Keeps every object that was answered."""

    def __init__(self, application: Flask) -> None:
        super().__init__(application)
        self.objects: list[dict[str, Any]] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = super().request(method, url, headers, post_data)
        self._keep(json.loads(answer[0]))
        return answer

    def _keep(self, body: dict[str, Any]) -> None:
        if body.get("object") == "list":
            for item in body["data"]:
                self._keep(item)
        elif "object" in body and not body.get("deleted"):
            self.objects.append(body)
            if body["object"] == "event":
                self.objects.append(body["data"]["object"])
        elif "payment_intent" in body.get("error", {}):
            self._keep(body["error"]["payment_intent"])


def test_the_data_says_what_the_installed_library_says() -> None:
    assert load("sdk") == json.loads(json.dumps(derive.derive()))


def test_no_operation_is_imitated_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_every_object_is_what_the_library_declares(application: Flask, later: Later) -> None:
    line = Recording(application)
    client = stripe.StripeClient("sk_test_types", base_addresses={"api": "http://127.0.0.1:4242"}, http_client=line)

    live_a_busy_week(client, later)

    kinds = {body["object"] for body in line.objects}
    assert kinds >= {
        "account",
        "balance",
        "balance_transaction",
        "charge",
        "checkout.session",
        "confirmation_token",
        "coupon",
        "customer",
        "dispute",
        "event",
        "item",
        "payment_intent",
        "payment_method",
        "payout",
        "price",
        "product",
        "promotion_code",
        "radar.early_fraud_warning",
        "refund",
        "setup_attempt",
        "setup_intent",
        "shipping_rate",
        "tax.association",
        "tax.calculation",
        "tax.calculation_line_item",
        "tax.registration",
        "tax.settings",
        "tax.transaction",
        "tax.transaction_line_item",
        "tax_code",
        "tax_rate",
        "webhook_endpoint",
    }
    wrong = sorted({complaint for body in line.objects for complaint in complaints_about(body)})
    assert wrong == []


def test_the_judge_finds_what_is_wrong() -> None:
    refund = {"object": "refund", "id": 5, "status": "succeeded", "made_up": True}

    found = list(complaints(refund, stripe.Refund))

    assert "!.id: 5 is no str" in found
    assert ".amount: missing from Refund" in found
    assert ".made_up: not declared by Refund" in found


def complaints_about(body: dict[str, Any]) -> list[str]:
    cls = class_of(body)
    assert cls is not None, body["object"]
    return list(complaints(body, cls, body["object"]))


def live_a_busy_week(client: stripe.StripeClient, later: Later) -> None:
    """Something of everything, so that every kind of object is answered in most of its states."""
    v1 = client.v1
    endpoint = v1.webhook_endpoints.create({"url": "http://shop.example/", "enabled_events": ["*"]})
    address: Any = {"line1": "1 Main St", "city": "Springfield", "postal_code": "62701", "country": "US"}
    customer = v1.customers.create(
        {"email": "ada@example.com", "name": "Ada", "address": address, "shipping": {"name": "A", "address": address}}
    )
    v1.customers.update(customer.id, {"metadata": {"a": "b"}})
    method = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.payment_methods.update(method.id, {"billing_details": {"name": "Ada", "address": address}})
    for card in (
        "pm_card_visa",
        "pm_card_authenticationRequired",
        "pm_card_visa_cartesBancaires",
        "pm_card_amex",
        "pm_card_createDispute",
        "pm_card_createDisputeInquiry",
        "pm_card_createCe3EligibleDispute",
        "pm_card_createComplianceDispute",
        "pm_card_createIssuerFraudRecord",
        "pm_card_refundFail",
        "pm_card_pendingRefund",
        "pm_card_chargeDeclined",
        "pm_card_radarBlock",
        "pm_card_chargeDeclinedExpiredCard",
        "pm_card_riskLevelElevated",
    ):
        pay(client, payment_method=card, shipping={"name": "A", "address": address}, description="Tea")
    pay(client, customer=customer.id, payment_method=method.id, off_session=True)
    pay(
        client,
        payment_method="pm_card_threeDSecureOptional",
        payment_method_options={"card": {"request_three_d_secure": "any"}},
    )
    pay(client, payment_method="pm_card_authenticationRequired", return_url="https://shop.example/")
    hold = pay(client, payment_method="pm_card_visa", capture_method="manual")
    v1.payment_intents.capture(hold, {"amount_to_capture": 100})
    v1.payment_intents.cancel(v1.payment_intents.create({"amount": 500, "currency": "usd"}).id)
    setup = v1.setup_intents.create({"customer": customer.id})
    for card in ("pm_card_chargeDeclined", "pm_card_authenticationRequired", "pm_card_visa"):
        try:
            v1.setup_intents.confirm(setup.id, {"payment_method": card})
        except stripe.CardError:
            v1.setup_intents.retrieve(setup.id)
    later(3)
    for charge in v1.charges.list({"limit": 100}).data:
        if charge.paid and not charge.disputed and charge.captured:
            v1.refunds.create({"charge": charge.id, "amount": 100, "reason": "requested_by_customer"})
    for dispute in v1.disputes.list().data:
        v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    later(8)
    v1.charges.list({"limit": 100, "expand": ["data.balance_transaction", "data.customer", "data.payment_intent"]})
    v1.payment_intents.list({"limit": 100, "expand": ["data.latest_charge", "data.payment_method"]})
    v1.refunds.list({"limit": 100, "expand": ["data.charge"]})
    v1.disputes.list({"limit": 100})
    pay(client, payment_method="pm_card_bypassPending", capture_method="automatic")
    v1.payouts.cancel(v1.payouts.create({"amount": 10, "currency": "usd"}).id)
    v1.payouts.create({"amount": 20, "currency": "usd", "description": "Rent", "method": "instant"})
    v1.payouts.list({"limit": 100, "expand": ["data.balance_transaction"]})
    v1.balance_transactions.list({"limit": 100})
    v1.setup_intents.list({"limit": 100})
    v1.setup_attempts.list({"setup_intent": setup.id})
    v1.payment_methods.detach(method.id)
    v1.customers.delete(customer.id)
    v1.radar.early_fraud_warnings.list()
    v1.accounts.retrieve(v1.accounts.retrieve_current().id)
    v1.balance.retrieve()
    v1.test_helpers.confirmation_tokens.create({"payment_method": "pm_card_visa", "return_url": "https://shop.example"})
    v1.webhook_endpoints.update(endpoint.id, {"description": "x"})
    fill_a_catalog(client)
    sell_on_the_page(client)
    collect_taxes(client)
    for _event in v1.events.list({"limit": 100}).auto_paging_iter():
        pass


def fill_a_catalog(client: stripe.StripeClient) -> None:
    v1 = client.v1
    product = v1.products.create({"name": "Tea", "tax_code": "txcd_99999999", "images": ["https://shop.example/t.png"]})
    offers: list[Any] = [
        {"unit_amount": 900, "transform_quantity": {"divide_by": 12, "round": "up"}},
        {"custom_unit_amount": {"enabled": True}, "expand": ["product"]},
        {
            "billing_scheme": "tiered",
            "tiers_mode": "volume",
            "tiers": [{"up_to": "inf", "unit_amount": 5}],
            "recurring": {"interval": "month"},
            "expand": ["tiers"],
        },
    ]
    for offer in offers:
        offer |= {"product": product.id, "currency": "usd"}
        v1.prices.create(offer)
    coupon = v1.coupons.create({"percent_off": 12.5, "applies_to": {"products": [product.id]}})
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "expand": ["promotion.coupon"]})
    v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20, "country": "DE"})
    v1.shipping_rates.create({"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}})


def sell_on_the_page(client: stripe.StripeClient) -> None:
    v1 = client.v1
    rate = v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20})
    coupon = v1.coupons.create({"percent_off": 12.5})
    post = {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}}
    price = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}}
    line = {"price_data": price, "quantity": 2, "tax_rates": [rate.id], "adjustable_quantity": {"enabled": True}}
    asked: Any = {
        "mode": "payment",
        "success_url": "https://shop.example/",
        "line_items": [line],
        "discounts": [{"coupon": coupon.id}],
        "shipping_options": [{"shipping_rate_data": post}],
        "shipping_address_collection": {"allowed_countries": ["US"]},
        "custom_fields": [{"key": "note", "label": {"type": "custom", "custom": "Note"}, "type": "text"}],
        "custom_text": {"submit": {"message": "Thank you"}},
        "consent_collection": {"terms_of_service": "required"},
        "automatic_tax": {"enabled": False},
        "expand": ["shipping_cost.shipping_rate", "discounts.coupon", "total_details.breakdown"],
    }
    session = v1.checkout.sessions.create(asked)
    v1.checkout.sessions.line_items.list(session.id, {"expand": ["data.taxes", "data.discounts"]})
    v1.checkout.sessions.expire(session.id)
    v1.checkout.sessions.create({"mode": "setup", "currency": "usd", "success_url": "https://shop.example/"})


def collect_taxes(client: stripe.StripeClient) -> None:
    tax = client.v1.tax
    options: Any = {"de": {"type": "oss_union"}}
    tax.registrations.create({"country": "DE", "country_options": options, "active_from": "now"})
    tax.settings.update({"defaults": {"tax_behavior": "inclusive"}})
    asked: Any = {
        "currency": "usd",
        "line_items": [{"amount": 1190, "reference": "L1", "metadata": {"a": "b"}}],
        "shipping_cost": {"amount": 500},
        "ship_from_details": {"address": {"country": "DE"}},
        "customer_details": {
            "address": {"country": "FR"},
            "address_source": "billing",
            "tax_ids": [{"type": "eu_vat", "value": "FRAB123456789"}],
        },
        "expand": ["line_items.data.tax_breakdown", "shipping_cost.tax_breakdown"],
    }
    made = tax.calculations.create(asked)
    tax.calculations.line_items.list(made.id or "")
    hooks: Any = {"inputs": {"tax": {"calculation": made.id}}}
    intent = pay(client, payment_method="pm_card_visa", hooks=hooks)
    attempts: Any = tax.associations.find({"payment_intent": intent}).tax_transaction_attempts
    sale = attempts[0].committed.transaction
    tax.transactions.line_items.list(sale)
    back: Any = {"mode": "full", "original_transaction": sale, "reference": "back", "expand": ["line_items"]}
    tax.transactions.line_items.list(tax.transactions.create_reversal(back).id)
    client.v1.tax_codes.list()


def pay(client: stripe.StripeClient, **params: Any) -> str:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})
    capture = {"capture_method": params.pop("capture_method")} if "capture_method" in params else {}
    if "customer" in params:
        client.v1.payment_intents.update(intent.id, {"customer": params.pop("customer")})
    if "description" in params:
        client.v1.payment_intents.update(intent.id, {"description": params.pop("description")})
    try:
        client.v1.payment_intents.confirm(intent.id, {**params, **capture})  # type: ignore[arg-type]  # from parts
    except stripe.CardError:
        client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    return intent.id


REQUIRING = [
    route
    for route in ROUTES
    if isinstance(route.params, str)
    and any(spec.get("required") for spec in load("sdk")["parameters"][route.params].values())
]


@pytest.mark.parametrize("route", REQUIRING, ids=lambda route: f"{route.method} {route.path}")
def test_what_the_library_requires_is_required(application: Flask, route: Route) -> None:
    answer = application.test_client().open(
        route.path.replace("{", "").replace("}", ""),
        method=route.method,
        headers={"Authorization": "Bearer sk_test_types"},
    )

    assert answer.json is not None
    assert answer.json["error"]["code"] == "parameter_missing"
