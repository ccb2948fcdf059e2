"""The catalogue as the merchant keeps it: texts and prices, what is hidden, the stock, and the categories.

A price is copied to an order's lines when it is placed, so that a change touches no order. Every change is noted in the
log of the staff, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from models import Category, Product, ProductWord
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.domain.pricing import TaxClass
from store.domain.search import slug_of, terms_of
from store.services import catalogue, staff_log
from store.services.catalogue import LAST_CHARACTER
from store.services.services import Services
from store.services.staff_log import Actor

PAGE = 50  # products
MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class ProductValues:
    """All of a product that its page has a field for. `position` is its place among all, the smallest first."""

    name: str
    summary: str
    description: str
    alt: str
    price_minor: int
    category_id: int | None
    position: int
    weight_grams: int
    shippable: bool
    hidden: bool
    tax_class: TaxClass


@dataclass(frozen=True, slots=True)
class ProductPart:
    """One page of products, in the order in which they are shown. `more` says whether another page follows."""

    products: Sequence[Product]
    page: int
    more: bool


def browse(session: Session, *, search: str = "", scarce: int | None = None, page: int = 1) -> ProductPart:
    """A page of all products, the hidden ones too, or of those that are found by the words of `search`, or of which no
    more than `scarce` pieces are available.
    """
    wanted = select(Product).order_by(Product.position, Product.id).options(joinedload(Product.category))
    for term in terms_of(search):
        beginning = (ProductWord.word >= term, ProductWord.word < f"{term}{LAST_CHARACTER}")
        wanted = wanted.where(Product.id.in_(select(ProductWord.product_id).where(*beginning)))
    if scarce is not None:
        wanted = wanted.where(Product.stock - Product.reserved <= scarce)
    found = session.scalars(wanted.offset((page - 1) * PAGE).limit(PAGE + 1)).all()
    return ProductPart(found[:PAGE], page, more=len(found) > PAGE)


def find(session: Session, slug: str) -> Product:
    """A product with its category, hidden or not. Raises NotFound."""
    by_slug = select(Product).where(Product.slug == slug).options(joinedload(Product.category))
    found = session.scalars(by_slug).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def change(services: Services, slug: str, values: ProductValues, actor: Actor) -> Mapping[str, tuple[Any, Any]]:
    """Give a product these values; returns what was changed, from what to what. Raises NotFound."""
    with services.database.transaction() as session:
        product = _lock(session, slug)
        changed = {
            name: (getattr(product, name), value)
            for name, value in asdict(values).items()
            if getattr(product, name) != value
        }
        for name, (_before, value) in changed.items():
            setattr(product, name, value)
        if changed:
            session.flush()
            session.refresh(product, ["category"])
            catalogue.index(session, [product])
            told = {name: [str(before), str(after)] for name, (before, after) in changed.items() if name in _TOLD}
            fields = ", ".join(changed)
            staff_log.add(session, actor.at, actor.name, "product.changed", slug, {"fields": fields, **told})
    return changed


def correct_stock(services: Services, slug: str, by: int, reason: str, actor: Actor) -> int:
    """Add `by` pieces to what is there, or take them away where it is negative; returns how many there are then. What
    was sold meanwhile stays sold.

    Raises NotFound, and CatalogueRefused where fewer pieces would be left than are reserved.
    """
    with services.database.transaction() as session:
        product = _lock(session, slug)
        stock = product.stock + by
        if stock < product.reserved:
            raise CatalogueRefused(CatalogueRefusal.BELOW_RESERVED, product.reserved)
        session.execute(update(Product).where(Product.id == product.id).values(stock=stock))
        told = {"by": f"{by:+}", "stock": stock, "reason": reason}
        staff_log.add(session, actor.at, actor.name, "stock.corrected", slug, told)
    return stock


def add_category(services: Services, name: str, actor: Actor) -> Category:
    """Add a category, after the others. Raises CatalogueRefused: there is one of this name, or it has no letter."""
    with services.database.transaction() as session:
        slug = _free_slug(session, name)
        last = session.scalar(select(func.max(Category.position))) or 0
        category = Category(slug=slug, name=name, position=last + 1)
        session.add(category)
        staff_log.add(session, actor.at, actor.name, "category.added", slug)
    return category


def change_category(services: Services, category_id: int, name: str, position: int, actor: Actor) -> None:
    """Give a category another name, or another place among the others. Its address stays. Raises NotFound and
    CatalogueRefused.
    """
    with services.database.transaction() as session:
        category = _category(session, category_id)
        if not slug_of(name):
            raise CatalogueRefused(CatalogueRefusal.NO_NAME)
        renamed = category.name != name
        category.name, category.position = name, position
        session.flush()
        if renamed:
            of_category = (
                select(Product).where(Product.category_id == category_id).options(joinedload(Product.category))
            )
            catalogue.index(session, session.scalars(of_category).all())
        staff_log.add(session, actor.at, actor.name, "category.changed", category.slug, {"name": name})


def remove_category(services: Services, category_id: int, actor: Actor) -> None:
    """Remove a category that no product is in. Raises NotFound and CatalogueRefused."""
    with services.database.transaction() as session:
        category = _category(session, category_id)
        if session.scalar(select(Product.id).where(Product.category_id == category_id).limit(1)) is not None:
            raise CatalogueRefused(CatalogueRefusal.IN_USE, name=category.name)
        session.delete(category)
        staff_log.add(session, actor.at, actor.name, "category.removed", category.slug)


# Of these the log says from what to what; a text is too long for that.
_TOLD = frozenset({"price_minor", "hidden", "name", "position", "tax_class", "shippable", "weight_grams"})


def _lock(session: Session, slug: str) -> Product:
    found = session.scalars(select(Product).where(Product.slug == slug).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def _category(session: Session, category_id: int) -> Category:
    found = session.get(Category, category_id, with_for_update=True)
    if found is None:
        raise NotFound(Subject.CATEGORY)
    return found


def _free_slug(session: Session, name: str) -> str:
    slug = slug_of(name)
    if not slug:
        raise CatalogueRefused(CatalogueRefusal.NO_NAME)
    if session.scalar(select(Category.id).where(Category.slug == slug)) is not None:
        raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=name)
    return slug
