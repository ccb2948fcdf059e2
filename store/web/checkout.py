"""The checkout: where the order goes. “Continue to payment” places it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Order
from store.domain.countries import countries
from store.services import carts, checkout, orders
from store.services.carts import CartView
from store.web import header
from store.web.checkout_form import CheckoutForm
from store.web.current import now, services
from store.web.identity import browser_id, cart_id, known_browser
from store.web.limits import per_address, per_browser, per_email, shopper

blueprint = Blueprint("checkout", __name__)


@blueprint.get("/checkout")
def details() -> ResponseReturnValue:
    """The form, filled with what this browser last ordered with. A cart that cannot be ordered is shown instead."""
    cart, last = _cart_and_last_order()
    if not cart.can_check_out:
        return redirect(url_for("cart.show"), 303)
    if last:
        form = CheckoutForm.like(last.shipping, last.billing, last.email)
    else:
        form = CheckoutForm(formdata=None, country=_likely_country())
    return render_template("checkout.html", form=form, cart=cart), 200


@blueprint.post("/checkout")
@per_address
@per_browser
@per_email
def place() -> ResponseReturnValue:
    """Place the order and go to its payment page; placing the same again goes to the same page. An e-mail address that
    looks like a typing mistake is asked about first.
    """
    form = CheckoutForm()
    if not form.validate() or not form.is_settled(request.form.get("email_meant")):
        cart, _last = _cart_and_last_order()
        return render_template("checkout.html", form=form, cart=cart), 400
    order = checkout.place(services(), cart_id(), browser_id(), form.customer(), now(), shopper())
    return redirect(url_for("orders.pay", reference=order.reference), 303)


def _cart_and_last_order() -> tuple[CartView, Order | None]:
    with header.reading() as session:
        cart = carts.view(session, cart_id(), services().settings.store_currency, now())
        header.show_cart(cart)
        return cart, orders.newest_of_browser(session, known_browser())


def _likely_country() -> str:
    """The country of the browser's first language, such as GB for en-GB; the United States where it names none."""
    known = {code for code, _name in countries()}
    for language, _weight in request.accept_languages:
        territory = language.rpartition("-")[2].upper()
        if "-" in language and territory in known:
            return territory
    return "US"
