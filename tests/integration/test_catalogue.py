"""The catalogue: pages, categories, a search, and the same work for five thousand products as for sixteen."""

import re

import pytest
from sqlalchemy import event, select

from models import Product
from store.services import catalogue
from store.services.catalogue import PAGE
from tests.support.query_plans import PlanRecorder
from tests.support.shop import Shop
from tools.fill_products import fill_products


def names(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/products/[^"]*">([^<]*)</a></h3>', page)


def listed(shop: Shop, query: str = "") -> list[str]:
    answer = shop.browser().get(f"/{query}")
    assert answer.status_code == 200
    return names(answer.text)


def rename(shop: Shop, slug: str, name: str) -> None:
    with shop.services.database.transaction() as session:
        product = catalogue.product(session, slug)
        product.name = name
        session.flush()
        catalogue.index(session, [product])


@pytest.mark.on_both_databases
def test_every_product_is_on_exactly_one_page(shop: Shop) -> None:
    fill_products(shop.services.database.engine, 40)
    pages, path = [], "/"

    while path:
        page = shop.browser().get(path).text
        pages.append(names(page))
        following = re.search(r'rel="next" href="([^"]*)"', page)
        path = following.group(1) if following else ""

    with shop.services.database.reading() as session:
        in_order = session.scalars(select(Product.name).order_by(Product.position)).all()
    assert [len(page) for page in pages] == [PAGE, PAGE, len(in_order) - 2 * PAGE]
    assert [name for page in pages for name in page] == in_order


@pytest.mark.on_both_databases
def test_a_category_shows_its_products_and_no_others(shop: Shop) -> None:
    with shop.services.database.reading() as session:
        kitchen = {category.slug: category.id for category in catalogue.categories(session)}["kitchen"]
        expected = session.scalars(
            select(Product.name).where(Product.category_id == kitchen).order_by(Product.position)
        ).all()

    shown = listed(shop, "?category=kitchen")

    assert shown == expected
    assert 0 < len(shown) < PAGE


@pytest.mark.parametrize("query", ["stoneware", "STONE", "mug+stoneware", "  mug  ", "m%C3%BCg"])
def test_a_search_finds_the_beginnings_of_words(shop: Shop, query: str) -> None:
    assert "Stoneware mug" in listed(shop, f"?q={query}")


@pytest.mark.on_both_databases
@pytest.mark.parametrize("query", ["tee-kännchen", "KANNCHEN", "kaennchen", "Kännchen größe", "grosse"])
def test_a_search_asks_for_no_accents_and_no_capitals(shop: Shop, query: str) -> None:
    rename(shop, "stoneware-mug", "Tee-Kännchen Größe 2")

    answer = shop.browser().get("/", query_string={"q": query})

    assert names(answer.text) == ["Tee-Kännchen Größe 2"]


def test_every_word_of_a_search_has_to_be_there(shop: Shop) -> None:
    assert listed(shop, "?q=mug+kettle") == []


def test_a_search_stays_in_the_category_that_is_looked_at(shop: Shop) -> None:
    everywhere, here = listed(shop, "?q=a"), listed(shop, "?q=a&category=desk")

    assert set(here) < set(everywhere)
    assert here


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?q=zeppelin", "No product has “zeppelin” in its name or summary."),
        ("?q=zeppelin&category=desk", "No product in Desk has “zeppelin” in its name or summary."),
        ("?q=%3Czz%3E", "No product has “&lt;zz&gt;” in its name or summary."),
        ("?q=!", "No product has “!” in its name or summary."),
        ("?q=" + "x" * 500, "No product has “" + "x" * 80 + "”"),
    ],
)
def test_a_search_without_a_result_says_so(shop: Shop, query: str, sentence: str) -> None:
    answer = shop.browser().get(f"/{query}")

    assert answer.status_code == 200
    assert sentence in answer.text
    assert names(answer.text) == []


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=2", "?page=-1", "?page=two", "?page=%D9%A1", "?page=1000000", "?category=cellar"]
)
def test_a_page_or_a_category_that_is_not_there_is_404(shop: Shop, query: str) -> None:
    answer = shop.browser().get(f"/{query}")

    assert answer.status_code == 404
    assert "no such" in answer.text


def test_an_empty_search_shows_everything(shop: Shop) -> None:
    assert listed(shop, "?q=+&category=&page=1") == listed(shop)


@pytest.mark.on_both_databases
def test_a_product_that_is_not_in_a_category_has_a_page(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        catalogue.product(session, "stoneware-mug").category = None

    answer = shop.browser().get("/products/stoneware-mug")

    assert answer.status_code == 200


@pytest.mark.on_both_databases
def test_five_thousand_products_take_no_more_statements(shop: Shop) -> None:
    paths = ("/", "/?page=1&category=desk", "/?q=oak", "/products/stoneware-mug")
    few = [statements(shop, path) for path in paths]
    fill_products(shop.services.database.engine, 5000)
    plans = PlanRecorder(shop.services.database.engine)

    with plans.recording():
        many = [statements(shop, path) for path in (*paths, "/?page=200")]

    assert many == [*few, few[0]]
    assert max(many) <= 3
    assert plans.through_every_row() == []


def statements(shop: Shop, path: str) -> int:
    """How many statements about products and categories a page sends to the database."""
    sent: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if re.search(r"FROM (products|categories)", statement):
            sent.append(statement)

    event.listen(shop.services.database.engine, "before_cursor_execute", count)
    try:
        assert shop.browser().get(path).status_code == 200
    finally:
        event.remove(shop.services.database.engine, "before_cursor_execute", count)
    return len(sent)
