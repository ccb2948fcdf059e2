"""Stock: how many pieces there are of each product, and corrections with a reason."""

from __future__ import annotations

from flask import Blueprint

from models import Product
from store.api import caller
from store.api.operations import changes, reads, unfit_cursor
from store.api.schemas import CorrectionRequest, ListedStock, ProductStock, StockListQuery
from store.domain.api_keys import Scope
from store.domain.errors import RepetitionRefusal, RepetitionRefused
from store.services import products, repetition
from store.services.repetition import ClaimedRequest, GivenAnswer
from store.web.current import services

blueprint = Blueprint("stock", __name__, url_prefix="/stock")


@blueprint.get("")
@reads(Scope.STOCK_READ, ListedStock, query=StockListQuery)
def index(query: StockListQuery) -> ListedStock:
    """The products in the order in which they are shown, those that are hidden too, page by page."""
    with services().database.reading() as session:
        part = products.browse(session, search=query.q, scarce=query.at_most, page=_page(query.cursor))
    return ListedStock(
        products=[_shape(product) for product in part.products], next=str(part.page + 1) if part.more else None
    )


@blueprint.get("/<slug:slug>")
@reads(Scope.STOCK_READ, ProductStock)
def show(slug: str) -> ProductStock:
    """How many pieces there are of one product."""
    with services().database.reading() as session:
        return _shape(products.find(session, slug))


@blueprint.post("/<slug:slug>/corrections")
@changes(Scope.STOCK_WRITE, ProductStock, body=CorrectionRequest)
def correct(slug: str, body: CorrectionRequest, claimed: ClaimedRequest) -> tuple[ProductStock, int]:
    """Add pieces, or take some away; what was sold meanwhile stays sold. Answers how many there are then."""
    with services().database.transaction() as session:
        # In one transaction with its answer: pieces that are counted are not counted again after a crash.
        if not repetition.is_open(session, claimed):
            raise RepetitionRefused(RepetitionRefusal.IN_PROGRESS)
        shape = _shape(products.add_pieces(session, slug, body.by, body.reason, caller.actor()))
        repetition.finish(session, claimed, GivenAnswer(201, shape.model_dump_json()))
    return shape, 201


def _shape(product: Product) -> ProductStock:
    return ProductStock.model_validate(product)


def _page(cursor: str) -> int:
    if not cursor:
        return 1
    if not (cursor.isascii() and cursor.isdecimal() and 1 < int(cursor) <= 10_000):
        raise unfit_cursor()
    return int(cursor)
