"""What `flask seed` makes of a file of shipping methods, taxes and coupons."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models import CouponRow, ShippingZoneMethod
from store.domain.coupons import CouponKind
from store.domain.money import Money
from store.domain.pricing import TaxClass
from store.domain.shipping import Basis, ShippingMethod, ZonePlace
from store.domain.taxes import TaxRate
from store.services import coupons, tariffs
from tests.support.shop import Shop

pytestmark = pytest.mark.on_both_databases

ZONES = [
    {
        "name": "Canada",
        "places": ["CA", "US-AK"],
        "methods": [
            {"code": "slow", "name": "Slow", "estimate": "a week", "basis": "weight", "prices": [[0, 500], [900, 700]]},
            {
                "code": "fast",
                "name": "Fast",
                "estimate": "a day",
                "basis": "value",
                "prices": [[1000, 900]],
                "free_from": 5000,
            },
        ],
    },
    {
        "name": "Elsewhere",
        "places": ["*"],
        "methods": [{"code": "sea", "name": "By sea", "estimate": "months", "basis": "weight", "prices": [[0, 0]]}],
    },
]
TAXES = [
    {"place": "US-CO", "name": "Sales tax", "percent": "2.9"},
    {
        "place": "FR",
        "name": "VAT",
        "percent": "5.5",
        "tax_class": "reduced",
        "included": True,
        "reverse_charge": True,
    },
]
COUPONS = [
    {"code": "TENTH", "kind": "percent", "percent": 10, "minimum": 2000, "uses": 3},
    {"code": "SOON", "kind": "amount", "amount": 500, "days": 7, "once_per_customer": True},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "tariffs.json"
    file.write_text(json.dumps({"zones": ZONES, "taxes": TAXES, "coupons": COUPONS}), "utf-8")
    return file


def test_seeded_shipping_methods_go_where_and_cost_what_the_file_says(usual_shop: Shop, source: Path) -> None:
    canada = frozenset({ZonePlace("CA"), ZonePlace("US", "AK")})

    with usual_shop.services.database.transaction() as session:
        added = tariffs.seed(session, "kwd", source)
    with usual_shop.services.database.reading() as session:
        found = tariffs.read(session)
        places = session.execute(select(ShippingZoneMethod.code, ShippingZoneMethod.position)).all()

    assert added == 5
    assert {(row.code, row.position) for row in places} == {("slow", 1), ("fast", 2), ("sea", 1)}
    assert found.methods == (
        ShippingMethod(
            "slow", "Slow", "a week", canada, Basis.WEIGHT, ((0, Money(5000, "kwd")), (900, Money(7000, "kwd"))), None
        ),
        ShippingMethod(
            "fast", "Fast", "a day", canada, Basis.VALUE, ((10_000, Money(9000, "kwd")),), Money(50_000, "kwd")
        ),
        ShippingMethod(
            "sea", "By sea", "months", frozenset({ZonePlace("*")}), Basis.WEIGHT, ((0, Money(0, "kwd")),), None
        ),
    )


def test_seeded_taxes_are_those_of_the_file(usual_shop: Shop, source: Path) -> None:
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd", source)
    with usual_shop.services.database.reading() as session:
        found = tariffs.read(session)

    assert found.rates == (
        TaxRate("US", "CO", TaxClass.STANDARD, "Sales tax", 2900, included=False, reverse_charge=False),
        TaxRate("FR", "", TaxClass.REDUCED, "VAT", 5500, included=True, reverse_charge=True),
    )


def test_seeding_twice_adds_nothing(usual_shop: Shop, source: Path) -> None:
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd", source)
        coupons.seed(session, "usd", usual_shop.clock(), source)
        again = tariffs.seed(session, "usd", source) + coupons.seed(session, "usd", usual_shop.clock(), source)
        found = tariffs.read(session)

    assert again == 0
    assert (len(found.methods), len(found.rates), session.query(CouponRow).count()) == (3, 2, 2)


def test_seeded_coupons_are_those_of_the_file(usual_shop: Shop, source: Path) -> None:
    now = usual_shop.clock()

    with usual_shop.services.database.transaction() as session:
        added = coupons.seed(session, "usd", now, source)
    with usual_shop.services.database.reading() as session:
        tenth, soon = (coupons.find(session, code, None) for code in ("TENTH", "SOON"))

    assert added == 2
    assert tenth is not None
    assert soon is not None
    assert (tenth.kind, tenth.thousandths, tenth.amount, tenth.minimum) == (
        CouponKind.PERCENT,
        10_000,
        None,
        Money(2000, "usd"),
    )
    assert (tenth.starts_at, tenth.ends_at, tenth.once_per_customer, tenth.uses_left) == (None, None, False, 3)
    assert (soon.kind, soon.thousandths, soon.amount, soon.minimum) == (
        CouponKind.AMOUNT,
        0,
        Money(500, "usd"),
        None,
    )
    assert (soon.starts_at, soon.ends_at, soon.once_per_customer, soon.uses_left) == (
        now,
        now + timedelta(days=7),
        True,
        None,
    )
