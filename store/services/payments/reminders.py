"""The mail to a shopper who left after a declined card: the order is kept, and here is the link to pay it.

The rule: the last thing that happened to an open order is a decline, that was ten minutes ago or more, and the order is
open for at least five more minutes. It is written once for each order, after the payment service was asked whether it
was paid meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, select

from models import HistoryEntry, Mail, Order, Payment
from store.domain.states import OrderState, PaymentState
from store.services import mail
from store.services.history import Origin, Source
from store.services.payments.recording import record
from store.services.services import Services

LEFT_AFTER = timedelta(minutes=10)
TIME_TO_PAY = timedelta(minutes=5)


def due(services: Services, now: datetime, foreign: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """Whether an order's shopper is to be reminded at `now`. Nobody is about a `foreign` payment: the payment service
    cannot be asked about it.
    """
    declined = exists().where(
        Payment.order_id == Order.id,
        Payment.live,
        Payment.state == PaymentState.DECLINED,
        Payment.declines < services.settings.max_declines,
        ~(foreign if foreign is not None else false()),
    )
    lately = exists().where(HistoryEntry.order_id == Order.id, HistoryEntry.at > now - LEFT_AFTER)
    reminded = exists().where(Mail.order_id == Order.id, Mail.kind == mail.Kind.PAYMENT_FAILED)
    open_orders = and_(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at >= now + TIME_TO_PAY)
    return and_(open_orders, declined, ~lately, ~reminded)


def remind(services: Services, reference: str, now: datetime) -> None:
    """Write the mail if the payment service says that the card is still declined. Raises PaymentUnavailable and
    PaymentMisconfigured.
    """
    with services.database.reading() as session:
        of_order = select(Payment.provider_payment_id).join(Order)
        name = session.scalars(of_order.where(Order.reference == reference, Payment.live)).one()
    if name is None:
        return
    snapshot = services.gateway.retrieve_payment(name).snapshot
    with services.database.transaction() as session:
        order = record(session, services, snapshot, Origin(Source.WORKER, now))
        if order is not None and session.scalar(select(due(services, now)).where(Order.id == order.id)):
            mail.write(session, order, mail.Kind.PAYMENT_FAILED, now)
