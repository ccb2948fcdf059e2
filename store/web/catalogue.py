"""The page of all products, and a page for each."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from store.services import catalogue
from store.web import header
from store.web.forms import AddToCartForm

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
    return render_template("product.html", product=found, form=form, others=others[:4])
