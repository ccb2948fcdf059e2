"""The shelves of the shop: which products stand on them, in which order, and what a seed file puts there."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import Category, Product, ProductWord
from store.domain.errors import NotFound, Subject
from store.domain.pricing import TaxClass
from store.services import catalogue
from tests.support.shop import Shop
from tools.fill_products import fill_products


def ids_of(shop: Shop, category: str) -> list[int]:
    with shop.services.database.reading() as session:
        of_category = select(Product.id).join(Category, Category.id == Product.category_id)
        return list(session.scalars(of_category.where(Category.slug == category).order_by(Product.id)))


def place(shop: Shop, places: dict[int, int], hidden: int) -> None:
    """Give products these places, and hide one."""
    with shop.services.database.transaction() as session:
        for product_id, position in places.items():
            values = {"position": position, "hidden": product_id == hidden}
            session.execute(update(Product).where(Product.id == product_id).values(values))


def test_products_stand_by_their_place_and_not_by_their_age(shop: Shop) -> None:
    ids = ids_of(shop, "table")
    places = {product_id: len(ids) - number for number, product_id in enumerate(ids)}
    place(shop, {**places, ids[0]: places[ids[1]]}, hidden=ids[-1])

    with shop.services.database.reading() as session:
        shelf = catalogue.browse(session, category="table")
        like_the_last = catalogue.others_like(session, session.get_one(Product, ids[-2]), most=2)
        like_the_first = catalogue.others_like(session, session.get_one(Product, ids[0]))

    shown = [*reversed(ids[2:-1]), ids[0], ids[1]]
    assert [product.id for product in shelf.products] == shown
    assert (shelf.category and shelf.category.slug, shelf.page, shelf.more) == ("table", 1, False)
    assert [product.id for product in like_the_last] == [each for each in shown if each != ids[-2]][:2]
    assert [product.id for product in like_the_first] == [each for each in shown if each != ids[0]][:4]


def test_a_product_of_no_category_has_none_like_it(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.position <= 2).values(category_id=None))

    with shop.services.database.reading() as session:
        loose = session.scalars(select(Product).where(Product.category_id.is_(None))).first()
        assert loose is not None
        assert catalogue.others_like(session, loose) == []


def test_a_full_page_is_the_last_one(shop: Shop) -> None:
    with shop.services.database.reading() as session:
        seeded = len(session.scalars(select(Product.id)).all())
    fill_products(shop.services.database.engine, catalogue.PAGE - seeded)

    with shop.services.database.reading() as session:
        full = catalogue.browse(session)
        with pytest.raises(NotFound) as after_it:
            catalogue.browse(session, page=2)
        with pytest.raises(NotFound) as nowhere:
            catalogue.browse(session, category="no-such")
        none = catalogue.browse(session, search="?!")

    assert (len(full.products), full.page, full.more, full.category) == (catalogue.PAGE, 1, False, None)
    assert (after_it.value.subject, nowhere.value.subject) == (Subject.CATALOGUE_PAGE, Subject.CATEGORY)
    assert (list(none.products), none.more) == ([], False)


def test_a_hidden_product_is_not_found_and_a_shown_one_with_its_category(shop: Shop) -> None:
    ids = ids_of(shop, "table")
    with shop.services.database.reading() as session:
        slug = session.get_one(Product, ids[0]).slug
        found = catalogue.product(session, slug)
    place(shop, {ids[0]: 1}, hidden=ids[0])

    assert found.category is not None
    assert (found.id, found.category.slug) == (ids[0], "table")
    with shop.services.database.reading() as session:
        for name in (slug, "no-such"):
            with pytest.raises(NotFound) as missing:
                catalogue.product(session, name)
            assert missing.value.subject is Subject.PRODUCT


def test_a_seed_file_adds_what_is_not_there_yet_whole(shop: Shop, tmp_path: Path) -> None:
    known = {
        "slug": "stoneware-mug", "name": "Other", "summary": "Other.", "description": "Other.", "image": "x.svg",
        "alt": "Other", "category": "Other", "price_minor": 1, "stock": 1, "position": 1,
    }  # fmt: skip
    lamp = {**known, "slug": "lamp", "name": "Lamp", "summary": "For dusk.", "category": "Big lights", "position": 70}
    book = {
        **lamp, "slug": "book", "name": "Book", "category": "Table", "price_minor": 1250, "stock": 3,
        "weight_grams": 80, "shippable": False, "tax_class": "reduced", "position": 71,
    }  # fmt: skip
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps({"products": [known, lamp, {**lamp, "slug": "lamp-2"}, book]}), "utf-8")
    with shop.services.database.reading() as session:
        before = len(catalogue.categories(session))
        mug = catalogue.product(session, "stoneware-mug")

    with shop.services.database.transaction() as session:
        added = catalogue.seed(session, "jpy", file)
        again = catalogue.seed(session, "jpy", file)

    with shop.services.database.reading() as session:
        first, second, third = (catalogue.product(session, slug) for slug in ("lamp", "lamp-2", "book"))
        new = catalogue.categories(session)[before:]
        words = session.scalars(
            select(ProductWord.word).where(ProductWord.product_id == third.id).order_by(ProductWord.word)
        ).all()
        assert catalogue.product(session, "stoneware-mug").name == mug.name
    assert (added, again) == (3, 0)
    assert [(each.slug, each.name, each.position) for each in new] == [("big-lights", "Big lights", before + 1)]
    assert first.category_id == second.category_id == new[0].id
    kept = ("name", "summary", "description", "image", "alt", "price_minor", "currency", "stock", "position")
    assert [getattr(first, name) for name in kept] == [
        "Lamp", "For dusk.", "Other.", "x.svg", "Other", 1, "jpy", 1, 70,
    ]  # fmt: skip
    terms = ("price_minor", "weight_grams", "shippable", "tax_class", "category_id")
    assert [getattr(first, name) for name in terms] == [1, 0, True, TaxClass.STANDARD, new[0].id]
    assert [getattr(third, name) for name in terms] == [1250, 80, False, TaxClass.REDUCED, mug.category_id]
    assert words == ["book", "dusk", "for", "table"]
