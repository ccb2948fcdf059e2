"""The pictures of a product as the merchant keeps them, and their files as browsers get them.

A picture and its files are written in one transaction, so that neither is there without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import PictureFile, Product
from store.domain import pictures
from store.domain.errors import NotFound, PictureRefusal, PictureRefused, Subject
from store.domain.pictures import MOST_PICTURES, Picture, Pictures
from store.services import inserts, products, staff_log
from store.services.services import Services
from store.services.staff_log import Actor

if TYPE_CHECKING:
    from store.services.picture_files import PreparedPicture


def add(services: Services, slug: str, upload: bytes, alt: str, actor: Actor) -> Picture:
    """Add a picture to a product, after its others. Raises NotFound and PictureRefused."""
    prepared = _prepare(upload, alt)
    with services.database.transaction() as session:
        product = products.lock(session, slug)
        before = product.pictures
        if len(before) >= MOST_PICTURES:
            raise PictureRefused(PictureRefusal.TOO_MANY, MOST_PICTURES)
        _refuse_a_second(before, prepared.picture)
        _write(session, product, (*before, prepared.picture), prepared.files)
        _note(session, actor, "picture.added", slug, alt)
    return prepared.picture


def change(services: Services, slug: str, name: str, alt: str, place: int, actor: Actor) -> None:
    """Say in other words what a picture shows, or give it another place, counted from 1. Raises NotFound."""
    with services.database.transaction() as session:
        product = products.lock(session, slug)
        picture = pictures.described(_of(product, name), alt)
        changed = pictures.placed(product.pictures, picture, place)
        if changed != product.pictures:
            _write(session, product, changed)
            _note(session, actor, "picture.changed", slug, alt)


def exchange(services: Services, slug: str, name: str, upload: bytes, alt: str, place: int, actor: Actor) -> None:
    """Put another picture in the place of one, or in another place. Raises NotFound and PictureRefused."""
    prepared = _prepare(upload, alt)
    with services.database.transaction() as session:
        product = products.lock(session, slug)
        others = pictures.without(product.pictures, _of(product, name).name)
        _refuse_a_second(others, prepared.picture)
        _write(session, product, pictures.placed(others, prepared.picture, place), prepared.files)
        _note(session, actor, "picture.exchanged", slug, alt)


def remove(services: Services, slug: str, name: str, actor: Actor) -> None:
    """Take a picture away. Orders that were placed with it show none any more. Raises NotFound."""
    with services.database.transaction() as session:
        product = products.lock(session, slug)
        picture = _of(product, name)
        _write(session, product, pictures.without(product.pictures, name))
        _note(session, actor, "picture.removed", slug, picture.alt)


def read_file(session: Session, name: str) -> bytes | None:
    """What is in a file of a picture; None where there is none of this name."""
    return session.scalars(select(PictureFile.body).where(PictureFile.name == name).limit(1)).one_or_none()


def _prepare(upload: bytes, alt: str) -> PreparedPicture:
    from store.services import picture_files  # it loads Pillow, which only an upload needs

    return picture_files.prepare(upload, alt)


def _of(product: Product, name: str) -> Picture:
    found = pictures.find(product.pictures, name)
    if found is None:
        raise NotFound(Subject.PICTURE)
    return found


def _refuse_a_second(others: Pictures, picture: Picture) -> None:
    if pictures.find(others, picture.name) is not None:
        raise PictureRefused(PictureRefusal.THERE_ALREADY)


def _write(session: Session, product: Product, after: Pictures, files: Mapping[str, bytes] | None = None) -> None:
    """Have a product show these pictures, with exactly their files kept for it."""
    gone = pictures.unused(product.pictures, after)
    product.pictures = after
    session.flush()
    own = delete(PictureFile).where(PictureFile.product_id == product.id)
    session.execute(own.where(PictureFile.name.in_(sorted(gone))))
    if files:
        # Two sizes of two pictures may come to the same file.
        added = inserts.into(session, PictureFile).on_conflict_do_nothing()
        session.execute(added, [{"name": name, "product_id": product.id, "body": files[name]} for name in files])


def _note(session: Session, actor: Actor, action: str, slug: str, alt: str) -> None:
    staff_log.add(session, actor.at, actor.name, action, slug, {"alt": alt})
