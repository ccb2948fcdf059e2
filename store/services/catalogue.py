"""What is for sale."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Product
from store.domain.errors import NotFound, Subject
from store.domain.pricing import QuoteLine, price_from_cents

SEED = Path(__file__).parent.parent / "catalogue.json"


def listing(session: Session) -> list[Product]:
    """Every product, in the order in which they are shown."""
    return list(session.scalars(select(Product).order_by(Product.position, Product.id)))


def product(session: Session, slug: str) -> Product:
    """Raises NotFound."""
    found = session.scalars(select(Product).where(Product.slug == slug)).one_or_none()
    if found is None:
        raise NotFound(Subject.PRODUCT)
    return found


def quote_line(product: Product, quantity: int = 1) -> QuoteLine:
    """A product as a line of a quote."""
    return QuoteLine(product.id, product.price, quantity, product.weight_grams, product.shippable)


def seed(session: Session, currency: str, source: Path = SEED) -> int:
    """Add the products of the seed file that are not there yet, priced in `currency`; returns how many were added.

    Products that exist are left as they are: the merchant may have changed their stock and prices.
    """
    known = set(session.scalars(select(Product.slug)))
    fresh = [entry for entry in json.loads(source.read_text("utf-8"))["products"] if entry["slug"] not in known]
    for entry in fresh:
        price = price_from_cents(entry["price_minor"], currency)
        session.add(
            Product(
                **{key: entry[key] for key in ("slug", "name", "summary", "description", "category", "image", "alt")},
                price_minor=price.minor,
                currency=price.currency,
                stock=entry["stock"],
                weight_grams=entry.get("weight_grams", 0),
                shippable=entry.get("shippable", True),
                position=entry["position"],
            )
        )
    session.flush()
    return len(fresh)
