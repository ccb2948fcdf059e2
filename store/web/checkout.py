"""The checkout: where the order goes, how it is sent, and what it costs. “Continue to payment” places it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Order
from store.domain.coupons import read_code
from store.domain.errors import (
    AddressMissing,
    CouponRefused,
    NotShippedThere,
    PriceChanged,
    ShippingMethodUnavailable,
    StoreError,
    TaxAddressUnknown,
    TaxesUnavailable,
)
from store.domain.states import OrderState
from store.domain.tariffs import Tariffs
from store.domain.tax_questions import Taxes
from store.services import carts, checkout, coupons, orders, taxes
from store.services.carts import CartView
from store.services.checkout import Preview
from store.web import header
from store.web.checkout_form import CheckoutForm
from store.web.current import now, services
from store.web.destination import likely_country
from store.web.errors import status_of
from store.web.identity import browser_id, cart_id, known_browser
from store.web.limits import per_address, per_browser, per_email, shopper, updates
from store.web.pages import Because

blueprint = Blueprint("checkout", __name__)

# What the form itself can say, with everything still in it that was typed.
SAID_BY_FORM = (
    AddressMissing,
    CouponRefused,
    NotShippedThere,
    PriceChanged,
    ShippingMethodUnavailable,
    TaxAddressUnknown,
    TaxesUnavailable,
)


@blueprint.get("/checkout")
def details() -> ResponseReturnValue:
    """The form, filled with what this browser last ordered with. A cart that cannot be ordered is shown instead."""
    cart, last = _cart_and_last_order()
    if not cart.can_check_out:
        return redirect(url_for("cart.show"), 303)
    if last is not None and last.is_shipped:
        form = CheckoutForm.like(last.shipping, last.billing, last.email)
    else:
        known = {"email": last.email, "full_name": last.addressee} if last is not None else {}
        form = CheckoutForm(formdata=None, data={**known, "country": likely_country()})
    return _page(form.without_address(not cart.is_shipped), cart), 200


@blueprint.post("/checkout/total")
@updates
def update() -> ResponseReturnValue:
    """The form as it was sent, with what the order costs by that: another country, another shipping method. Nothing is
    placed, and nothing is found fault with.
    """
    cart, _last = _cart_and_last_order()
    if not cart.can_check_out:
        return redirect(url_for("cart.show"), 303)
    form = CheckoutForm.sent(cart.tariffs, is_shipped=cart.is_shipped)
    if form.asks_address and _preview(form, cart).chosen is None:
        form.shipping_method.data = None  # what was chosen does not go there
    return _page(form, cart), 200


@blueprint.get("/checkout/total")
def after_update() -> ResponseReturnValue:
    """A reload of the form's address shows the checkout."""
    return redirect(url_for("checkout.details"), 303)


@blueprint.post("/checkout")
@per_address
@per_browser
@per_email
def place() -> ResponseReturnValue:
    """Place the order and go to its payment page; placing the same again goes to the same page. An e-mail address that
    looks like a typing mistake is asked about first, and whoever was shown a price that has changed since is told.
    """
    form = CheckoutForm.sent(_tariffs(), is_shipped="address_line1" in request.form)
    if not _is_complete(form):
        return _again(form)
    shown = form.shown_price()
    try:
        order = checkout.place(services(), cart_id(), browser_id(), form.customer(), now(), shopper(), shown)
    except SAID_BY_FORM as refusal:
        return _again(form, refusal)
    if order.state is not OrderState.AWAITING_PAYMENT:  # there is nothing to pay
        return redirect(url_for("orders.status", reference=order.reference), 303)
    chosen_since = shown is not None and shown.total_minor != order.total_minor
    because = Because.NEW_TOTAL if chosen_since else None
    return redirect(url_for("orders.pay", reference=order.reference, because=because), 303)


def _is_complete(form: CheckoutForm) -> bool:
    return form.validate() and form.is_settled(request.form.get("email_meant"))


def _again(form: CheckoutForm, refusal: StoreError | None = None) -> ResponseReturnValue:
    """The form with everything that was typed, and what is wrong with it."""
    cart, _last = _cart_and_last_order()
    if cart.is_shipped != form.asks_address:  # the cart was changed in another tab
        form = CheckoutForm.sent(cart.tariffs, is_shipped=cart.is_shipped)
        form.validate()
    if refusal is not None:
        form.explain(refusal)
    status = status_of(type(refusal)) if isinstance(refusal, PriceChanged | TaxesUnavailable) else 400
    return _page(form, cart, refusal), status


def _page(form: CheckoutForm, cart: CartView, refusal: StoreError | None = None) -> str:
    """The page with the price as it is now, which the form carries along, and why no order was placed: because that
    price has changed, or its taxes are not known.
    """
    preview = _preview(form, cart)
    form.show(preview)
    if preview.coupon_refusal is not None:
        form.explain(preview.coupon_refusal)
    changed, untaxed = isinstance(refusal, PriceChanged), isinstance(refusal, TaxesUnavailable)
    return render_template("checkout.html", form=form, cart=cart, preview=preview, changed=changed, untaxed=untaxed)


def _preview(form: CheckoutForm, cart: CartView) -> Preview:
    method = form.shipping_method.data or None if form.asks_address else None
    currency, lines, code = cart.quote.currency, cart.quote.lines, form.code.data
    address, tax_id = form.known_address(), form.known_tax_id()

    def preview(asked: Taxes | None) -> Preview:
        tariffs = cart.tariffs.asking(asked)
        return checkout.preview(tariffs, lines, address, method, now(), currency, tax_id, code)

    return taxes.shown(services(), now(), preview)


def _tariffs() -> Tariffs:
    """What is charged now; no statement, but every few seconds."""
    kept = services().tariffs.kept(now())
    if kept is not None:
        return kept
    with services().database.reading() as session:
        return services().tariffs.current(session, now())


def _cart_and_last_order() -> tuple[CartView, Order | None]:
    with header.reading() as session:
        tariffs = services().tariffs.current(session, now())
        if request.method == "POST":
            tariffs = tariffs.with_coupon(coupons.find(session, read_code(request.form.get("code")), cart_id()))
        cart = carts.view(session, cart_id(), services().settings.store_currency, now(), tariffs)
        header.show_cart(cart)
        return cart, orders.newest_of_browser(session, known_browser())
