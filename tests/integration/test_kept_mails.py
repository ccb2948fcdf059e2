"""Mails as they are kept and sent: whole rows, whole mails, what the worker notes, and whether each is still true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from models import Dispute, HistoryEntry, Mail, Order, Payment, Refund, Review, Shipment
from store.domain.errors import MailRefused, MailUnavailable, NotFound
from store.domain.states import DisputeState, OrderState, PaymentState, RefundState
from store.gateway.port import Email
from store.services import mail
from store.services.mail import Kind, truth
from store.services.mail.truth import Untrue
from store.services.orders import links
from tests.support.shop import Shop


@dataclass
class Sink:
    """A mail server that keeps what it is given, and does something meanwhile."""

    meanwhile: Callable[[], None] = lambda: None
    emails: list[Email] = field(default_factory=list)

    def check(self) -> None:
        """It is always there."""

    def send(self, email: Email) -> None:
        self.emails.append(email)
        self.meanwhile()


def raising(failure: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise failure

    return fail


def sink_of(shop: Shop, **settings: str) -> Sink:
    """What the shop sends arrives here. The shop's time stands still."""
    sink = Sink()
    shop.clock.stop()
    changed = shop.services.settings.model_copy(update=settings)
    shop.services = replace(shop.services, mailer=sink, settings=changed)
    return sink


def plant(shop: Shop, order: Order, kind: Kind = Kind.REFUND_FAILED, key: str = "", **values: Any) -> int:
    """A mail that waits to be sent, as if it had been written; its id."""
    now, name = shop.clock(), key or kind.value
    row = {"order_id": order.id, "kind": kind, "dedupe_key": name, "message_id": f"<{name}-{order.id}>", "data": {}}
    times = {"written_at": now, "due_at": now, "attempts": 0}
    with shop.services.database.transaction() as session:
        return session.scalars(insert(Mail).values({**row, **times, **values}).returning(Mail.id)).one()


def change(shop: Shop, table: type[Any], *where: Any, **values: Any) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(table).where(*where).values(values))


def rows(shop: Shop) -> list[dict[str, Any]]:
    with shop.services.database.reading() as session:
        mails = session.scalars(select(Mail).order_by(Mail.id)).all()
        return [{each.key: getattr(row, each.key) for each in Mail.__table__.columns} for row in mails]


def told(shop: Shop) -> list[tuple[Any, ...]]:
    with shop.services.database.reading() as session:
        wanted = select(HistoryEntry).where(HistoryEntry.type.startswith("mail.")).order_by(HistoryEntry.id)
        entries = session.scalars(wanted).all()
        return [(each.order_id, each.at, each.type, each.source, each.actor, each.data) for each in entries]


def test_a_mail_is_written_whole(shop: Shop) -> None:
    shop.clock.stop()
    order, later = shop.order(), shop.clock() + timedelta(minutes=1)
    with shop.services.database.transaction() as session:
        mail.write(session, order, Kind.REFUNDED, later, dedupe_key="refund:re_1", amount=5, why="late")
        mail.write(session, order, Kind.ORDER_PAID, later)

    first, second = rows(shop)
    common = {"order_id": order.id, "written_at": later, "due_at": later, "attempts": 0}
    common |= {"sent_at": None, "failed_at": None, "dropped_because": None}
    named = {name: first[name] for name in ("id", "message_id")}
    data = {"amount": 5, "why": "late"}
    assert first == {**common, **named, "kind": "refunded", "dedupe_key": "refund:re_1", "data": data}
    assert (second["kind"], second["dedupe_key"], second["data"]) == ("order_paid", "order_paid", {})
    assert first["message_id"] != second["message_id"]


def test_a_mail_is_claimed_while_it_is_sent_and_then_marked_alone(shop: Shop) -> None:
    sink, order = sink_of(shop), shop.order()
    plant(shop, order, attempts=2)
    waiting = plant(shop, order, key="later", due_at=shop.clock() + timedelta(seconds=1))
    began, claimed = shop.clock(), list[dict[str, Any]]()
    before = rows(shop)
    shop.clock.forward(seconds=40)  # so long after the round has begun

    def look() -> None:
        claimed.extend(rows(shop))
        shop.clock.forward(seconds=2)

    sink.meanwhile = look
    assert mail.send_due(shop.services, began) == 1

    at = began + timedelta(seconds=40)
    during = {**before[0], "due_at": at + timedelta(minutes=5), "attempts": 3}
    assert claimed == [during, before[1]]
    assert rows(shop) == [{**during, "sent_at": at + timedelta(seconds=2)}, before[1]]
    assert (before[1]["id"], told(shop)) == (waiting, [])


def test_mails_are_sent_in_the_order_in_which_they_are_due(shop: Shop) -> None:
    sink, order = sink_of(shop), shop.order()
    past = {name: shop.clock() - timedelta(minutes=minutes) for name, minutes in (("a", 1), ("b", 3), ("c", 1))}
    for name, due_at in past.items():
        plant(shop, order, key=name, due_at=due_at)
    plant(shop, order, key="d", due_at=past["b"], sent_at=past["b"])
    plant(shop, order, key="e", due_at=past["b"], failed_at=past["b"])
    plant(shop, order, key="f", due_at=past["b"], dropped_because="paid")

    assert mail.send_due(shop.services, shop.clock()) == 3
    assert [email.message_id[1] for email in sink.emails] == ["b", "a", "c"]


def test_a_mail_that_is_refused_for_good_ends_and_is_in_the_history(shop: Shop) -> None:
    sink, order = sink_of(shop), shop.order()
    shop.order()
    plant(shop, order)
    (before,) = rows(shop)
    sink.meanwhile = raising(MailRefused())

    with capture_logs() as log:
        assert mail.send_due(shop.services, shop.clock()) == 0

    now = shop.clock()
    assert rows(shop) == [{**before, "attempts": 1, "due_at": now + timedelta(minutes=5), "failed_at": now}]
    assert told(shop) == [(order.id, now, "mail.refused", "worker", None, {"kind": "refund_failed"})]
    assert [(line["log_level"], line["mail"]) for line in log] == [("warning", before["id"])]


@pytest.mark.parametrize("failure", [MailUnavailable(), LookupError("ada@example.com")], ids=["no answer", "other"])
def test_a_mail_that_is_not_taken_waits(shop: Shop, failure: Exception) -> None:
    sink, order = sink_of(shop), shop.order()
    plant(shop, order, attempts=1)
    waits = plant(shop, order, key="other", due_at=shop.clock() + timedelta(hours=1), attempts=2)
    before = rows(shop)
    sink.meanwhile = raising(failure)

    with capture_logs() as log:
        assert mail.send_due(shop.services, shop.clock()) == 0

    due = shop.clock() + timedelta(minutes=2)
    assert rows(shop) == [{**before[0], "attempts": 2, "due_at": due}, before[1]]
    assert (before[1]["id"], told(shop)) == (waits, [])
    said = [(line["log_level"], line["mail"], line["failure"]) for line in log]
    assert said == ([("warning", before[0]["id"], "LookupError")] if isinstance(failure, LookupError) else [])


def test_a_mail_that_is_not_true_any_more_is_dropped_with_why(shop: Shop) -> None:
    sink, order = sink_of(shop), shop.order()
    plant(shop, order, Kind.ORDER_PAID)
    (before,) = rows(shop)

    with capture_logs() as log:
        assert mail.send_due(shop.services, shop.clock()) == 0

    now = shop.clock()
    claimed = {"attempts": 1, "due_at": now + timedelta(minutes=5)}
    data = {"kind": "order_paid", "because": "order_not_paid"}
    assert rows(shop) == [{**before, **claimed, "dropped_because": "order_not_paid"}]
    assert told(shop) == [(order.id, now, "mail.dropped", "worker", None, data)]
    assert log == [{"event": "mail dropped", "log_level": "info", "mail": before["id"], **data}]
    assert sink.emails == []


Meanwhile = dict[str, Any]


@pytest.mark.parametrize(
    "meanwhile", [{"attempts": 9}, {"sent_at": True}, {"dropped_because": "told_otherwise"}], ids=str
)
@pytest.mark.parametrize("failure", [MailRefused(), MailUnavailable()], ids=lambda each: type(each).__name__)
def test_what_somebody_else_has_done_with_a_mail_meanwhile_stays(
    shop: Shop, meanwhile: Meanwhile, failure: Exception
) -> None:
    sink, order = sink_of(shop), shop.order()
    plant(shop, order)
    values = {name: shop.clock() if value is True else value for name, value in meanwhile.items()}

    def act() -> None:
        change(shop, Mail, **values)
        raise failure

    sink.meanwhile = act
    before = rows(shop)[0]
    mail.send_due(shop.services, shop.clock())

    claimed = {"attempts": 1, "due_at": shop.clock() + timedelta(minutes=5)}
    assert rows(shop) == [{**before, **claimed, **values}]
    assert told(shop) == []


def test_a_mail_says_all_that_its_text_needs(shop: Shop) -> None:
    sink_of(shop, store_name="The Corner Shop", merchant_email="owner@till.test")
    order, other = shop.order(2), shop.order()
    shop.pay(order)
    shop.deliver()
    with shop.services.database.transaction() as session:
        for number, tracking in ((1, "T-1"), (2, "T-2")):
            session.add(Shipment(order_id=order.id, number=number, shipped_at=shop.clock(), tracking=tracking))
    data = {"amount": 150, "shipment": 2}
    sent, plain = plant(shop, order, Kind.ORDER_PARTLY_SHIPPED, data=data), plant(shop, other)
    to_merchant = plant(shop, order, Kind.DISPUTE_OPENED)

    def preview(mail_id: int, reference: str) -> Email:
        with shop.services.database.reading() as session:
            return mail.preview(session, shop.services, mail_id, reference)

    email, without = preview(sent, order.reference), preview(plain, other.reference)

    assert (email.kind, email.to, email.message_id) == (
        "order_partly_shipped", "ada@example.com", f"<order_partly_shipped-{order.id}>",
    )  # fmt: skip
    facts = dict(email.facts)
    named, shipment = facts.pop("order"), facts.pop("shipment")
    assert isinstance(named, Order)
    assert isinstance(shipment, Shipment)
    assert (named.id, [line.quantity for line in named.lines], list(named.adjustments)) == (order.id, [2], [])
    assert (shipment.tracking, list(shipment.lines)) == ("T-2", [])
    assert facts == {
        "store": "The Corner Shop",
        "link": links.order_link(shop.services, order.reference),
        "has_invoice": True,
        "staff_link": f"{shop.services.settings.store_url}/admin/orders/{order.reference}",
        "received": "$8.00",
        "amount": "$1.50",
        "data": data,
    }
    assert {name: without.facts[name] for name in ("shipment", "has_invoice", "received", "amount")} == {
        "shipment": None, "has_invoice": False, "received": "$0.00", "amount": None,
    }  # fmt: skip
    assert preview(to_merchant, order.reference).to == "owner@till.test"
    for mail_id, reference in ((sent, other.reference), (99, order.reference)):
        with pytest.raises(NotFound):
            preview(mail_id, reference)


def test_a_shop_that_does_not_say_who_sells_names_no_invoice(shop: Shop) -> None:
    sink_of(shop, seller_address="")
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    sent = plant(shop, order)

    with shop.services.database.reading() as session:
        assert mail.preview(session, shop.services, sent, order.reference).facts["has_invoice"] is False


# --- whether a mail is still true ---------------------------------------------------------------------------------


def doubt(
    shop: Shop, order: Order, kind: Kind, key: str = "", later: timedelta = timedelta(), **data: Any
) -> Untrue | None:
    """What contradicts a mail of the order, some time from now."""
    written = Mail(order_id=order.id, kind=kind, dedupe_key=key or kind.value, data=data)
    with shop.services.database.reading() as session:
        read = session.get_one(Order, order.id)
        return truth.contradiction(session, written, read, shop.clock() + later)


def two_orders(shop: Shop) -> tuple[Order, Order]:
    shop.clock.stop()
    return shop.order(), shop.order()


def pay(shop: Shop, order: Order, state: PaymentState) -> None:
    change(shop, Payment, Payment.order_id == order.id, state=state, received_minor=order.total_minor)


def test_an_order_is_said_to_be_paid_or_expired_while_it_is(shop: Shop) -> None:
    order, _other = two_orders(shop)
    said = {}
    for state in OrderState:
        change(shop, Order, Order.id == order.id, state=state)
        said[state] = doubt(shop, order, Kind.ORDER_PAID), doubt(shop, order, Kind.ORDER_EXPIRED)

    neither = (Untrue.ORDER_NOT_PAID, Untrue.ORDER_NOT_EXPIRED)
    paid = (None, Untrue.ORDER_NOT_EXPIRED)
    assert said == {
        **dict.fromkeys(OrderState, neither),
        OrderState.PAID: paid,
        OrderState.FULFILLED: paid,
        OrderState.EXPIRED: (Untrue.ORDER_NOT_PAID, None),
    }


def test_an_order_is_said_to_be_authorised_while_it_is(shop: Shop) -> None:
    order, other = two_orders(shop)
    change(shop, Order, Order.id == order.id, authorised_at=shop.clock())

    assert doubt(shop, order, Kind.ORDER_AUTHORISED) is None
    assert doubt(shop, other, Kind.ORDER_AUTHORISED) is Untrue.ORDER_NOT_AUTHORISED


def test_nothing_was_charged_unless_a_payment_of_the_order_was_paid(shop: Shop) -> None:
    order, other = two_orders(shop)
    change(shop, Order, state=OrderState.EXPIRED)
    kinds, charged = (Kind.ORDER_EXPIRED, Kind.AUTHORISATION_RELEASED), []
    for state in PaymentState:
        pay(shop, order, state)
        said = {doubt(shop, order, kind) for kind in kinds}
        assert {doubt(shop, other, kind) for kind in kinds} == {None}
        charged += [state] if said == {Untrue.MONEY_RECEIVED} else []
        assert len(said) == 1

    assert charged == [PaymentState.PAID, PaymentState.REFUNDED]


def test_another_card_is_asked_for_while_the_order_waits_for_one(shop: Shop) -> None:
    order, other = two_orders(shop)
    pay(shop, order, PaymentState.DECLINED)
    left, over = order.expires_at - shop.clock(), Untrue.NOT_WAITING_FOR_A_CARD

    waiting = [doubt(shop, order, Kind.PAYMENT_FAILED, later=left - timedelta(seconds=each)) for each in (1, 0)]
    change(shop, Order, Order.id == order.id, state=OrderState.PAID)

    assert waiting == [None, over]
    assert doubt(shop, order, Kind.PAYMENT_FAILED) is over
    assert doubt(shop, other, Kind.PAYMENT_FAILED) is over  # no card was declined


def test_money_is_said_to_be_returned_unless_that_failed(shop: Shop) -> None:
    order, other = two_orders(shop)
    with shop.services.database.transaction() as session:
        for each, name in ((order, "re_1"), (other, "re_2")):
            payment_id = session.scalars(select(Payment.id).where(Payment.order_id == each.id)).one()
            row = {"payment_id": payment_id, "state": RefundState.SUCCEEDED, "provider_refund_id": name}
            session.execute(insert(Refund).values(**row, amount_minor=100, requested_at=shop.clock(), attempt=1))

    def said(refund: RefundState, payment: PaymentState) -> Untrue | None:
        change(shop, Refund, Refund.provider_refund_id == "re_1", state=refund)
        pay(shop, order, payment)
        kinds = (Kind.LATE_PAYMENT_RETURNED, Kind.SECOND_PAYMENT_RETURNED, Kind.REFUNDED)
        (found,) = {doubt(shop, order, kind, "refund:re_1") for kind in kinds}
        assert [doubt(shop, order, Kind.REFUNDED, f"refund:{name}") for name in ("re_2", "re_3")] == [None, None]
        return found

    assert said(RefundState.SUCCEEDED, PaymentState.PAID) is None
    assert said(RefundState.PENDING, PaymentState.PAID) is None
    assert said(RefundState.FAILED, PaymentState.PAID) is Untrue.REFUND_FAILED
    assert said(RefundState.CANCELLED, PaymentState.REFUNDED) is Untrue.REFUND_FAILED
    assert said(RefundState.FAILED, PaymentState.AUTHORISED) is Untrue.ONLY_RELEASED
    assert said(RefundState.SUCCEEDED, PaymentState.CANCELLED) is Untrue.ONLY_RELEASED


def test_a_review_is_asked_for_until_it_is_resolved(shop: Shop) -> None:
    order, _other = two_orders(shop)
    with shop.services.database.transaction() as session:
        for number in (1, 2):
            session.add(Review(id=number, order_id=order.id, reason=f"{number}", data={}, opened_at=shop.clock()))
    change(shop, Review, Review.id == 2, resolved_at=shop.clock())

    assert doubt(shop, order, Kind.REVIEW_OPENED, review=1) is None
    assert doubt(shop, order, Kind.REVIEW_OPENED, review=2) is Untrue.REVIEW_RESOLVED


def test_a_dispute_is_said_to_be_open_or_decided_while_it_is(shop: Shop) -> None:
    order, _other = two_orders(shop)
    with shop.services.database.transaction() as session:
        payment_id = session.scalars(select(Payment.id).where(Payment.order_id == order.id)).one()
        row = {"payment_id": payment_id, "amount_minor": 1, "opened_at": shop.clock()}
        session.add(Dispute(provider_dispute_id="du_1", state=DisputeState.INQUIRY, **row))
    said, decided = {}, {DisputeState.CLOSED, DisputeState.WON, DisputeState.LOST}
    for state in DisputeState:
        change(shop, Dispute, state=state)
        opened = doubt(shop, order, Kind.DISPUTE_OPENED, "dispute:du_1")
        said[state] = opened, doubt(shop, order, Kind.DISPUTE_DECIDED, dispute="du_1", state="lost")

    for state, (opened, as_lost) in said.items():
        assert opened == (Untrue.DISPUTE_DECIDED if state in decided else None)
        assert as_lost == (None if state is DisputeState.LOST else Untrue.DISPUTE_REOPENED)
    assert doubt(shop, order, Kind.DISPUTE_OPENED, "dispute:du_2") is None


def test_nobody_is_written_about_an_unpaid_order_unless_a_card_was_tried(shop: Shop) -> None:
    *tried, untried, other = (shop.order() for _ in range(7))
    names = ("declined", "action_required", "processing", "authorised", "paid", "created")
    with shop.services.database.transaction() as session:
        for order, name in zip((*tried, untried), names, strict=True):
            event = f"payment.{name}"
            session.add(HistoryEntry(order_id=order.id, at=shop.clock(), type=event, source="webhook", data={}))
        for order in (*tried, untried, other):
            for kind in (Kind.ORDER_EXPIRED, Kind.PAYMENT_FAILED, Kind.ORDER_PAID):
                mail.write(session, order, kind, shop.clock())
    with shop.services.database.reading() as session:
        assert [truth.card_was_tried(session, each) for each in (*tried, untried, other)] == [True] * 5 + [False] * 2

    written = [(row["order_id"], row["kind"]) for row in rows(shop)]
    assert written == [
        *((order.id, kind) for order in tried for kind in ("order_expired", "payment_failed", "order_paid")),
        (untried.id, "order_paid"), (other.id, "order_paid"),
    ]  # fmt: skip
