"""The tariffs of this store, read from the database, and seeded.

What is read is kept in the process for some seconds, so that a page or an order costs no statement for it. Whoever
changes a tariff therefore waits up to KEPT until every process charges it. Nobody is charged another total than the one
that was shown: placing an order compares the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from models import ShippingPrice, ShippingZone, ShippingZoneMethod, ShippingZonePlace, TaxRateRow
from store.domain.money import Money
from store.domain.pricing import TaxClass, price_from_cents
from store.domain.shipping import Basis, ShippingMethod, ZonePlace
from store.domain.tariffs import Tariffs
from store.domain.tax_questions import not_asked
from store.domain.taxes import PERCENT, TaxRate

SEED = Path(__file__).parent.parent / "tariffs.json"
KEPT = timedelta(seconds=10)


class TariffCache:
    """The tariffs as they were read last, by any thread of this process. Without `own_taxes` the store's rates are not
    charged: a price has no taxes until somebody is asked for them.
    """

    def __init__(self, *, own_taxes: bool = True) -> None:
        self._own_taxes = own_taxes
        self._kept: tuple[datetime, Tariffs] | None = None

    def current(self, session: Session, now: datetime) -> Tariffs:
        """The tariffs as they were at most KEPT before `now`."""
        found = self.kept(now)
        if found is None:
            found = read(session)
            if not self._own_taxes:
                found = replace(found, rates=(), taxes=not_asked)
            self._kept = (now, found)
        return found

    def kept(self, now: datetime) -> Tariffs | None:
        """What `current` would return, if it needs no statement for it."""
        kept = self._kept
        return kept[1] if kept is not None and abs(now - kept[0]) < KEPT else None

    def forget(self) -> None:
        """Have the next question ask the database."""
        self._kept = None


def read(session: Session) -> Tariffs:
    """The tariffs as they are, in four statements."""
    places: dict[int, set[ZonePlace]] = defaultdict(set)
    for row in session.scalars(select(ShippingZonePlace)):
        places[row.zone_id].add(ZonePlace(row.country, row.region))
    methods = session.scalars(
        select(ShippingZoneMethod)
        .where(ShippingZoneMethod.active)
        .options(selectinload(ShippingZoneMethod.prices))
        .order_by(ShippingZoneMethod.zone_id, ShippingZoneMethod.position, ShippingZoneMethod.id)
    )
    rates = session.scalars(select(TaxRateRow).order_by(TaxRateRow.id))
    return Tariffs(
        tuple(_method(row, frozenset(places[row.zone_id])) for row in methods), tuple(_rate(row) for row in rates)
    )


def seed(session: Session, currency: str, source: Path = SEED) -> int:
    """Add the shipping zones and methods of the seed file, priced in `currency`, unless there are zones already, and
    its tax rates, unless there are some: the merchant's own are left as they are. Returns how many of both were added.
    """
    entries = json.loads(source.read_text("utf-8"))
    return _seed_shipping(session, currency, entries["zones"]) + _seed_taxes(session, entries["taxes"])


def _seed_taxes(session: Session, entries: Sequence[Mapping[str, Any]]) -> int:
    if session.scalar(select(exists().where(TaxRateRow.id.is_not(None)))):
        return 0
    for entry in entries:
        country, _, region = entry["place"].partition("-")
        session.add(
            TaxRateRow(
                country=country,
                region=region,
                tax_class=TaxClass(entry.get("tax_class", "standard")),
                name=entry["name"],
                thousandths=int(Decimal(entry["percent"]) * PERCENT),
                included=entry.get("included", False),
                reverse_charge=entry.get("reverse_charge", False),
            )
        )
    session.flush()
    return len(entries)


def _seed_shipping(session: Session, currency: str, entries: Sequence[Mapping[str, Any]]) -> int:
    if session.scalar(select(exists().where(ShippingZone.id.is_not(None)))):
        return 0
    added = 0
    for entry in entries:
        zone = ShippingZone(name=entry["name"])
        session.add(zone)
        session.flush()
        for place in entry["places"]:
            country, _, region = place.partition("-")
            session.add(ShippingZonePlace(zone_id=zone.id, country=country, region=region))
        for position, method in enumerate(entry["methods"], start=1):
            session.add(_seeded(zone.id, position, method, currency))
            added += 1
    session.flush()
    return added


def _method(row: ShippingZoneMethod, places: frozenset[ZonePlace]) -> ShippingMethod:
    return ShippingMethod(
        code=row.code,
        name=row.name,
        estimate=row.estimate,
        places=places,
        basis=row.basis,
        prices=tuple((price.measure, Money(price.price_minor, row.currency)) for price in row.prices),
        free_from=Money(row.free_from_minor, row.currency) if row.free_from_minor else None,
    )


def _rate(row: TaxRateRow) -> TaxRate:
    return TaxRate(
        country=row.country,
        region=row.region,
        tax_class=row.tax_class,
        name=row.name,
        thousandths=row.thousandths,
        included=row.included,
        reverse_charge=row.reverse_charge,
    )


def _seeded(zone_id: int, position: int, entry: dict[str, Any], currency: str) -> ShippingZoneMethod:
    """A method of the seed file; its amounts, and values it goes by, are in hundredths there."""

    def minor(cents: int) -> int:
        return price_from_cents(cents, currency).minor

    basis = Basis(entry["basis"])
    free_from = entry.get("free_from")
    return ShippingZoneMethod(
        zone_id=zone_id,
        code=entry["code"],
        name=entry["name"],
        estimate=entry["estimate"],
        position=position,
        basis=basis,
        currency=currency,
        free_from_minor=minor(free_from) if free_from is not None else None,
        active=True,
        prices=[
            ShippingPrice(measure=minor(start) if basis is Basis.VALUE else start, price_minor=minor(price))
            for start, price in entry["prices"]
        ],
    )
