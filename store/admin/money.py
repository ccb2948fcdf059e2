"""The merchant's money: what came in, what it cost, what was paid out, by day and month, and all of it as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import BalanceEntry
from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.presentation.money import period_name, row_name
from store.admin.presentation.stripe_links import stripe_links
from store.domain.staff import Role
from store.services import balance
from store.services.balance import Period
from store.services.services import Services
from store.web.current import now, services

blueprint = Blueprint("money", __name__, url_prefix="/money")

FIRST_YEAR, LAST_YEAR = 2010, 2999
COLUMNS = (
    *("id", "created_at", "available_at", "category", "currency", "amount", "fee", "net", "source", "payment"),
    "order",
)


@blueprint.get("")
@guard.allowed(Role.OWNER)
def index() -> ResponseReturnValue:
    """A month by days, or a year by months, in one currency."""
    period = _period()
    with services().database.reading() as session:
        account = balance.account(session, services())
        found = balance.currencies(session, account)
        wanted = request.args.get("currency", "")
        usual = services().settings.store_currency
        currency = wanted if wanted in found else usual if usual in found or not found else found[0]
        rows = balance.of_period(session, account, currency, period)
        paid_out = balance.payouts(session, account, currency, period)
        first = balance.first_day(session, account, currency)
        until = balance.collected_until(session, account)
        held = {total.currency: total for total in balance.totals(session, account)}
    return render_template(
        "admin/money.html",
        rows=rows,
        total=balance.total_of(rows, period, currency),
        payouts=paid_out,
        currency=currency,
        currencies=found,
        period=period,
        period_name=period_name,
        row_name=row_name,
        earlier=period.previous if first is not None and first < period.first else None,
        later=period.next if period.end <= now().date() else None,
        until=until,
        held=held.get(currency),
        stripe=stripe_links(services().settings),
        button=ButtonForm(formdata=None),
    ), 200


@blueprint.post("/collect")
@guard.allowed(Role.OWNER)
def collect() -> ResponseReturnValue:
    """Ask Stripe for what is new now. Raises PaymentUnavailable and PaymentMisconfigured."""
    whole = balance.collect(services(), now())
    flash("Everything is here now." if whole else "Some of it is here now. The worker collects the rest.")
    return redirect(url_for("money.index"), 303)


@blueprint.get("/export.csv")
@guard.allowed(Role.OWNER)
def export() -> ResponseReturnValue:
    """Every entry, the oldest first: the column `net` adds up to what is at Stripe. Times are in UTC."""
    with services().database.reading() as session:
        account = balance.account(session, services())
    headers = {"Content-Disposition": f'attachment; filename="money-{now():%Y-%m-%d}.csv"'}
    return Response(_lines(services(), account), mimetype="text/csv", headers=headers)


def _period() -> Period:
    """The one that the address names, or this month."""
    today = now().date()
    year, _, month = request.args.get("period", f"{today:%Y-%m}").partition("-")
    try:
        first = date(int(year), int(month or 1), 1)
    except ValueError:
        first, month = today, "this"
    if not FIRST_YEAR <= first.year <= LAST_YEAR:
        first, month = today, "this"
    return Period(first.year, first.month if month else None)


def _lines(store: Services, account: str) -> Iterator[str]:
    yield _line(COLUMNS)
    for entry, reference in balance.stream(store, account):
        yield _line(_row(entry, reference))


def _row(entry: BalanceEntry, reference: str | None) -> tuple[object, ...]:
    return (
        entry.provider_entry_id, _time(entry.at), _time(entry.available_at), entry.category, entry.currency,
        entry.amount.plain, entry.fee.plain, entry.net.plain, entry.source, entry.provider_payment_id, reference,
    )  # fmt: skip


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _line(values: tuple[object, ...]) -> str:
    """Names and numbers alone, none of which a customer has typed."""
    text = io.StringIO()
    csv.writer(text).writerow(["" if value is None else value for value in values])
    return text.getvalue()
