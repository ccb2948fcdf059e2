"""Hosted pages at Stripe: Checkout Sessions, created from an order's parts, read, and expired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import stripe

from store.domain.itemization import Item, NamedAmount
from store.gateway.port import HostedPage, HostedPageRequest, HostedPageSnapshot
from store.gateway.stripe.mapping import OF_PAYMENT, ORDER_REFERENCE, PAYMENT_NUMBER, page_of
from store.gateway.stripe.transport import date_of

PAGE = 100  # the most that one list request gives
# Characters of the names of a coupon and of a shipping rate (docs.stripe.com/api).
LONGEST_DISCOUNT, LONGEST_RATE = 40, 100
EXPAND = ["payment_intent.latest_charge"]
SESSION_ID = "session_id={CHECKOUT_SESSION_ID}"  # Stripe puts the session's id into the address that it leads to


def create(client: stripe.StripeClient, request: HostedPageRequest, payment: Mapping[str, Any]) -> HostedPage:
    """Create a session. `payment` are the parameters that its PaymentIntent would be created with."""
    key, parts = request.payment.idempotency_key, request.itemization
    metadata = {ORDER_REFERENCE: request.payment.order_reference, PAYMENT_NUMBER: str(request.payment_number)}
    said = ("description", "shipping", "receipt_email", "capture_method")
    of_payment = {name: payment[name] for name in said if name in payment}
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [_line(item) for item in parts.items],
        "allowed_payment_method_types": payment["allowed_payment_method_types"],
        "client_reference_id": request.payment.order_reference,
        "customer_email": request.payment.email,
        "metadata": metadata,
        OF_PAYMENT: {**of_payment, "metadata": metadata},
        "expires_at": int(request.expires_at.timestamp()),
        "success_url": request.paid_address + ("&" if "?" in request.paid_address else "?") + SESSION_ID,
        "cancel_url": request.back_address,
        "locale": "en",
        "submit_type": "pay",
        # It would be paid in another currency than the order's.
        "adaptive_pricing": {"enabled": False},
    }
    if parts.shipping is not None:
        params["shipping_options"] = [{"shipping_rate_data": _rate(parts.shipping)}]
    if parts.discount is not None:
        coupon = client.v1.coupons.create(_coupon(parts.discount), {"idempotency_key": f"{key}-discount"})
        params["discounts"] = [{"coupon": coupon.id}]
    made: Any = params
    return _page(client.v1.checkout.sessions.create(made, {"idempotency_key": key}))


def retrieve(client: stripe.StripeClient, provider_page_id: str) -> HostedPage:
    """Raises stripe.InvalidRequestError where there is none."""
    return _page(client.v1.checkout.sessions.retrieve(provider_page_id, {"expand": EXPAND}))


def expire(client: stripe.StripeClient, provider_page_id: str) -> HostedPageSnapshot:
    """Expire a session; one that is not open is answered as it is."""
    try:
        # No key of ours: a second time does no harm, while a refusal under a key would be repeated for a day.
        session = client.v1.checkout.sessions.expire(provider_page_id, {"expand": EXPAND})
    except stripe.InvalidRequestError:
        page = retrieve(client, provider_page_id).snapshot
        if page.open:  # it was refused for another reason
            raise
        return page
    return _page(session).snapshot


def open_since(client: stripe.StripeClient, since: datetime) -> Iterator[HostedPage]:
    """The open sessions for a payment that carry a number of the store's."""
    found = client.v1.checkout.sessions.list(
        {"created": {"gte": int(since.timestamp())}, "status": "open", "limit": PAGE}
    )
    for session in found.auto_paging_iter():
        if session.mode == "payment" and PAYMENT_NUMBER in (session.metadata or {}):
            yield _page(session, date_of(found))


def _page(session: stripe.checkout.Session, observed_at: datetime | None = None) -> HostedPage:
    return HostedPage(page_of(session.to_dict(), observed_at or date_of(session)), session.url)


def _line(item: Item) -> dict[str, Any]:
    price = {"currency": item.unit_price.currency, "unit_amount": item.unit_price.minor}
    return {"price_data": {**price, "product_data": {"name": item.name}}, "quantity": item.quantity}


def _rate(shipping: NamedAmount) -> dict[str, Any]:
    amount = {"amount": shipping.amount.minor, "currency": shipping.amount.currency}
    return {"display_name": _short(shipping.name, LONGEST_RATE), "type": "fixed_amount", "fixed_amount": amount}


def _coupon(discount: NamedAmount) -> Any:
    """A coupon for this one order, with which nobody else can pay."""
    amount = {"amount_off": discount.amount.minor, "currency": discount.amount.currency}
    return {**amount, "duration": "once", "max_redemptions": 1, "name": _short(discount.name, LONGEST_DISCOUNT)}


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
