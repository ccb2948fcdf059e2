"""What the staff did is in their log, each with who did it, to what, and from what to what."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from models import StaffLogEntry, TaxRateRow
from store.domain.pricing import TaxClass
from store.domain.shipping import Basis
from store.services import charges, products
from store.services.charges import MethodValues, RateValues
from store.services.staff_log import Actor
from tests.support.shop import Shop

METHOD = MethodValues("Parcel", "2 days", Basis.VALUE, ((0, 490),), None, 1, active=True)
RATE = RateValues("DE", TaxClass.STANDARD, "VAT", 19_000, included=True, reverse_charge=True)


def logged(shop: Shop) -> list[tuple[str, str, str, dict[str, object]]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id)).all()
        return [(entry.actor, entry.action, entry.subject, entry.data) for entry in entries]


@pytest.mark.on_both_databases
def test_every_change_of_a_charge_is_in_the_log(usual_shop: Shop) -> None:
    services, owner = usual_shop.services, Actor("owner@example.com", usual_shop.clock())

    zone_id = charges.add_zone(services, "North", owner)
    charges.change_zone(services, zone_id, "Far north", ["ca", "US-AK"], owner)
    charges.add_method(services, zone_id, METHOD, owner)
    with services.database.reading() as session:
        (method,) = charges.zone(session, zone_id).methods
    charges.change_method(services, method.id, METHOD, owner)
    charges.remove_method(services, method.id, owner)
    charges.remove_zone(services, zone_id, owner)
    charges.add_rate(services, RATE, owner)
    with services.database.reading() as session:
        rate_id = session.scalars(select(TaxRateRow.id)).one()
    charges.change_rate(services, rate_id, replace(RATE, thousandths=20_000), owner)
    charges.remove_rate(services, rate_id, owner)

    assert logged(usual_shop) == [
        ("owner@example.com", action, subject, data)
        for action, subject, data in (
            ("zone.added", "North", {}),
            ("zone.changed", "Far north", {"places": "CA US-AK"}),
            ("shipping.added", "Parcel", {}),
            ("shipping.changed", "Parcel", {}),
            ("shipping.removed", "Parcel", {}),
            ("zone.removed", "Far north", {}),
            ("tax.added", "DE", {"name": "VAT"}),
            ("tax.changed", "DE", {"name": "VAT", "thousandths": [19_000, 20_000]}),
            ("tax.removed", "DE", {"name": "VAT"}),
        )
    ]


@pytest.mark.on_both_databases
def test_every_change_of_the_catalogue_is_in_the_log(usual_shop: Shop) -> None:
    services, owner = usual_shop.services, Actor("owner@example.com", usual_shop.clock())

    category = products.add_category(services, "Garden", owner)
    products.change_category(services, category.id, "Gardens", 9, owner)
    products.remove_category(services, category.id, owner)
    left = products.correct_stock(services, "cedar-pencil", -3, "broken", owner)

    assert logged(usual_shop) == [
        ("owner@example.com", action, subject, data)
        for action, subject, data in (
            ("category.added", "garden", {}),
            ("category.changed", "garden", {"name": "Gardens"}),
            ("category.removed", "garden", {}),
            ("stock.corrected", "cedar-pencil", {"by": "-3", "stock": left, "reason": "broken"}),
        )
    ]
