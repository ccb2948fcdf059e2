"""The pages of all products, with categories and a search, and a page for each product."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from store.domain.errors import NotFound, Subject
from store.services import catalogue, checkout
from store.web import header
from store.web.current import now, services
from store.web.destination import likely_address
from store.web.forms import AddToCartForm
from store.web.presentation.shipping import product_note

blueprint = Blueprint("catalogue", __name__)

LONGEST_SEARCH = 80  # characters, as the field says


@blueprint.get("/")
def listing() -> ResponseReturnValue:
    """A page of what is for sale: all of it, a category, what was searched for. Raises NotFound."""
    search = " ".join(request.args.get("q", "").split())
    category = request.args.get("category") or None
    page = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,4}", page, re.ASCII):
        raise NotFound(Subject.CATALOGUE_PAGE)
    with header.reading() as session:
        shelf = catalogue.browse(session, category=category, search=search[:LONGEST_SEARCH], page=int(page))
        categories = catalogue.categories(session)
    return render_template(
        "catalogue.html", shelf=shelf, categories=categories, search=search[:LONGEST_SEARCH], longest=LONGEST_SEARCH
    )


@blueprint.get("/products/<slug:slug>")
def product(slug: str) -> ResponseReturnValue:
    """One product and the form that puts it into the cart."""
    return product_page(slug, AddToCartForm(formdata=None)), 200


def product_page(slug: str, form: AddToCartForm) -> str:
    """The product's page with `form` on it, as it was sent where it was refused. Raises NotFound."""
    with header.reading() as session:
        found = catalogue.product(session, slug)
        others = catalogue.others_like(session, found)
        tariffs = services().tariffs.current(session, now())
    address = likely_address()
    preview = checkout.preview(tariffs, [catalogue.quote_line(found)], address, None, now(), found.currency)
    return render_template(
        "product.html",
        product=found,
        form=form,
        others=others,
        shipping_sentence=product_note(preview, address.country),
    )
