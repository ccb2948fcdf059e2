"""What is for sale."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, false, insert, select
from sqlalchemy.orm import Session, joinedload

from models import Category, Product, ProductWord
from store.domain.errors import NotFound, Subject
from store.domain.pricing import QuoteLine, TaxClass, price_from_cents
from store.domain.search import slug_of, terms_of, words_of
from store.services import paging

SEED = Path(__file__).parent.parent / "catalogue.json"
PAGE = 24  # products
LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of products, in the order in which they are shown. `more` says whether another page follows."""

    products: Sequence[Product]
    category: Category | None
    page: int
    more: bool


def browse(session: Session, *, category: str | None = None, search: str = "", page: int = 1) -> Shelf:
    """A page of all products, or of those of a category, by its slug, and those in which a word begins with each word
    of `search`. Two statements at the most, whatever the catalogue has.

    Raises NotFound for a category that is not there, and for a page after the last.
    """
    shown = select(Product).where(~Product.hidden).order_by(Product.position, Product.id)
    chosen = _category(session, category) if category is not None else None
    if chosen is not None:
        shown = shown.where(Product.category_id == chosen.id)
    terms = terms_of(search)
    if search and not terms:
        shown = shown.where(false())  # it has no letter and no digit
    for term in terms:
        beginning = (ProductWord.word >= term, ProductWord.word < f"{term}{LAST_CHARACTER}")
        shown = shown.where(Product.id.in_(select(ProductWord.product_id).where(*beginning)))
    found, more = paging.first(session, shown.offset((page - 1) * PAGE), PAGE)
    if not found and page > 1:
        raise NotFound(Subject.CATALOGUE_PAGE)
    return Shelf(found, chosen, page, more=more)


def categories(session: Session) -> Sequence[Category]:
    """Every category, in the order in which they are shown."""
    return session.scalars(select(Category).order_by(Category.position, Category.id)).all()


def product(session: Session, slug: str) -> Product:
    """A product with its category, in one statement. Raises NotFound, as for one that is hidden."""
    by_slug = select(Product).where(Product.slug == slug, ~Product.hidden).options(joinedload(Product.category))
    found = session.scalars(by_slug).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def others_like(session: Session, product: Product, most: int = 4) -> Sequence[Product]:
    """The first other products of its category."""
    if product.category_id is None:
        return []
    same = select(Product).where(Product.category_id == product.category_id, Product.id != product.id, ~Product.hidden)
    return session.scalars(same.order_by(Product.position, Product.id).limit(most)).all()


def quote_line(product: Product, quantity: int = 1) -> QuoteLine:
    """A product as a line of a quote."""
    weight, taxed = product.weight_grams, product.tax_class
    return QuoteLine(product.id, product.price, quantity, weight, product.shippable, taxed)


def seed(session: Session, currency: str, source: Path = SEED) -> int:
    """Add the products of the seed file that are not there yet, priced in `currency`; returns how many were added.

    Products that exist are left as they are: the merchant may have changed their stock and prices. A category is added
    with the first product of it.
    """
    known = set(session.scalars(select(Product.slug)))
    fresh = [entry for entry in json.loads(source.read_text("utf-8"))["products"] if entry["slug"] not in known]
    by_slug = {category.slug: category for category in categories(session)}
    added = []
    for entry in fresh:
        price = price_from_cents(entry["price_minor"], currency)
        slug = slug_of(entry["category"])
        if slug not in by_slug:
            by_slug[slug] = Category(slug=slug, name=entry["category"], position=len(by_slug) + 1)
        added.append(
            Product(
                **{key: entry[key] for key in ("slug", "name", "summary", "description", "image", "alt")},
                category=by_slug[slug],
                price_minor=price.minor,
                currency=price.currency,
                stock=entry["stock"],
                weight_grams=entry.get("weight_grams", 0),
                shippable=entry.get("shippable", True),
                tax_class=TaxClass(entry.get("tax_class", "standard")),
                position=entry["position"],
            )
        )
    session.add_all(added)
    session.flush()
    index(session, added)
    return len(added)


def index(session: Session, products: Sequence[Product]) -> None:
    """Have these products found by the words of their names, summaries and categories, and by no others. To be called
    whenever one of those was changed.
    """
    rows = [
        {"word": word, "product_id": product.id}
        for product in products
        for word in sorted(
            words_of(f"{product.name} {product.summary} {product.category.name if product.category else ''}")
        )
    ]
    session.execute(delete(ProductWord).where(ProductWord.product_id.in_([product.id for product in products])))
    if rows:
        session.execute(insert(ProductWord), rows)


def _category(session: Session, slug: str) -> Category:
    found = session.scalars(select(Category).where(Category.slug == slug)).one_or_none()
    if found is None:
        raise NotFound(Subject.CATEGORY)
    return found
