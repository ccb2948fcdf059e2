"""What is charged beside the products, as the merchant keeps it: zones and shipping methods, and tax rates.

A process charges what it read up to some seconds ago, and nobody is charged another total than was shown: see
`store/services/tariffs.py`. Every change is noted in the log of the staff, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, selectinload

from models import ShippingPrice, ShippingZone, ShippingZoneMethod, ShippingZonePlace, TaxRateRow
from store.domain.countries import country_name
from store.domain.errors import CatalogueRefusal, CatalogueRefused, NotFound, Subject
from store.domain.pricing import TaxClass
from store.domain.regions import region_code
from store.domain.search import slug_of
from store.domain.shipping import EVERYWHERE, Basis
from store.services import staff_log
from store.services.services import Services
from store.services.staff_log import Actor

T = TypeVar("T", ShippingZone, TaxRateRow)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone with its places, such as `US`, `US-CA` or `*`, and all its methods, those that are not offered too."""

    zone: ShippingZone
    places: Sequence[str]
    methods: Sequence[ShippingZoneMethod]


@dataclass(frozen=True, slots=True)
class MethodValues:
    """All of a shipping method that its page has a field for. `prices` are (from, price), in minor units or grams and
    in minor units.
    """

    name: str
    estimate: str
    basis: Basis
    prices: Sequence[tuple[int, int]]
    free_from_minor: int | None
    position: int
    active: bool


@dataclass(frozen=True, slots=True)
class RateValues:
    """All of a tax rate. `thousandths` are those of a percent, `place` is such as `DE` or `US-CA`."""

    place: str
    tax_class: TaxClass
    name: str
    thousandths: int
    included: bool
    reverse_charge: bool


def zones(session: Session) -> Sequence[Zone]:
    """Every zone, in the order of its name."""
    found = session.scalars(select(ShippingZone).order_by(ShippingZone.name)).all()
    return [_zone(session, zone) for zone in found]


def zone(session: Session, zone_id: int) -> Zone:
    """Raises NotFound."""
    return _zone(session, _get(session, ShippingZone, zone_id))


def method(session: Session, method_id: int) -> ShippingZoneMethod:
    """A shipping method with its prices. Raises NotFound."""
    by_id = select(ShippingZoneMethod).where(ShippingZoneMethod.id == method_id)
    found = session.scalars(by_id.options(selectinload(ShippingZoneMethod.prices))).one_or_none()
    if found is None:
        raise NotFound(Subject.CHARGE)
    return found


def add_zone(services: Services, name: str, actor: Actor) -> int:
    """Add a zone without places, whose id is returned. Raises CatalogueRefused where there is one of this name."""
    with _changing(services) as session:
        _refuse_taken(session, name)
        added = ShippingZone(name=name)
        session.add(added)
        session.flush()
        staff_log.add(session, actor.at, actor.name, "zone.added", name)
        return added.id


def change_zone(services: Services, zone_id: int, name: str, places: Sequence[str], actor: Actor) -> None:
    """Give a zone this name and these places. Raises NotFound, and CatalogueRefused for a name or a place that another
    zone has, or a place that is none.
    """
    wanted = [read_place(each) for each in places]
    with _changing(services) as session:
        changed = _get(session, ShippingZone, zone_id)
        _refuse_taken(session, name, besides=zone_id)
        changed.name = name
        session.execute(delete(ShippingZonePlace).where(ShippingZonePlace.zone_id == zone_id))
        for country, region in dict.fromkeys(wanted):
            other = session.get(ShippingZonePlace, (country, region))
            if other is not None:
                raise CatalogueRefused(CatalogueRefusal.PLACE_TAKEN, name=place_text(country, region))
            session.add(ShippingZonePlace(country=country, region=region, zone_id=zone_id))
        listed = {"places": " ".join(place_text(*each) for each in dict.fromkeys(wanted))}
        staff_log.add(session, actor.at, actor.name, "zone.changed", name, listed)


def remove_zone(services: Services, zone_id: int, actor: Actor) -> None:
    """Remove a zone without methods. Raises NotFound and CatalogueRefused."""
    with _changing(services) as session:
        removed = _get(session, ShippingZone, zone_id)
        if session.scalar(select(ShippingZoneMethod.id).where(ShippingZoneMethod.zone_id == zone_id).limit(1)):
            raise CatalogueRefused(CatalogueRefusal.IN_USE, name=removed.name)
        session.execute(delete(ShippingZonePlace).where(ShippingZonePlace.zone_id == zone_id))
        session.delete(removed)
        staff_log.add(session, actor.at, actor.name, "zone.removed", removed.name)


def add_method(services: Services, zone_id: int, values: MethodValues, actor: Actor) -> None:
    """Add a method to a zone, named for programs after its name. Raises NotFound, and CatalogueRefused where the zone
    has one of this name.
    """
    code = slug_of(values.name)[:40]
    if not code:
        raise CatalogueRefused(CatalogueRefusal.NO_NAME)
    with _changing(services) as session:
        _get(session, ShippingZone, zone_id)
        same = select(ShippingZoneMethod.id)
        if session.scalar(same.where(ShippingZoneMethod.zone_id == zone_id, ShippingZoneMethod.code == code)):
            raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=values.name)
        added = ShippingZoneMethod(zone_id=zone_id, code=code, currency=services.settings.store_currency)
        session.add(added)
        _fill(added, values)
        staff_log.add(session, actor.at, actor.name, "shipping.added", values.name)


def change_method(services: Services, method_id: int, values: MethodValues, actor: Actor) -> None:
    """Give a method these values. Raises NotFound."""
    with _changing(services) as session:
        changed = method(session, method_id)
        changed.prices.clear()
        session.flush()
        _fill(changed, values)
        staff_log.add(session, actor.at, actor.name, "shipping.changed", values.name)


def remove_method(services: Services, method_id: int, actor: Actor) -> None:
    """Raises NotFound."""
    with _changing(services) as session:
        removed = method(session, method_id)
        session.delete(removed)
        staff_log.add(session, actor.at, actor.name, "shipping.removed", removed.name)


def rates(session: Session) -> Sequence[TaxRateRow]:
    """Every tax rate, by place."""
    return session.scalars(select(TaxRateRow).order_by(TaxRateRow.country, TaxRateRow.region, TaxRateRow.id)).all()


def rate(session: Session, rate_id: int) -> TaxRateRow:
    """Raises NotFound."""
    return _get(session, TaxRateRow, rate_id)


def add_rate(services: Services, values: RateValues, actor: Actor) -> None:
    """Raises CatalogueRefused where there is one of this place, class and name, or the place is none."""
    with _changing(services) as session:
        added = TaxRateRow()
        _fill_rate(session, added, values)
        session.add(added)
        staff_log.add(session, actor.at, actor.name, "tax.added", values.place, {"name": values.name})


def change_rate(services: Services, rate_id: int, values: RateValues, actor: Actor) -> None:
    """Raises NotFound, and CatalogueRefused as `add_rate` does."""
    with _changing(services) as session:
        changed = _get(session, TaxRateRow, rate_id)
        before = changed.thousandths
        _fill_rate(session, changed, values)
        told = {"name": values.name, "thousandths": [before, values.thousandths]}
        staff_log.add(session, actor.at, actor.name, "tax.changed", values.place, told)


def remove_rate(services: Services, rate_id: int, actor: Actor) -> None:
    """Raises NotFound."""
    with _changing(services) as session:
        removed = _get(session, TaxRateRow, rate_id)
        session.delete(removed)
        place = place_text(removed.country, removed.region)
        staff_log.add(session, actor.at, actor.name, "tax.removed", place, {"name": removed.name})


def read_place(typed: str) -> tuple[str, str]:
    """The codes of a country, and of its region or empty text, of what a person types: `us-california` is US and CA.
    Raises CatalogueRefused for what is no place.
    """
    country, _, region = typed.strip().partition("-")
    country = country.strip().upper()
    code = region_code(country, region.strip()) if region.strip() else ""
    known = country == EVERYWHERE or country_name(country) != country
    if not known or (region.strip() and not code):
        raise CatalogueRefused(CatalogueRefusal.PLACE_UNKNOWN, name=typed.strip()[:40])
    return country, code


def place_text(country: str, region: str) -> str:
    """Codes as `read_place` reads them."""
    return f"{country}-{region}" if region else country


@contextmanager
def _changing(services: Services) -> Iterator[Session]:
    """A transaction after which this process charges what it has written."""
    with services.database.transaction() as session:
        yield session
    services.tariffs.forget()


def _zone(session: Session, found: ShippingZone) -> Zone:
    of_zone = select(ShippingZonePlace).where(ShippingZonePlace.zone_id == found.id)
    places = session.scalars(of_zone.order_by(ShippingZonePlace.country, ShippingZonePlace.region))
    methods = session.scalars(
        select(ShippingZoneMethod)
        .where(ShippingZoneMethod.zone_id == found.id)
        .options(selectinload(ShippingZoneMethod.prices))
        .order_by(ShippingZoneMethod.position, ShippingZoneMethod.id)
    )
    return Zone(found, [place_text(each.country, each.region) for each in places], methods.all())


def _get(session: Session, table: type[T], key: int) -> T:
    found = session.get(table, key)
    if found is None:
        raise NotFound(Subject.CHARGE)
    return found


def _refuse_taken(session: Session, name: str, besides: int = 0) -> None:
    same = select(func.count(ShippingZone.id)).where(ShippingZone.name == name, ShippingZone.id != besides)
    if session.scalar(same):
        raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=name)


def _fill(row: ShippingZoneMethod, values: MethodValues) -> None:
    row.name, row.estimate, row.basis = values.name, values.estimate, values.basis
    row.position, row.active, row.free_from_minor = values.position, values.active, values.free_from_minor
    row.prices.extend(ShippingPrice(measure=measure, price_minor=price) for measure, price in sorted(values.prices))


def _fill_rate(session: Session, row: TaxRateRow, values: RateValues) -> None:
    country, region = read_place(values.place)
    same = select(TaxRateRow.id).where(
        TaxRateRow.country == country,
        TaxRateRow.region == region,
        TaxRateRow.tax_class == values.tax_class,
        TaxRateRow.name == values.name,
    )
    with session.no_autoflush:
        other = session.scalar(same)
    if other is not None and other != row.id:
        raise CatalogueRefused(CatalogueRefusal.NAME_TAKEN, name=values.name)
    row.country, row.region, row.tax_class, row.name = country, region, values.tax_class, values.name
    row.thousandths, row.included, row.reverse_charge = values.thousandths, values.included, values.reverse_charge
