"""The cart: shown, added to, changed."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.domain.contacts import tidy
from store.services import carts, catalogue, checkout
from store.web import header
from store.web.catalogue import product_page
from store.web.current import now, services
from store.web.destination import likely_address
from store.web.forms import AddToCartForm, ChangeLineForm, PostForm
from store.web.identity import cart_id, remember_cart

blueprint = Blueprint("cart", __name__)


@blueprint.get("/cart")
def show() -> ResponseReturnValue:
    return _cart_page(), 200


@blueprint.post("/cart/lines")
def add() -> ResponseReturnValue:
    """Put a product into the cart. “Buy now” means so many and no more, however often it is pressed, and goes on to the
    checkout.
    """
    slug = tidy(request.form.get("slug", ""))
    buy_now = "buy_now" in request.form
    form = AddToCartForm()
    if not form.validate():
        return product_page(slug, form), 400
    with services().database.transaction() as session:
        remember_cart(carts.add(session, cart_id(), slug, form.quantity.data or 0, now(), exactly=buy_now))
        name = catalogue.product(session, slug).name
    if buy_now:
        return redirect(url_for("checkout.details"), 303)
    flash(f"{name} is in your cart.")
    return redirect(url_for("cart.show"), 303)


@blueprint.post("/cart/lines/<slug:slug>")
def change(slug: str) -> ResponseReturnValue:
    """Set a line's quantity, or take the line out."""
    if "remove" in request.form:
        with services().database.transaction() as session:
            carts.remove(session, cart_id(), slug, now())
        flash("Taken out of your cart.")
        return redirect(url_for("cart.show"), 303)
    form = ChangeLineForm()
    if not form.validate():
        return _cart_page(refused=(slug, form)), 400
    with services().database.transaction() as session:
        carts.change(session, cart_id(), slug, form.quantity.data or 0, now())
    return redirect(url_for("cart.show"), 303)


@blueprint.get("/cart/lines")
@blueprint.get("/cart/lines/<slug:slug>")
def after_a_form(slug: str | None = None) -> ResponseReturnValue:
    """A reload of a form's address, as after an error page, shows the cart."""
    if slug == "":
        abort(404)
    return redirect(url_for("cart.show"), 303)


def _cart_page(refused: tuple[str, ChangeLineForm] | None = None) -> str:
    """The cart; `refused` is a line whose new quantity could not be taken, shown as it was typed."""
    with header.reading() as session:
        tariffs = services().tariffs.current(session, now())
        cart = carts.view(session, cart_id(), services().settings.store_currency, now(), tariffs)
        header.show_cart(cart)
    address = likely_address()
    preview = checkout.preview(tariffs, cart.quote.lines, address, None, now(), cart.quote.currency)
    return render_template(
        "cart.html", cart=cart, preview=preview, country=address.country, refused=refused, form=PostForm()
    )
