"""Collecting the entries of the balance, page by page, the newest first.

A run lists what was created since the last one began, an hour before that to be sure, and remembers after each page how
far it came. So a crash costs one page, and a history of years is collected over many rounds. An entry is kept once,
however often it is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import BalanceEntry, BalanceMark
from store.gateway.port import BalanceEntrySnapshot, EntryPage
from store.services.history import insert_once, unless_there
from store.services.payments import accounts
from store.services.services import Services

MOST_PAGES = 20  # in one go
# Their clock is not ours, and an entry may be listed a while after it was created.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Step:
    """What to ask for next: entries `since` then, `after` the last one that is known of this run."""

    began: datetime
    since: datetime | None
    after: str | None


def collect(services: Services, now: datetime, most_pages: int = MOST_PAGES) -> bool:
    """Collect what is new, or go on where the last run stopped; says whether all of it is here now. Any number of
    processes may do this at once. Raises PaymentUnavailable and PaymentMisconfigured; it goes on there the next time.
    """
    account = accounts.ask(services)
    for _page in range(most_pages):
        with services.database.transaction() as session:
            step = _next(session, account, now)
        page = services.gateway.balance.list_entries(step.since, step.after)
        with services.database.transaction() as session:
            _keep(session, account, page)
            _note(session, account, step, page)
        if not page.more:
            return True
    return False


def account(session: Session, services: Services) -> str:
    """Whose balance is shown: that of the store's own keys. A process that has not asked whose they are takes the one
    of their mode that was collected last.
    """
    ours = accounts.known(services)
    if not ours.endswith(":"):
        return ours
    of_mode = select(BalanceMark.account).where(BalanceMark.account.startswith(ours, autoescape=True))
    return session.scalar(of_mode.order_by(BalanceMark.collected_until.desc().nulls_last()).limit(1)) or ours


def collected_until(session: Session, account: str) -> datetime | None:
    """Everything that was created before then is here; None before the first run has ended."""
    mark = session.get(BalanceMark, account)
    return mark.collected_until if mark is not None else None


def _next(session: Session, account: str, now: datetime) -> _Step:
    """The next page of the run that is not over, or the first one of a new run."""
    insert_once(session, BalanceMark, {"account": account})
    mark = session.scalars(select(BalanceMark).where(BalanceMark.account == account).with_for_update()).one()
    if mark.began_at is None:
        mark.began_at, mark.last_entry = now, None
    since = mark.collected_until - OVERLAP if mark.collected_until is not None else None
    return _Step(mark.began_at, since, mark.last_entry)


def _keep(session: Session, account: str, page: EntryPage) -> None:
    for entry in page.entries:
        session.execute(unless_there(session, BalanceEntry, _row(account, entry)))


def _note(session: Session, account: str, step: _Step, page: EntryPage) -> None:
    """How far the run came, unless another process has noted more by now."""
    values: dict[str, object] = {"began_at": None, "last_entry": None, "collected_until": step.began}
    if page.more:
        values = {"last_entry": page.entries[-1].provider_entry_id}
    came_so_far = BalanceMark.last_entry == step.after if step.after is not None else BalanceMark.last_entry.is_(None)
    session.execute(
        update(BalanceMark)
        .where(BalanceMark.account == account, BalanceMark.began_at == step.began, came_so_far)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _row(account: str, entry: BalanceEntrySnapshot) -> dict[str, object]:
    return {
        "provider_entry_id": entry.provider_entry_id,
        "account": account,
        "at": entry.at,
        "day": entry.at.date(),
        "available_at": entry.available_at,
        "kind": entry.kind,
        "category": entry.category,
        "currency": entry.amount.currency,
        "amount_minor": entry.amount.minor,
        "fee_minor": entry.fee.minor,
        "net_minor": entry.net.minor,
        "source": entry.source,
        "provider_payment_id": entry.provider_payment_id,
    }
