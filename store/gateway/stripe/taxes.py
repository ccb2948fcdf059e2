"""Stripe Tax in the store's terms: a calculation, the transaction that records it, the reversal that takes it back.

A calculation changes nothing, so it carries no key of the store's. A transaction and a reversal do, and a `reference`
that is unique among all of an account, so that none is recorded twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import stripe

from store.domain.errors import PaymentMisconfigured, TaxAddressUnknown, TaxCalculationGone, TaxNotRecorded
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, TaxClass
from store.domain.regions import region_code
from store.domain.tax_questions import TaxAnswer, TaxedLine, TaxQuestion
from store.gateway.port import TaxSetup
from store.gateway.stripe.transport import translate_errors

LOCATION_INVALID, MISSING = "customer_tax_location_invalid", "resource_missing"
PAGE = 100

# docs.stripe.com/tax/tax-codes: what is shipped, and what is sent by e-mail.
TAX_CODES = {
    (TaxClass.STANDARD, True): "txcd_99999999",  # General - Tangible Goods
    (TaxClass.STANDARD, False): "txcd_10000000",  # General - Electronically Supplied Services
    (TaxClass.REDUCED, True): "txcd_35010000",  # Books
    (TaxClass.REDUCED, False): "txcd_10302000",  # Digital Books - downloaded, with permanent rights
    (TaxClass.NONE, True): "txcd_10502000",  # Gift Card
    (TaxClass.NONE, False): "txcd_10502000",
}
SHIPPING = "txcd_92010001"
# What a tax is called on a receipt; another type is called by its own name.
NAMES = {
    "gst": "GST",
    "hst": "HST",
    "igst": "IGST",
    "jct": "Consumption tax",
    "pst": "PST",
    "qst": "QST",
    "rst": "RST",
    "vat": "VAT",
}


class StripeTaxes:
    """A TaxService that asks Stripe through `client`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def calculate(self, question: TaxQuestion) -> TaxAnswer:
        with translate_errors("calculate_taxes", question.address.country):
            try:
                found = self._client.v1.tax.calculations.create(_params(question))
            except stripe.InvalidRequestError as refusal:
                if refusal.code == LOCATION_INVALID:
                    raise TaxAddressUnknown from refusal
                raise
        answer = answer_of(found.to_dict())
        added = Money.sum((each.amount for each in answer.adjustments), question.currency)
        if found.amount_total != (question.total + added).minor:
            raise PaymentMisconfigured  # an order must not cost something else than what is on record
        return answer

    def record_sale(self, calculation: str, reference: str, key: str) -> str:
        with translate_errors("record_sale", reference):
            try:
                made = self._client.v1.tax.transactions.create_from_calculation(
                    {"calculation": calculation, "reference": reference}, {"idempotency_key": key}
                )
            except stripe.InvalidRequestError as refusal:
                if refusal.code == MISSING or refusal.param == "calculation":
                    raise TaxCalculationGone from refusal
                raise TaxNotRecorded from refusal
        return made.id

    def record_reversal(self, original: str, reference: str, amount: Money | None, key: str) -> str:
        params: dict[str, Any] = {"original_transaction": original, "reference": reference, "mode": "full"}
        if amount is not None:
            params |= {"mode": "partial", "flat_amount": -amount.minor}
        with translate_errors("record_reversal", reference):
            try:
                made = self._client.v1.tax.transactions.create_reversal(
                    params,  # type: ignore[arg-type]  # built in steps, so not a TypedDict literal
                    {"idempotency_key": key},
                )
            except stripe.InvalidRequestError as refusal:
                raise TaxNotRecorded from refusal
        return made.id

    def setup(self) -> TaxSetup:
        with translate_errors("tax_setup", "account"):
            ready = self._client.v1.tax.settings.retrieve().status == "active"
            active = self._client.v1.tax.registrations.list({"status": "active", "limit": PAGE})
            return TaxSetup(ready, sum(1 for _ in active.auto_paging_iter()))


def answer_of(calculation: Mapping[str, Any]) -> TaxAnswer:
    """A calculation as adjustments: one for each rate, those of the same name together."""
    amounts: dict[tuple[str, bool], int] = {}
    bases: Counter[tuple[str, bool]] = Counter()
    for part in calculation["tax_breakdown"]:
        reason, inclusive = part["taxability_reason"], bool(part["inclusive"])
        if reason == "reverse_charge":
            rate = (f"{_name(part)} not charged: reverse charge", False)
            amounts.setdefault(rate, 0)
        elif part["amount"]:
            label = f"{_name(part)} {_percent(part)}%{', included' if inclusive else ''}"
            rate = (label, inclusive)
            amounts[rate] = amounts.get(rate, 0) + part["amount"]
        else:
            continue
        bases[rate] += part["taxable_amount"]
    return TaxAnswer(tuple(_adjustments(amounts, bases, calculation["currency"])), calculation["id"])


def _adjustments(
    amounts: Mapping[tuple[str, bool], int], bases: Mapping[tuple[str, bool], int], currency: str
) -> Iterable[Adjustment]:
    nothing = Money(0, currency)
    for (label, inclusive), minor in amounts.items():
        amount, base = Money(minor, currency), Money(bases[label, inclusive], currency)
        if inclusive:
            yield Adjustment(AdjustmentKind.TAX, label, nothing, contained=amount, base=base)
        else:
            yield Adjustment(AdjustmentKind.TAX, label, amount, base=base)


def _name(part: Mapping[str, Any]) -> str:
    kind = part["tax_rate_details"]["tax_type"] or "tax"
    return NAMES.get(kind) or str(kind).replace("_", " ").capitalize()


def _percent(part: Mapping[str, Any]) -> str:
    """`19.0` as 19, `8.875` as it is."""
    percent: str = part["tax_rate_details"]["percentage_decimal"]
    return percent.rstrip("0").rstrip(".") if "." in percent else percent


def _params(question: TaxQuestion) -> Any:
    address, behavior = question.address, "inclusive" if question.includes_taxes else "exclusive"
    state = region_code(address.country, address.region, address.postal_code) or address.region
    details: dict[str, Any] = {
        "address": {
            "line1": address.line1,
            "line2": address.line2,
            "city": address.city,
            "state": state,
            "postal_code": address.postal_code,
            "country": address.country,
        },
        "address_source": "shipping" if question.is_shipped else "billing",
    }
    if question.tax_id is not None:
        kind = "gb_vat" if address.country == "GB" else "eu_vat"
        details["tax_ids"] = [{"type": kind, "value": question.tax_id}]
    params: dict[str, Any] = {
        "currency": question.currency,
        "customer_details": details,
        "line_items": [_line(line, behavior) for line in question.lines],
    }
    if question.is_shipped and question.shipping.minor:
        params["shipping_cost"] = {
            "amount": question.shipping.minor,
            "tax_behavior": behavior,
            "tax_code": SHIPPING,
        }
    return params


def _line(line: TaxedLine, behavior: str) -> dict[str, Any]:
    return {
        "amount": line.amount.minor,
        "quantity": line.quantity,
        "reference": line.reference,
        "tax_behavior": behavior,
        "tax_code": TAX_CODES[line.tax_class, line.shippable],
    }
