"""Zones, shipping methods, tax rates and coupons as the merchant keeps them: whole rows, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import CouponRow, ShippingZoneMethod, StaffLogEntry, TaxRateRow
from store.domain.coupons import CouponKind
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.domain.pricing import TaxClass
from store.domain.shipping import Basis
from store.services import charges, coupon_desk
from store.services.charges import MethodValues, RateValues
from store.services.coupon_desk import CouponValues
from store.services.staff_log import Actor
from tests.support.shop import Shop

PARCEL = MethodValues("Parcel", "2 days", Basis.WEIGHT, ((500, 700), (0, 490)), 10_000, 2, active=True)
LETTER = MethodValues("Letter", "", Basis.VALUE, ((0, 90),), None, 1, active=False)
VAT = RateValues("de", TaxClass.STANDARD, "VAT", 19_000, included=True, reverse_charge=True)
SALES_TAX = RateValues("US-CA", TaxClass.REDUCED, "Sales tax", 7_250, included=False, reverse_charge=False)
COUNTY_TAX = replace(SALES_TAX, name="County tax")
TEN_PERCENT = CouponValues(CouponKind.PERCENT, 10_000, None, 500, None, None, True, 3, active=True)


def owner(shop: Shop) -> Actor:
    return Actor("owner@shop.example", shop.clock())


def kept_zones(shop: Shop) -> list[tuple[str, list[str], list[tuple[object, ...]]]]:
    with shop.services.database.reading() as session:
        return [
            (each.zone.name, list(each.places), [method_of(row) for row in each.methods])
            for each in charges.zones(session)
        ]


def method_of(row: ShippingZoneMethod) -> tuple[object, ...]:
    prices = [(step.measure, step.price_minor) for step in row.prices]
    terms = row.basis, prices, row.free_from_minor, row.currency
    return row.code, row.name, row.estimate, *terms, row.position, row.active


def refusal(failure: pytest.ExceptionInfo[CatalogueRefused]) -> tuple[CatalogueRefusal, str]:
    return failure.value.reason, failure.value.name


def test_zones_are_kept_with_their_places_and_methods_in_order(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    west, home = charges.add_zone(services, "West", actor), charges.add_zone(services, "Home", actor)
    charges.change_zone(services, west, "West", ["us-or", " US - california ", "US-OR", "ca"], actor)
    charges.change_zone(services, home, "Home", ["US", "*"], actor)
    for zone_id, values in ((west, PARCEL), (west, LETTER), (home, PARCEL)):
        charges.add_method(services, zone_id, values, actor)

    kept = kept_zones(shop)

    weighed = ("parcel", "Parcel", "2 days", Basis.WEIGHT, [(0, 490), (500, 700)], 10_000, "usd", 2, True)
    letter = ("letter", "Letter", "", Basis.VALUE, [(0, 90)], None, "usd", 1, False)
    assert kept == [("Home", ["*", "US"], [weighed]), ("West", ["CA", "US-CA", "US-OR"], [letter, weighed])]


def test_a_zone_that_changes_or_goes_leaves_the_others_alone(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    west, home = charges.add_zone(services, "West", actor), charges.add_zone(services, "Home", actor)
    charges.change_zone(services, home, "Home", ["US", "FR"], actor)
    charges.change_zone(services, west, "West", ["CA"], actor)
    charges.add_method(services, home, PARCEL, actor)

    charges.change_zone(services, home, "Here", ["US", "MX"], actor)
    charges.remove_zone(services, west, actor)

    assert [(name, places, len(methods)) for name, places, methods in kept_zones(shop)] == [("Here", ["MX", "US"], 1)]


def test_what_does_not_fit_a_zone_is_refused_and_changes_nothing(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    west, home = charges.add_zone(services, "West", actor), charges.add_zone(services, "Home", actor)
    charges.change_zone(services, home, "Home", ["US-CA"], actor)
    charges.add_method(services, home, PARCEL, actor)

    with pytest.raises(CatalogueRefused) as taken:
        charges.change_zone(services, west, "West", ["FR", "us-ca"], actor)
    with pytest.raises(CatalogueRefused) as named:
        charges.change_zone(services, west, "Home", [], actor)
    with pytest.raises(CatalogueRefused) as added:
        charges.add_zone(services, "Home", actor)
    with pytest.raises(CatalogueRefused) as nowhere:
        charges.change_zone(services, west, "West", [f" {'Narnia' * 8} "], actor)
    with pytest.raises(CatalogueRefused) as used:
        charges.remove_zone(services, home, actor)
    with pytest.raises(CatalogueRefused) as twice:
        charges.add_method(services, home, PARCEL, actor)
    with pytest.raises(CatalogueRefused) as nameless:
        charges.add_method(services, home, replace(PARCEL, name="!"), actor)

    assert [refusal(each) for each in (taken, named, added, nowhere, used, twice, nameless)] == [
        (CatalogueRefusal.PLACE_TAKEN, "US-CA"),
        (CatalogueRefusal.NAME_TAKEN, "Home"),
        (CatalogueRefusal.NAME_TAKEN, "Home"),
        (CatalogueRefusal.PLACE_UNKNOWN, ("Narnia" * 8)[:40]),
        (CatalogueRefusal.IN_USE, "Home"),
        (CatalogueRefusal.NAME_TAKEN, "Parcel"),
        (CatalogueRefusal.NO_NAME, ""),
    ]
    assert [(name, places) for name, places, _methods in kept_zones(shop)] == [("Home", ["US-CA"]), ("West", [])]


def test_a_method_takes_its_new_values_whole(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    home = charges.add_zone(services, "Home", actor)
    charges.add_method(services, home, PARCEL, actor)
    charges.add_method(services, home, replace(PARCEL, name="Express " * 10, position=9), actor)
    with services.database.reading() as session:
        parcel, express = (method.id for method in charges.zone(session, home).methods)

    charges.change_method(services, parcel, replace(LETTER, prices=((0, 100), (500, 50))), actor)
    charges.remove_method(services, express, actor)

    ((_name, _places, methods),) = kept_zones(shop)
    assert methods == [("parcel", "Letter", "", Basis.VALUE, [(0, 100), (500, 50)], None, "usd", 1, False)]


def test_what_is_charged_and_is_not_there_is_not_found(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    with services.database.reading() as session:
        for look in (charges.zone, charges.method, charges.rate, coupon_desk.find):
            with pytest.raises(NotFound) as missing:
                look(session, 999)
            assert missing.value.subject is Subject.CHARGE

    with pytest.raises(NotFound) as unknown:
        coupon_desk.change(services, 999, TEN_PERCENT, actor)
    assert unknown.value.subject is Subject.CHARGE


def test_tax_rates_are_kept_whole_and_listed_by_place(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    for values in (
        SALES_TAX,
        VAT,
        replace(SALES_TAX, place="US"),
        replace(VAT, tax_class=TaxClass.REDUCED),
        COUNTY_TAX,
    ):
        charges.add_rate(services, values, actor)

    with services.database.reading() as session:
        rates = charges.rates(session)
    charges.change_rate(services, rates[0].id, replace(VAT, name="MwSt", thousandths=7_000), actor)
    with pytest.raises(CatalogueRefused) as taken:
        charges.change_rate(services, rates[2].id, SALES_TAX, actor)

    assert refusal(taken) == (CatalogueRefusal.NAME_TAKEN, "Sales tax")
    with services.database.reading() as session:
        assert [rate_of(row) for row in charges.rates(session)] == [
            ("DE", "", TaxClass.STANDARD, "MwSt", 7_000, True, True),
            ("DE", "", TaxClass.REDUCED, "VAT", 19_000, True, True),
            ("US", "", TaxClass.REDUCED, "Sales tax", 7_250, False, False),
            ("US", "CA", TaxClass.REDUCED, "Sales tax", 7_250, False, False),
            ("US", "CA", TaxClass.REDUCED, "County tax", 7_250, False, False),
        ]


def rate_of(row: TaxRateRow) -> tuple[object, ...]:
    kept = row.country, row.region, row.tax_class, row.name
    return *kept, row.thousandths, row.included, row.reverse_charge


def test_coupons_are_listed_with_those_that_are_offered_first(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    for code, active in (("ZEBRA", True), ("apple", False), ("Moon 5", True)):
        coupon_desk.add(services, code, replace(TEN_PERCENT, active=active), actor)

    with services.database.reading() as session:
        listed = coupon_desk.everything(session)

    assert [(row.code, row.active) for row in listed] == [("MOON5", True), ("ZEBRA", True), ("APPLE", False)]


def test_a_coupon_is_kept_whole_and_its_log_names_what_changed(shop: Shop) -> None:
    services, actor = shop.services, owner(shop)
    coupon_desk.add(services, "spring", TEN_PERCENT, actor)
    coupon_desk.add(services, "other", TEN_PERCENT, actor)
    with services.database.transaction() as session:
        session.execute(update(CouponRow).where(CouponRow.code == "SPRING").values(used=2))
        coupon_id = session.scalars(select(CouponRow.id).where(CouponRow.code == "SPRING")).one()
    ends_at = shop.clock() + timedelta(days=1)
    amount = CouponValues(CouponKind.AMOUNT, 0, 300, None, shop.clock(), ends_at, False, 2, active=False)

    with pytest.raises(CatalogueRefused) as twice:
        coupon_desk.add(services, " Spring ", TEN_PERCENT, actor)
    with pytest.raises(CatalogueRefused) as empty:
        coupon_desk.add(services, " ", TEN_PERCENT, actor)
    with pytest.raises(CatalogueRefused) as fewer:
        coupon_desk.change(services, coupon_id, replace(TEN_PERCENT, max_uses=1), actor)
    coupon_desk.change(services, coupon_id, replace(TEN_PERCENT, max_uses=2, minimum_minor=None), actor)
    coupon_desk.change(services, coupon_id, amount, actor)
    coupon_desk.change(services, coupon_id, amount, actor)

    assert [refusal(each) for each in (twice, empty)] == [
        (CatalogueRefusal.NAME_TAKEN, "SPRING"), (CatalogueRefusal.NO_NAME, ""),
    ]  # fmt: skip
    assert (fewer.value.reason, fewer.value.count) == (CatalogueRefusal.FEWER_THAN_USED, 2)
    with services.database.reading() as session:
        row = coupon_desk.find(session, coupon_id)
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
    assert (row.code, row.currency, row.used) == ("SPRING", "usd", 2)
    assert CouponValues(**{name: getattr(row, name) for name in CouponValues.__dataclass_fields__}) == amount
    changed = "kind, thousandths, amount_minor, starts_at, ends_at, once_per_customer, active"
    assert [(each.at, each.actor, each.action, each.subject, each.data) for each in entries] == [
        (actor.at, actor.name, action, subject, data)
        for action, subject, data in (
            ("coupon.added", "SPRING", {}),
            ("coupon.added", "OTHER", {}),
            ("coupon.changed", "SPRING", {"fields": "minimum_minor, max_uses"}),
            ("coupon.changed", "SPRING", {"fields": changed}),
        )
    ]
