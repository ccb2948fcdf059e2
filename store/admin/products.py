"""Products and categories: texts, prices, what is hidden, and stock that is corrected with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Category, Product
from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.picture_forms import PictureForm
from store.admin.product_forms import CategoryForm, NewProductForm, ProductForm, StockForm
from store.admin.saving import saves
from store.domain.pictures import MOST_PICTURES
from store.domain.staff import Role
from store.services import catalogue, products
from store.services.operations.work_list import SCARCE
from store.web.current import services

blueprint = Blueprint("products", __name__, url_prefix="/products")

LONGEST_SEARCH = 80


@blueprint.get("")
@guard.allowed(Role.OWNER)
def index() -> ResponseReturnValue:
    """The products in the order in which they are shown, those that are hidden too."""
    search = " ".join(request.args.get("q", "").split())[:LONGEST_SEARCH]
    scarce = request.args.get("show") == "scarce"
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    with services().database.reading() as session:
        part = products.browse(session, search=search, scarce=SCARCE if scarce else None, page=page)
    return render_template("admin/products.html", part=part, search=search, only_scarce=scarce, scarce=SCARCE), 200


@blueprint.route("/new", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def add() -> ResponseReturnValue:
    """The form of a new product, and what adds it."""
    with services().database.reading() as session:
        categories = catalogue.categories(session)
        position = products.last_position(session) + 1
    currency = services().settings.store_currency
    if request.method == "GET":
        first = {"position": position, "weight": 0, "shippable": True, "stock": 0, "reason": "opening stock"}
        form = NewProductForm(currency, categories, formdata=None, data=first)
    else:
        form = NewProductForm(currency, categories)
    added: list[Product] = []

    def save() -> None:
        values, stock, reason = form.values(), form.stock.data or 0, form.reason.data or ""
        added.append(products.add(services(), values, stock, reason, guard.actor()))

    if saves(form, form.slug, save):
        flash("It is added, and hidden. Add a picture, look at it, and then show it.")
        return redirect(url_for("products.edit", slug=added[0].slug), 303)
    status = 400 if form.is_submitted() else 200
    return render_template("admin/new_product.html", form=form), status


@blueprint.route("/<slug:slug>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def edit(slug: str) -> ResponseReturnValue:
    """The form of a product, and what changes it. Raises NotFound."""
    product, categories = _read(slug)
    if request.method == "GET":
        return product_page(product, ProductForm.of(product, categories)), 200
    form = ProductForm(product.currency, categories, product)
    changed: dict[str, object] = {}
    if saves(form, form.slug, lambda: changed.update(products.change(services(), slug, form.values(), guard.actor()))):
        flash("Saved." if changed else "Nothing was different.")
        return redirect(url_for("products.edit", slug=form.slug.data or slug), 303)
    return product_page(product, form), 400


def picture_page(slug: str, refused: PictureForm) -> ResponseReturnValue:
    """The page of a product with a form of its pictures as it was refused. Raises NotFound."""
    product, categories = _read(slug)
    return product_page(product, ProductForm.of(product, categories), refused), 400


def product_page(product: Product, form: ProductForm, refused: PictureForm | None = None) -> str:
    """The page of a product, with all its forms."""
    return render_template(
        "admin/product.html",
        product=product,
        form=form,
        stock_form=StockForm(formdata=None),
        button=ButtonForm(formdata=None),
        picture_forms=[
            refused if refused and refused.picture == picture.name else PictureForm.of(picture, place)
            for place, picture in enumerate(product.pictures, start=1)
        ],
        new_picture=refused if refused and not refused.picture else PictureForm(formdata=None),
        most_pictures=MOST_PICTURES,
    )


def _read(slug: str) -> tuple[Product, Sequence[Category]]:
    with services().database.reading() as session:
        return products.find(session, slug), catalogue.categories(session)


@blueprint.post("/<slug:slug>/stock")
@guard.allowed(Role.OWNER)
def correct_stock(slug: str) -> ResponseReturnValue:
    """Add pieces, or take some away, with a reason. Raises NotFound and CatalogueRefused."""
    form = StockForm()
    if form.validate():
        stock = products.correct_stock(services(), slug, form.by.data or 0, form.reason.data or "", guard.actor())
        flash(f"{stock} pieces are there now.")
    else:
        flash(" ".join(str(field.errors[0]) for field in form if field.errors), "bad")
    home = request.form.get("back") == "today"
    return redirect(url_for("home.show") if home else url_for("products.edit", slug=slug), 303)


@blueprint.get("/categories")
@guard.allowed(Role.OWNER)
def categories() -> ResponseReturnValue:
    """The categories, in the order in which they are shown."""
    with services().database.reading() as session:
        found = catalogue.categories(session)
    forms = {each.id: CategoryForm(formdata=None, obj=each) for each in found}
    return render_template(
        "admin/categories.html", categories=found, forms=forms, form=CategoryForm(formdata=None), button=ButtonForm()
    ), 200


@blueprint.post("/categories")
@guard.allowed(Role.OWNER)
def add_category() -> ResponseReturnValue:
    form = CategoryForm()
    if form.validate():
        products.add_category(services(), form.name.data or "", guard.actor())
        flash("The category is added. Choose it on the page of a product.")
    else:
        flash("Type a name of at most 60 characters.", "bad")
    return redirect(url_for("products.categories"), 303)


@blueprint.post("/categories/<int:category_id>")
@guard.allowed(Role.OWNER)
def change_category(category_id: int) -> ResponseReturnValue:
    form = CategoryForm()
    if form.validate():
        products.change_category(services(), category_id, form.name.data or "", form.position.data or 0, guard.actor())
        flash("Saved.")
    else:
        flash("Type a name of at most 60 characters, and a whole number for its place.", "bad")
    return redirect(url_for("products.categories"), 303)


@blueprint.post("/categories/<int:category_id>/remove")
@guard.allowed(Role.OWNER)
def remove_category(category_id: int) -> ResponseReturnValue:
    products.remove_category(services(), category_id, guard.actor())
    flash("The category is removed.")
    return redirect(url_for("products.categories"), 303)
