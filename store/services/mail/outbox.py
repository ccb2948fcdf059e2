"""The outbox: a mail is written in the transaction that it tells of and sent by the worker.

A mail ends in one of three ways: it is sent; it is dropped, because what it tells is not true any more; or it failed,
because the mail server refused it for good. A crash between sending it and marking it may send it a second time, with
the same Message-ID, which mail programs show once.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session, selectinload

from models import Mail, Order, Shipment, ShipmentLine
from store.domain.errors import MailRefused, MailUnavailable, NotFound
from store.domain.money import Money
from store.gateway.port import Email
from store.services import history
from store.services.history import Origin, Source, insert_once
from store.services.mail import truth
from store.services.mail.kinds import TO_MERCHANT, UNPAID, Kind
from store.services.orders.links import order_link
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed mail is left to the claimer for this long. One mail takes a mail server a dozen answers, from the
# greeting to the thanks, and the mailer waits ten seconds for each: two minutes and a bit at the very worst.
CLAIM = timedelta(minutes=5)
# The wait after a failed try doubles from the first to the longest; the mail is kept until it ends.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)

# What the worker still has to send.
TO_SEND = (Mail.sent_at.is_(None), Mail.failed_at.is_(None), Mail.dropped_because.is_(None))


def write(
    session: Session, order: Order, kind: Kind, now: datetime, *, dedupe_key: str | None = None, **data: Any
) -> None:
    """Put an e-mail into the outbox: one for each `dedupe_key` of an order, by default one of each kind.

    Nothing is written about an unpaid order on which no card was tried: whoever placed it may have named a stranger.
    """
    if kind in UNPAID and not truth.card_was_tried(session, order):
        return
    row = {
        "order_id": order.id,
        "kind": kind,
        "dedupe_key": dedupe_key or kind,
        "message_id": new_message_id(),
        "data": data,
        "written_at": now,
        "due_at": now,
        "attempts": 0,
    }
    insert_once(session, Mail, row)


def new_message_id() -> str:
    """A Message-ID for one mail. Sent twice under the same one, mail programs show it once."""
    return f"<{uuid.uuid4()}@till>"


@dataclass(frozen=True, slots=True)
class _Claimed:
    mail_id: int
    attempt: int


def send_due(services: Services, now: datetime) -> int:
    """Try what is due at `now`, fifty mails at the most; returns how many were taken. Any number of processes may do
    this at once.

    Each mail is claimed just before it is sent, by the store's clock and not by `now`: however long the mails before
    it took, its claim is fresh.
    """
    taken = 0
    for _ in range(BATCH):
        with services.database.transaction() as session:
            claimed = _claim(session, now, _time(services, now))
        if claimed is None:
            break
        taken += _send(services, claimed, now)
    return taken


def preview(session: Session, services: Services, mail_id: int, reference: str) -> Email:
    """A mail of an order as it would be sent now. Raises NotFound."""
    mail, _order = _find(session, _of_order(mail_id, reference))
    return _email(services, mail, _read(session, mail.id)[1])


def send_again(services: Services, mail_id: int, reference: str, origin: Origin) -> bool:
    """Have the worker send a mail of an order once more, as a new one, if it is still true then. False, and nothing
    changed, for one that is on its way. Raises NotFound.
    """
    with services.database.transaction() as session:
        mail, order = _find(session, _of_order(mail_id, reference).with_for_update(of=Mail))
        again = {"sent_at": None, "failed_at": None, "dropped_because": None, "attempts": 0, "due_at": origin.at}
        ended = mail.sent_at is not None or mail.failed_at is not None or mail.dropped_because is not None
        if ended:
            values = {**again, "message_id": new_message_id()}
            session.execute(update(Mail).where(Mail.id == mail.id).values(values))
            history.add(session, order, "mail.sent_again", origin, data={"kind": mail.kind})
    return ended


def try_now(services: Services, mail_id: int, reference: str, origin: Origin) -> bool:
    """Have the worker try a mail at once that waits for its next try. False for one that has ended. Raises NotFound."""
    with services.database.transaction() as session:
        mail, _order = _find(session, _of_order(mail_id, reference).with_for_update(of=Mail))
        due = update(Mail).where(Mail.id == mail.id, *TO_SEND).values(due_at=origin.at)
        return session.scalar(due.returning(Mail.id)) is not None


def give_up(services: Services, mail_id: int, reference: str, origin: Origin) -> bool:
    """Note that somebody was told another way, where a mail was refused for good or waits. False, and nothing changed,
    for one that was sent or dropped. Raises NotFound.
    """
    with services.database.transaction() as session:
        mail, order = _find(session, _of_order(mail_id, reference).with_for_update(of=Mail))
        told = mail.sent_at is None and mail.dropped_because is None
        if told:
            values = {"failed_at": None, "dropped_because": truth.TOLD_OTHERWISE}
            session.execute(update(Mail).where(Mail.id == mail.id).values(values))
            history.add(session, order, "mail.given_up", origin, data={"kind": mail.kind})
    return told


class _Result(Enum):
    SENT = auto()
    DROPPED = auto()
    REFUSED = auto()
    NOT_TAKEN = auto()


def _send(services: Services, claimed: _Claimed, now: datetime) -> bool:
    result, because = _try(services, claimed, now)
    at = _time(services, now)
    with services.database.transaction() as session:
        if result is _Result.SENT:
            session.execute(update(Mail).where(Mail.id == claimed.mail_id).values(sent_at=at))
        elif result is _Result.NOT_TAKEN:
            _postpone(session, claimed, at)
        elif result is _Result.DROPPED:
            _end(session, claimed, "mail.dropped", Origin(Source.WORKER, at), {"dropped_because": because})
        else:
            _end(session, claimed, "mail.refused", Origin(Source.WORKER, at), {"failed_at": at})
    return result is _Result.SENT


def _try(services: Services, claimed: _Claimed, now: datetime) -> tuple[_Result, truth.Untrue | None]:
    """What became of a mail, and why it was dropped."""
    try:
        with services.database.reading() as session:
            mail, order = _read(session, claimed.mail_id)
            because = truth.contradiction(session, mail, order, _time(services, now))
            email = _email(services, mail, order)
        if because is not None:
            log.info("mail dropped", mail=claimed.mail_id, kind=email.kind, because=because)
            return _Result.DROPPED, because
        services.mailer.send(email)
    except MailRefused:
        log.warning("mail given up: the mail server refused it for good", mail=claimed.mail_id)
        return _Result.REFUSED, None
    except MailUnavailable:
        return _Result.NOT_TAKEN, None  # the mailer has said why
    except Exception as failure:  # noqa: BLE001  # whatever is wrong with one mail, the others are not to wait for it
        # By its type only: what it says may name an address.
        log.warning("mail could not be sent", mail=claimed.mail_id, failure=type(failure).__name__)
        return _Result.NOT_TAKEN, None
    return _Result.SENT, None


def _end(session: Session, claimed: _Claimed, event: str, origin: Origin, values: dict[str, Any]) -> None:
    """Try this mail no more, and say so in the history, unless somebody else has it by now."""
    ended = update(Mail).where(*_still_ours(claimed)).values(**values).returning(Mail.order_id, Mail.kind)
    row = session.execute(ended).one_or_none()
    if row is not None:
        because = {"because": values["dropped_because"]} if "dropped_because" in values else {}
        history.add(session, session.get_one(Order, row.order_id), event, origin, data={"kind": row.kind, **because})


def _time(services: Services, now: datetime) -> datetime:
    """What the clock says, but never before the time that the round is for."""
    return max(now, services.clock())


def _claim(session: Session, now: datetime, at: datetime) -> _Claimed | None:
    """Take the mail that has been due the longest; until the claim is over nobody else takes it."""
    due = session.execute(
        select(Mail.id, Mail.attempts)
        .where(*TO_SEND, Mail.due_at <= now)
        .order_by(Mail.due_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if due is None:
        return None
    claimed = _Claimed(due.id, due.attempts + 1)
    session.execute(update(Mail).where(Mail.id == due.id).values(due_at=at + CLAIM, attempts=claimed.attempt))
    return claimed


def _postpone(session: Session, claimed: _Claimed, at: datetime) -> None:
    """Try again after a wait, unless somebody else has the mail by now."""
    wait = min(FIRST_WAIT * 2 ** min(claimed.attempt - 1, 10), LONGEST_WAIT)
    session.execute(update(Mail).where(*_still_ours(claimed)).values(due_at=at + wait))


def _still_ours(claimed: _Claimed) -> tuple[ColumnElement[bool], ...]:
    return (Mail.id == claimed.mail_id, Mail.attempts == claimed.attempt, *TO_SEND)


def _read(session: Session, mail_id: int) -> tuple[Mail, Order]:
    mail = session.get_one(Mail, mail_id)
    order = session.scalars(
        select(Order)
        .where(Order.id == mail.order_id)
        .options(selectinload(Order.lines), selectinload(Order.adjustments), selectinload(Order.payment))
        .options(selectinload(Order.shipments).selectinload(Shipment.lines).joinedload(ShipmentLine.line))
    ).one()
    return mail, order


def _of_order(mail_id: int, reference: str) -> Select[Mail, Order]:
    of_order = select(Mail, Order).join(Order, Order.id == Mail.order_id)
    return of_order.where(Mail.id == mail_id, Order.reference == reference)


def _find(session: Session, wanted: Select[Mail, Order]) -> tuple[Mail, Order]:
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound
    return found.Mail, found.Order


def _shipment(order: Order, mail: Mail) -> Shipment | None:
    """The one that a mail tells of, if it tells of one."""
    return next((each for each in order.shipments if each.number == mail.data.get("shipment")), None)


def _email(services: Services, mail: Mail, order: Order) -> Email:
    amount = mail.data.get("amount")
    facts = {
        "order": order,
        "shipment": _shipment(order, mail),
        "store": services.settings.store_name,
        "link": order_link(services, order.reference),
        "has_invoice": order.paid_at is not None and bool(services.settings.seller_address),
        "staff_link": f"{services.settings.store_url}/admin/orders/{order.reference}",
        "received": Money(order.payment.received_minor, order.currency).text(),
        "amount": Money(amount, order.currency).text() if amount is not None else None,
        "data": mail.data,
    }
    to = services.settings.merchant_email if mail.kind in TO_MERCHANT else order.email
    return Email(kind=mail.kind, to=to, message_id=mail.message_id, facts=facts)
