"""The shelf that restocks itself: test cards are tried on products without selling them out."""

from __future__ import annotations

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from models import OrderLine, Product

PLENTY = 10  # pieces of a product that are left to shoppers


def plentiful(session: Session) -> str:
    """The slug of the cheapest product of which there is plenty; where there is plenty of nothing, of the most."""
    left = Product.stock - Product.reserved
    cheap = case((left >= PLENTY, Product.price_minor))
    return session.scalars(
        select(Product.slug).where(~Product.hidden).order_by(left < PLENTY, cheap, left.desc(), Product.id).limit(1)
    ).one()


def put_back(session: Session, order_id: int) -> None:
    """One more piece of each product that the order had."""
    ordered = select(OrderLine.product_id).where(OrderLine.order_id == order_id)
    session.execute(update(Product).where(Product.id.in_(ordered)).values(stock=Product.stock + 1))
