"""Reconciliation as a whole: the events that were never delivered are handled, then both sides are compared.

The one on schedule remembers how far it came, so that the next one misses nothing, however long nothing ran.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Reconciliation
from store.services import inserts
from store.services.findings import Finding
from store.services.reconciliation.repair import Report, repair
from store.services.services import Services

OVERLAP = timedelta(hours=2)  # things may be listed some time after they happened, and reported later still
FIRST, FURTHEST = timedelta(hours=24), timedelta(days=30)  # the service lists no event that is older


# Handles the events since a time that were never delivered; a line for each that was new.
CatchUp = Callable[[Services, datetime, datetime], list[str]]


def run(services: Services, catch_up: CatchUp, since: datetime, now: datetime) -> Report:
    """Handle the events since then that were never delivered, then compare; `repaired` holds both.

    Raises PaymentUnavailable, PaymentMisconfigured and StoreBusy; what was recorded before that stays.
    """
    missed = catch_up(services, since, now)
    report = repair(services, since, now)
    report.repaired = missed + report.repaired
    return report


def run_since_last(services: Services, catch_up: CatchUp, now: datetime) -> Report:
    """Reconcile what happened since the last complete run, with some overlap; a day the first time, and 30 days at
    most. Raises as `run` does; the next one then looks back as far again.

    Several may run at once: what is remembered never goes back.
    """
    with services.database.reading() as session:
        last = session.scalar(select(Reconciliation.compared_until))
    since = max(last - OVERLAP, now - FURTHEST) if last is not None else now - FIRST
    report = run(services, catch_up, since, now)
    with services.database.transaction() as session:
        _remember(session, now, [_kept(finding) for finding in report.unresolved])
    return report


def left(session: Session) -> list[Finding]:
    """What the last one left for a person, its data as texts."""
    kept = session.scalar(select(Reconciliation.unresolved)) or []
    return [Finding(each["subject"], each["code"], each["data"], unrepaired=True) for each in kept]


def _kept(finding: Finding) -> dict[str, Any]:
    data = {name: str(value) for name, value in finding.data.items()}
    return {"subject": finding.subject, "code": finding.code, "data": data}


def _remember(session: Session, until: datetime, unresolved: list[dict[str, Any]]) -> None:
    session.execute(
        inserts.into(session, Reconciliation)
        .values(id=1, compared_until=until, unresolved=unresolved)
        .on_conflict_do_update(
            index_elements=[Reconciliation.id],
            set_={"compared_until": until, "unresolved": unresolved},
            where=Reconciliation.compared_until < until,
        )
    )
