"""The page of all products, and a page for each."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from store.services import catalogue, checkout
from store.web import header
from store.web.current import now, services
from store.web.destination import likely_address
from store.web.forms import AddToCartForm
from store.web.presentation.shipping import product_note

blueprint = Blueprint("catalogue", __name__)


@blueprint.get("/")
def listing() -> ResponseReturnValue:
    """Everything for sale, in the order of their positions."""
    with header.reading() as session:
        products = catalogue.listing(session)
    return render_template("catalogue.html", products=products)


@blueprint.get("/products/<slug:slug>")
def product(slug: str) -> ResponseReturnValue:
    """One product and the form that puts it into the cart."""
    return product_page(slug, AddToCartForm(formdata=None)), 200


def product_page(slug: str, form: AddToCartForm) -> str:
    """The product's page with `form` on it, as it was sent where it was refused. Raises NotFound."""
    with header.reading() as session:
        found = catalogue.product(session, slug)
        others = [each for each in catalogue.listing(session) if each.category == found.category and each.slug != slug]
        tariffs = services().tariffs.current(session, now())
    address = likely_address()
    preview = checkout.preview(tariffs, [catalogue.quote_line(found)], address, None, now(), found.currency)
    return render_template(
        "product.html",
        product=found,
        form=form,
        others=others[:4],
        shipping_sentence=product_note(preview, address.country),
    )
