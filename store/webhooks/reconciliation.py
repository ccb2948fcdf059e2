"""Reconciliation as a whole: the events that never arrived are taken in, then both sides are compared.

The one on schedule remembers how far it came, so that the next one leaves no hole, however long nothing ran.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Reconciliation
from store.services import reconcile
from store.services.till import Till
from store.webhooks import inbox

OVERLAP = timedelta(hours=2)  # things may be listed some time after they happened, and told of for longer
FIRST, FURTHEST = timedelta(hours=24), timedelta(days=30)  # the service lists no event that is older


def run(till: Till, since: datetime, now: datetime) -> reconcile.Report:
    """Take in what was told since then and did not arrive, then compare; `mended` holds both.

    Raises PaymentUnavailable, PaymentMisconfigured and StoreBusy; what was written down before that stays.
    """
    missed = inbox.catch_up(till, since, now)
    report = reconcile.run(till, since, now)
    report.mended = missed + report.mended
    return report


def run_since_last(till: Till, now: datetime) -> reconcile.Report:
    """Reconcile what happened since the last time this came to its end, with some overlap; a day the first time, and
    30 days at most. Raises as `run` does; then the next one looks back as far again.

    Several may run at once: what is remembered never goes back.
    """
    with till.database.reading() as session:
        last = session.scalar(select(Reconciliation.compared_until))
    since = max(last - OVERLAP, now - FURTHEST) if last is not None else now - FIRST
    report = run(till, since, now)
    with till.database.transaction() as session:
        _remember(session, now)
    return report


def _remember(session: Session, until: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(Reconciliation)
        .values(id=1, compared_until=until)
        .on_conflict_do_update(
            index_elements=[Reconciliation.id],
            set_={"compared_until": until},
            where=Reconciliation.compared_until < until,
        )
    )
