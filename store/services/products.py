"""The catalogue as the merchant keeps it: texts and prices, what is hidden, the stock, and the categories.

A price is copied to an order's lines when it is placed, so that a change touches no order. Every change is noted in the
log of the staff, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, count
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from models import Category, OrderLine, Product, ProductWord
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.domain.pictures import NO_PICTURE
from store.domain.pricing import TaxClass
from store.domain.search import slug_of, terms_of
from store.services import catalogue, paging, staff_log
from store.services.catalogue import LAST_CHARACTER
from store.services.services import Services
from store.services.staff_log import Actor

PAGE = 50  # products
MOST_PIECES = 1_000_000
LONGEST_SLUG = 80  # characters
# Addresses of the admin's own, where a product's page would be.
TAKEN_SLUGS = frozenset({"categories", "new"})


@dataclass(frozen=True, slots=True)
class ProductValues:
    """All of a product that its page has a field for. `slug` is its name in an address, `alt` says what its drawing
    shows, `position` is its place among all, the smallest first.
    """

    name: str
    slug: str
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
    found, more = paging.first(session, wanted.offset((page - 1) * PAGE), PAGE)
    return ProductPart(found, page, more=more)


def find(session: Session, slug: str) -> Product:
    """A product with its category, hidden or not. Raises NotFound."""
    by_slug = select(Product).where(Product.slug == slug).options(joinedload(Product.category))
    found = session.scalars(by_slug).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def last_position(session: Session) -> int:
    """The place of the product that is shown last, 0 where there is none."""
    return session.scalar(select(func.max(Product.position))) or 0


def add(services: Services, values: ProductValues, stock: int, reason: str, actor: Actor) -> Product:
    """Add a product with `stock` pieces, of which `reason` says where they come from. Without a `slug` it gets one made
    of its name, with a number where that is taken.

    Raises CatalogueRefused for a slug that is taken or none, and for a name of which none can be made.
    """
    with services.database.transaction() as session:
        given = asdict(values) | {"slug": _fit_slug(session, values.slug) or _slug_for(session, values.name)}
        product = Product(**given, image=NO_PICTURE, currency=services.settings.store_currency, stock=stock)
        session.add(product)
        _flush(session, product.slug)
        catalogue.index(session, [product])
        told = {"name": product.name, "price_minor": product.price_minor}
        staff_log.add(session, actor.at, actor.name, "product.added", product.slug, told)
        _note_stock(session, actor, product.slug, stock, stock, reason)
    return product


def change(services: Services, slug: str, values: ProductValues, actor: Actor) -> Mapping[str, tuple[Any, Any]]:
    """Give a product these values; returns what was changed, from what to what. An empty `slug` stays what it is, and
    so does that of a product that somebody has ordered: orders name it.

    Raises NotFound; CatalogueRefused for a slug that is taken, none, or not to be changed any more.
    """
    with services.database.transaction() as session:
        product = lock(session, slug)
        wanted = asdict(values) | {"slug": values.slug or slug}
        changed = {
            name: (getattr(product, name), value) for name, value in wanted.items() if getattr(product, name) != value
        }
        if "slug" in changed:
            _fit_slug(session, values.slug)
            if session.scalar(select(exists().where(OrderLine.product_id == product.id))):
                raise CatalogueRefused(CatalogueRefusal.ADDRESS_ORDERED, name=slug)
        for name, (_before, value) in changed.items():
            setattr(product, name, value)
        if changed:
            _flush(session, product.slug)
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
        return add_pieces(session, slug, by, reason, actor).stock


def add_pieces(session: Session, slug: str, by: int, reason: str, actor: Actor) -> Product:
    """The same in the caller's transaction, which has the product locked from then on."""
    product = lock(session, slug)
    stock = product.stock + by
    if stock < product.reserved:
        raise CatalogueRefused(CatalogueRefusal.BELOW_RESERVED, product.reserved)
    product.stock = stock
    _note_stock(session, actor, slug, by, stock, reason)
    session.flush()
    return product


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
_TOLD = frozenset({"price_minor", "hidden", "name", "slug", "position", "tax_class", "shippable", "weight_grams"})


def lock(session: Session, slug: str) -> Product:
    """A product that nobody else changes until this transaction ends. Raises NotFound."""
    found = session.scalars(select(Product).where(Product.slug == slug).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def _category(session: Session, category_id: int) -> Category:
    found = session.get(Category, category_id, with_for_update=True)
    if found is None:
        raise NotFound(Subject.CATEGORY)
    return found


def _note_stock(session: Session, actor: Actor, slug: str, by: int, stock: int, reason: str) -> None:
    told = {"by": f"{by:+}", "stock": stock, "reason": reason}
    staff_log.add(session, actor.at, actor.name, "stock.corrected", slug, told)


def _fit_slug(session: Session, slug: str) -> str:
    """The same; empty stays empty. Raises CatalogueRefused."""
    if slug != slug_of(slug) or len(slug) > LONGEST_SLUG:
        raise CatalogueRefused(CatalogueRefusal.ADDRESS_UNFIT, name=slug_of(slug)[:LONGEST_SLUG].strip("-"))
    if _is_taken(session, slug):
        raise CatalogueRefused(CatalogueRefusal.ADDRESS_TAKEN, name=slug)
    return slug


def _slug_for(session: Session, name: str) -> str:
    made = slug_of(name)[: LONGEST_SLUG - 5].strip("-")
    if not made:
        raise CatalogueRefused(CatalogueRefusal.NO_NAME)
    numbered = chain([made], (f"{made}-{number}" for number in count(2)))
    return next(slug for slug in numbered if not _is_taken(session, slug))


def _is_taken(session: Session, slug: str) -> bool:
    return slug in TAKEN_SLUGS or session.scalar(select(Product.id).where(Product.slug == slug)) is not None


def _flush(session: Session, slug: str) -> None:
    """Raises CatalogueRefused where somebody took the slug a moment before."""
    try:
        session.flush()
    except IntegrityError as failure:
        if "slug" not in str(failure.orig):
            raise
        raise CatalogueRefused(CatalogueRefusal.ADDRESS_TAKEN, name=slug) from failure


def _free_slug(session: Session, name: str) -> str:
    slug = slug_of(name)
    if not slug:
        raise CatalogueRefused(CatalogueRefusal.NO_NAME)
    if session.scalar(select(Category.id).where(Category.slug == slug)) is not None:
        raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=name)
    return slug
