"""Products and categories as the merchant keeps them: whole rows, whole lists, and what is refused."""

from dataclasses import asdict, replace

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import Category, Product, ProductWord, StaffLogEntry
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.domain.pricing import TaxClass
from store.services import products
from store.services.products import ProductValues
from store.services.staff_log import Actor
from tests.support.shop import Shop

PENCIL = "cedar-pencil"


def owner(shop: Shop) -> Actor:
    return Actor("owner@shop.example", shop.clock())


def values_of(shop: Shop, slug: str = PENCIL) -> ProductValues:
    with shop.services.database.reading() as session:
        product = products.find(session, slug)
        return ProductValues(**{name: getattr(product, name) for name in ProductValues.__dataclass_fields__})


def slugs(shop: Shop, **wanted: object) -> list[str]:
    with shop.services.database.reading() as session:
        return [product.slug for product in products.browse(session, **wanted).products]  # type: ignore[arg-type]


def last_entry(shop: Shop) -> tuple[object, ...]:
    with shop.services.database.reading() as session:
        entry = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id.desc())).first()
        return (entry.at, entry.actor, entry.action, entry.subject, entry.data) if entry is not None else ()


def test_a_changed_product_is_kept_whole_and_told_in_the_log(shop: Shop) -> None:
    actor, before = owner(shop), values_of(shop)
    garden = products.add_category(shop.services, "Garden", actor)
    wanted = replace(
        before,
        name="Oak pencil",
        description="For the shed.",
        price_minor=before.price_minor + 1,
        category_id=garden.id,
        tax_class=TaxClass.REDUCED,
    )

    changed = products.change(shop.services, PENCIL, wanted, actor)
    again = products.change(shop.services, PENCIL, wanted, Actor("later@shop.example", shop.clock()))

    fields = ("name", "description", "price_minor", "category_id", "tax_class")
    assert changed == {name: (asdict(before)[name], asdict(wanted)[name]) for name in fields}
    assert again == {}
    assert values_of(shop) == wanted
    told = {
        name: [str(asdict(before)[name]), str(asdict(wanted)[name])] for name in ("name", "price_minor", "tax_class")
    }
    data = {"fields": "name, description, price_minor, category_id, tax_class", **told}
    assert last_entry(shop) == (actor.at, actor.name, "product.changed", PENCIL, data)
    assert slugs(shop, search="oak garden") == [PENCIL]
    assert slugs(shop, search="cedar") == []


def test_a_renamed_category_is_found_by_its_new_name_alone(shop: Shop) -> None:
    actor = owner(shop)
    with shop.services.database.reading() as session:
        pencil = products.find(session, PENCIL)
        category_id = pencil.category_id
        in_it = list(
            session.scalars(
                select(Product.slug).where(Product.category_id == category_id).order_by(Product.position, Product.id)
            )
        )
    assert category_id is not None

    products.change_category(shop.services, category_id, "Scribblery", 77, actor)

    with shop.services.database.reading() as session:
        row = session.get_one(Category, category_id)
    assert (row.name, row.position) == ("Scribblery", 77)
    assert slugs(shop, search="scribblery") == in_it
    assert last_entry(shop) == (actor.at, actor.name, "category.changed", row.slug, {"name": "Scribblery"})


def test_a_new_category_comes_after_the_others(shop: Shop) -> None:
    actor = owner(shop)
    with shop.services.database.transaction() as session:
        session.execute(update(Category).values(position=4))

    garden = products.add_category(shop.services, "Garden & Home", actor)
    shed = products.add_category(shop.services, "Shed", actor)

    assert [(each.slug, each.name, each.position) for each in (garden, shed)] == [
        ("garden-home", "Garden & Home", 5), ("shed", "Shed", 6),
    ]  # fmt: skip


def test_what_does_not_fit_a_category_is_refused(shop: Shop) -> None:
    actor = owner(shop)
    with shop.services.database.reading() as session:
        used = session.scalars(select(Category).join(Product, Product.category_id == Category.id)).first()
    assert used is not None

    with pytest.raises(CatalogueRefused) as taken:
        products.add_category(shop.services, used.name.upper(), actor)
    with pytest.raises(CatalogueRefused) as nameless:
        products.add_category(shop.services, "?", actor)
    with pytest.raises(CatalogueRefused) as unnamed:
        products.change_category(shop.services, used.id, "?", 1, actor)
    with pytest.raises(CatalogueRefused) as in_use:
        products.remove_category(shop.services, used.id, actor)
    with pytest.raises(NotFound) as missing:
        products.remove_category(shop.services, 999, actor)

    assert [(each.value.reason, each.value.name) for each in (taken, nameless, unnamed, in_use)] == [
        (CatalogueRefusal.NAME_TAKEN, used.name.upper()),
        (CatalogueRefusal.NO_NAME, ""),
        (CatalogueRefusal.NO_NAME, ""),
        (CatalogueRefusal.IN_USE, used.name),
    ]
    assert missing.value.subject is Subject.CATEGORY


def test_products_are_listed_page_by_page_in_their_order(shop: Shop) -> None:
    seeded = slugs(shop)
    with shop.services.database.transaction() as session:
        pencil = products.find(session, PENCIL)
        kept = {each.key: getattr(pencil, each.key) for each in Product.__table__.columns if each.key != "id"}
        more = [{**kept, "slug": f"pencil-{n:02}", "position": 900} for n in range(products.PAGE + 1 - len(seeded))]
        session.execute(insert(Product), more)
        session.execute(update(Product).where(Product.slug == seeded[0]).values(position=1000, hidden=True))

    with shop.services.database.reading() as session:
        first, second = products.browse(session), products.browse(session, page=2)

    assert [product.slug for product in first.products] == [*seeded[1:], *(each["slug"] for each in more)]
    assert [product.slug for product in second.products] == [seeded[0]]
    with shop.services.database.reading() as session:
        by_id = {row.id: row.slug for row in session.scalars(select(Category))}
    assert [each.category and each.category.slug for each in first.products] == [
        by_id.get(each.category_id or 0) for each in first.products
    ]
    assert [(part.page, part.more) for part in (first, second)] == [(1, True), (2, False)]


def test_scarce_products_are_those_with_few_pieces_left_to_sell(shop: Shop) -> None:
    everything = slugs(shop)
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(stock=50, reserved=0))
        for slug, stock, reserved in ((everything[0], 5, 0), (everything[1], 9, 4), (everything[2], 6, 0)):
            session.execute(update(Product).where(Product.slug == slug).values(stock=stock, reserved=reserved))

    assert slugs(shop, scarce=5) == everything[:2]
    assert slugs(shop, scarce=6) == everything[:3]


def test_stock_can_be_corrected_down_to_what_is_reserved(shop: Shop) -> None:
    actor = owner(shop)
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.slug == PENCIL).values(stock=10, reserved=4))

    with pytest.raises(CatalogueRefused) as fewer:
        products.correct_stock(shop.services, PENCIL, -7, "lost", actor)
    left = products.correct_stock(shop.services, PENCIL, -6, "lost", actor)
    more = products.correct_stock(shop.services, PENCIL, 3, "found", actor)
    with pytest.raises(NotFound) as missing:
        products.correct_stock(shop.services, "no-such", 1, "found", actor)

    assert (fewer.value.reason, fewer.value.count) == (CatalogueRefusal.BELOW_RESERVED, 4)
    assert (left, more, shop.product().stock) == (4, 7, 7)
    assert missing.value.subject is Subject.PRODUCT
    data = {"by": "+3", "stock": 7, "reason": "found"}
    assert last_entry(shop) == (actor.at, actor.name, "stock.corrected", PENCIL, data)


def test_a_value_that_the_database_refuses_is_not_taken_for_an_address(shop: Shop) -> None:
    actor, before = owner(shop), values_of(shop)

    with pytest.raises(IntegrityError):
        products.change(shop.services, PENCIL, replace(before, price_minor=0), actor)

    assert (values_of(shop), last_entry(shop)) == (before, ())


def test_the_last_place_is_that_of_the_last_product(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.slug == PENCIL).values(position=800))
        last = products.last_position(session)
        session.execute(delete(ProductWord))
        session.execute(delete(Product))
        none = products.last_position(session)

    assert (last, none) == (800, 0)


def test_an_address_is_refused_with_one_that_would_fit(shop: Shop) -> None:
    actor, before = owner(shop), values_of(shop)
    long = "r" * 79 + "-" + "s"

    def refused(slug: str) -> tuple[CatalogueRefusal, str]:
        with pytest.raises(CatalogueRefused) as refusal:
            products.change(shop.services, PENCIL, replace(before, slug=slug), actor)
        return refusal.value.reason, refusal.value.name

    assert refused("Red Öne") == (CatalogueRefusal.ADDRESS_UNFIT, "red-one")
    assert refused(long) == (CatalogueRefusal.ADDRESS_UNFIT, "r" * 79)
    assert refused("new") == (CatalogueRefusal.ADDRESS_TAKEN, "new")
    assert refused("stoneware-mug") == (CatalogueRefusal.ADDRESS_TAKEN, "stoneware-mug")
    shop.order()
    assert refused("r" * 80) == (CatalogueRefusal.ADDRESS_ORDERED, PENCIL)
    products.change(shop.services, "stoneware-mug", replace(values_of(shop, "stoneware-mug"), slug="r" * 80), actor)
    assert shop.product("r" * 80).name == "Stoneware mug"
