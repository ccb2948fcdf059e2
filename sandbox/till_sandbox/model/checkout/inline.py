"""A Checkout Session that is paid on a page of the shop's own, as Stripe.js shows it there.

Source of the shape: `StripeCheckoutSession` in @stripe/stripe-js. What the customer types stays in the page until they
pay.
"""

from collections.abc import Iterable
from typing import Any

from till_sandbox.model import money
from till_sandbox.model.checkout import discounts, paying
from till_sandbox.model.checkout.changes import Shown
from till_sandbox.state import Resource, Transaction


def as_stripe_js_has_it(tx: Transaction, shown: Shown) -> dict[str, Any]:
    """The session, without what only the page knows: what was typed there, and whether it can be confirmed."""
    session = shown.session
    currency = session["currency"] or "usd"
    details = session["customer_details"] or {}
    shipping = (session["collected_information"] or {}).get("shipping_details")
    return {
        "billingAddress": None,
        "businessName": None,
        "currency": currency,
        "currencyOptions": None,
        "discountAmounts": _discounts(session, shown, currency),
        "email": details.get("email"),
        "id": session.id,
        "lastPaymentError": _last_error(tx, session),
        "lineItems": [
            _line(line, product, currency) for line, product in zip(shown.lines, shown.products, strict=True)
        ],
        "livemode": False,
        "minorUnitsAmountDivisor": 10 ** money.decimals_of(currency),
        "nameCollection": None,
        "optionalItems": None,
        "phoneNumber": None,
        "recurring": None,
        "savedPaymentMethods": None,
        "shipping": _chosen_shipping(session, shown, currency),
        "shippingAddress": shipping,
        "shippingOptions": _shipping_options(session, shown, currency),
        "status": _status(session, tx.now),
        "surcharge": None,
        "tax": {"status": "ready"},
        "taxAmounts": [_tax(rate, amount, currency) for rate, amount in shown.taxes] or None,
        "taxIdInfo": None,
        "total": _totals(session, shown, currency),
    }


def _status(session: Resource, now: float) -> dict[str, Any]:
    if session["status"] == "complete":
        return {"type": "complete", "paymentStatus": session["payment_status"]}
    return {"type": "expired" if session["status"] == "expired" or session["expires_at"] <= now else "open"}


def _totals(session: Resource, shown: Shown, currency: str) -> dict[str, Any]:
    details = session["total_details"] or {}
    inclusive = sum(amount for rate, amount in shown.taxes if rate["inclusive"])
    amounts = {
        "appliedBalance": 0,
        "discount": details.get("amount_discount", 0),
        "shippingRate": details.get("amount_shipping", 0),
        "subtotal": session["amount_subtotal"] or 0,
        "surcharge": 0,
        "taxExclusive": details.get("amount_tax", 0) - inclusive,
        "taxInclusive": inclusive,
        "total": session["amount_total"] or 0,
    }
    written = {name: _amount(amount, currency) for name, amount in amounts.items()}
    return {**written, "balanceAppliedToNextInvoice": False}


def _line(line: Resource, product: Resource, currency: str) -> dict[str, Any]:
    price = line["price"]
    unit = round(float(line.private["unit_amount"]))
    inclusive = line["amount_subtotal"] - line["amount_discount"] + line["amount_tax"] > line["amount_total"]
    packs = price["transform_quantity"]
    limits = line["adjustable_quantity"]
    return {
        "adjustableQuantity": {name: limits[name] for name in ("maximum", "minimum")} if limits else None,
        "description": product["description"],
        "discount": _amount(line["amount_discount"], currency),
        "discountAmounts": None,
        "id": line.id,
        "images": product["images"],
        "isRemovable": False,
        "name": line["description"],
        "priceId": price["id"],
        "pricing": None,
        "quantity": line["quantity"],
        "recurring": None,
        "subtotal": _amount(line["amount_subtotal"], currency),
        "taxAmounts": None,
        "taxExclusive": _amount(0 if inclusive else line["amount_tax"], currency),
        "taxInclusive": _amount(line["amount_tax"] if inclusive else 0, currency),
        "total": _amount(line["amount_total"], currency),
        "transformQuantity": {
            "divideBy": packs["divide_by"],
            "packageCount": _packs(line["quantity"], packs),
            "round": packs["round"],
        }
        if packs
        else None,
        "unitAmount": _amount(unit, currency),
        "unitAmountDecimal": None,
        "unitLabel": product["unit_label"],
    }


def _packs(quantity: int, packs: dict[str, Any]) -> int:
    rest = packs["divide_by"] - 1 if packs["round"] == "up" else 0
    return int((quantity + rest) // packs["divide_by"])


def _discounts(session: Resource, shown: Shown, currency: str) -> list[dict[str, Any]] | None:
    if discounts.taken_off(session) is None:
        return None
    coupon = shown.coupon
    name = (coupon["name"] if coupon is not None else None) or shown.code or "Discount"
    return [
        {
            **_amount(session["total_details"]["amount_discount"], currency),
            "displayName": name,
            "percentOff": coupon["percent_off"] if coupon is not None else None,
            "promotionCode": shown.code,
            "recurring": None,
        }
    ]


def _tax(rate: Resource, amount: int, currency: str) -> dict[str, Any]:
    return {
        **_amount(amount, currency),
        "displayName": rate["display_name"],
        "inclusive": rate["inclusive"],
        "percentage": rate["percentage"],
    }


def _shipping_options(session: Resource, shown: Shown, currency: str) -> list[dict[str, Any]]:
    offered: Iterable[tuple[Resource, dict[str, Any]]] = zip(shown.rates, session["shipping_options"], strict=True)
    return [
        {
            **_amount(option["shipping_amount"], currency),
            "currency": currency,
            "deliveryEstimate": rate["delivery_estimate"],
            "displayName": rate["display_name"],
            "id": rate.id,
        }
        for rate, option in offered
    ]


def _chosen_shipping(session: Resource, shown: Shown, currency: str) -> dict[str, Any] | None:
    chosen = (session["shipping_cost"] or {}).get("shipping_rate")
    found = next((option for option in _shipping_options(session, shown, currency) if option["id"] == chosen), None)
    return {"shippingOption": found, "taxAmounts": None} if found else None


def _last_error(tx: Transaction, session: Resource) -> dict[str, Any] | None:
    intent = paying.intent_of(tx, session)
    if intent is None:
        return None
    error = intent["last_setup_error" if intent.kind == "setup_intent" else "last_payment_error"]
    return {"message": error["message"]} if error else None


def _amount(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": money.named_text(amount, currency), "minorUnitsAmount": amount}
