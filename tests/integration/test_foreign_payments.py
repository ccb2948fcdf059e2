"""Payments of another account or mode, on a store whose keys were changed: nothing waits for them for ever."""

from collections.abc import Callable

import pytest
from sqlalchemy import insert, select, update

from config import STRIPE_API_VERSION
from models import Order, Payment
from store.cli import doctor
from store.domain.errors import PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState, RefundState, ReservationState
from store.services import checkout
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.orders import reviews
from store.services.payments import accounts, refunds
from store.webhooks.handlers import HANDLERS
from tests.support.concurrency import at_once
from tests.support.shop import WEBHOOK_PATH, NoAnswer, Shop

OTHER_KEYS = {"stripe_secret_key": "sk_test_other", "stripe_publishable_key": "pk_test_other"}


@pytest.fixture
def moved(shop_with: Callable[..., Shop]) -> Callable[[Shop], Shop]:
    """The same database with the keys of another account."""

    def move(shop: Shop) -> Shop:
        other = shop_with(**OTHER_KEYS)
        other.clock.offset = shop.clock.offset
        return other

    return move


def opened(shop: Shop, account: str | None = None) -> Order:
    """An order whose payment was opened; `account` is recorded with it instead of the store's own."""
    order = shop.order(2)
    shop.open(order)
    if account is not None:
        with shop.services.database.transaction() as session:
            session.execute(update(Payment).where(Payment.order_id == order.id).values(account=account))
    return order


def waiting(shop: Shop) -> list[tuple[str, str]]:
    with shop.services.database.reading() as session:
        return [(each.reference, each.review.reason) for each in reviews.waiting(session)]


def test_a_payment_remembers_its_account_and_mode(shop: Shop) -> None:
    order = opened(shop)

    account = shop.services.gateway.account_id()

    assert account.startswith("acct_1")
    assert shop.read(order.reference).payment.account == f"test:{account}"


def test_an_order_of_another_account_expires_without_asking_stripe(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    order = opened(shop)
    shop.clock.forward(minutes=31)
    other = moved(shop)

    done = [worker.run(other.services, other.clock())]
    other.clock.forward(minutes=2)
    done.append(worker.run(other.services, other.clock()))

    after = other.read(order.reference)
    assert (after.state, after.reservation) == (OrderState.EXPIRED, ReservationState.RELEASED)
    assert other.product().reserved == 0
    assert done[1] == 0
    assert other.transport.requests == []
    assert [entry.data for entry in after.history if entry.type == "payment.unreachable"] == [
        {"payment": after.payment.provider_payment_id, "account": after.payment.account}
    ]
    assert waiting(other) == []  # of a test payment no money comes


@pytest.mark.parametrize("account", ["live:acct_1ofBefore", ""], ids=["of live mode", "of before it was recorded"])
def test_a_person_is_told_where_money_could_still_come(shop: Shop, account: str, moved: Callable[[Shop], Shop]) -> None:
    order = opened(shop, account)
    shop.clock.forward(minutes=31)
    other = moved(shop)

    worker.run(other.services, other.clock())
    asked = len(other.transport.requests)
    other.clock.forward(minutes=2)
    worker.run(other.services, other.clock())

    assert other.read(order.reference).state is OrderState.EXPIRED
    assert other.product().reserved == 0
    assert waiting(other) == [(order.reference, "payment_of_another_account")]
    assert len(other.transport.requests) == asked


@pytest.mark.on_both_databases
def test_several_workers_at_once_close_such_an_order_once(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    orders = [opened(shop, account) for account in ("live:acct_1ofBefore", "", "", "")]
    shop.clock.forward(minutes=31)
    other = moved(shop)

    at_once(4, lambda _: worker.run(other.services, other.clock()))

    for order in orders:
        history = other.history(order.reference)
        assert (history.count("order.expired"), history.count("payment.unreachable")) == (1, 1)
    assert other.product().reserved == 0
    assert len(waiting(other)) == 4


def test_a_shopper_can_cancel_an_order_of_another_account(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    order = opened(shop)
    other = moved(shop)

    checkout.cancel(other.services, order.reference, other.clock())

    assert other.read(order.reference).state is OrderState.CANCELLED
    assert other.product().reserved == 0


@pytest.mark.on_both_databases
def test_an_order_with_a_test_payment_of_another_account_can_be_paid(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    """As after the merchant has changed from one account to another."""
    order = opened(shop)
    left = shop.read(order.reference).payment
    other = moved(shop)

    at_once(4, lambda _: other.open(order))
    other.pay(order)
    other.look_up(order.reference)
    other.clock.forward(seconds=6)
    other.look_up(order.reference)

    paid = other.read(order.reference)
    assert (paid.state, paid.payment.state) == (OrderState.PAID, PaymentState.PAID)
    assert paid.payment.provider_payment_id != left.provider_payment_id
    assert other.history(order.reference).count("payment.unreachable") == 1
    assert worker.run(other.services, other.clock()) == 1  # the mail
    with other.services.database.reading() as session:
        assert audit.run(session, other.clock()) == []


def test_a_payment_that_was_let_go_is_cancelled_when_the_keys_are_back(
    shop: Shop, moved: Callable[[Shop], Shop]
) -> None:
    order = opened(shop)
    left = shop.read(order.reference).payment.provider_payment_id
    moved(shop).open(order)

    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())

    assert shop.stripe("GET", f"/v1/payment_intents/{left}")["status"] == "canceled"
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT


def unanswered_refund(shop: Shop) -> Order:
    order = shop.order(5)
    shop.pay(order)
    shop.deliver()

    def away(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = away
    with pytest.raises(PaymentUnavailable):
        refunds.submit(shop.services, order.reference, Money(500, "usd"), "key", Origin(Source.STAFF, shop.clock()))
    shop.transport.renew()
    return order


@pytest.mark.parametrize("account", [None, ""], ids=["recorded", "of before it was recorded"])
def test_a_refund_of_another_account_is_left_to_a_person(
    shop: Shop, account: str | None, moved: Callable[[Shop], Shop]
) -> None:
    order = unanswered_refund(shop)
    if account is not None:
        with shop.services.database.transaction() as session:
            session.execute(update(Payment).values(account=account))
    other = moved(shop)
    other.clock.forward(minutes=20)

    worker.run(other.services, other.clock())
    asked = len(other.transport.requests)
    done = []
    for _ in range(3):
        other.clock.forward(minutes=2)
        done.append(worker.run(other.services, other.clock()))
    by_hand = other.app.test_cli_runner().invoke(args=["refund", order.reference, "--another"])

    assert (asked, len(other.transport.requests)) == (0 if account is None else asked, asked)
    assert done == [0, 0, 0]
    assert waiting(other) == [(order.reference, "payment_of_another_account")]
    assert by_hand.stderr == (
        "Error: This payment belongs to another Stripe account or mode than STRIPE_SECRET_KEY: refund it in that "
        "account's dashboard.\n"
    )
    with other.services.database.reading() as session:
        named = {finding.subject for finding in audit.run(session, other.clock())}
    assert named == {f"order {order.reference}"}


@pytest.mark.on_both_databases
def test_when_the_keys_are_back_the_refund_is_made(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    order = unanswered_refund(shop)
    other = moved(shop)
    worker.run(other.services, other.clock())

    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())

    assert [refund.state for refund in shop.refunds(order.reference)] == [RefundState.SUCCEEDED]


@pytest.mark.on_both_databases
def test_the_doctor_says_how_many_payments_are_of_another_account(shop: Shop, moved: Callable[[Shop], Shop]) -> None:
    opened(shop)
    opened(shop, "live:acct_1ofBefore")
    opened(shop, "")

    mine, theirs = payments_found(shop), payments_found(moved(shop))

    assert [found.partition(" belong")[0] for found in (*mine, *theirs)] == [
        "payments: 1 payment",
        "payments: 2 payments",
    ]


@pytest.mark.parametrize("command", [["reconcile"], ["audit", "--stripe"]], ids=["reconcile", "audit"])
def test_a_comparison_with_stripe_leaves_foreign_payments_out(
    shop: Shop, moved: Callable[[Shop], Shop], command: list[str]
) -> None:
    refunded = unanswered_refund(shop)
    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())
    opened(shop)
    other = moved(shop)

    compared = other.app.test_cli_runner().invoke(args=command)

    assert shop.refunds(refunded.reference)[0].provider_refund_id is not None
    assert "2 payments belong to another account or mode" in compared.output
    assert compared.stderr == ""
    assert compared.exit_code == 0


def payments_found(shop: Shop) -> list[str]:
    setup = doctor.WebhookSetup(WEBHOOK_PATH, frozenset(HANDLERS), STRIPE_API_VERSION)
    found = doctor.run(shop.services, setup, shop.clock(), lambda _url, _event: 200, lambda _seconds: None)
    return [str(problem) for problem in found if problem.subject == "payments"]


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("ours", "foreign"),
    [("test:acct_1", 5), ("test:acct_2", 6), ("live:acct_1", 5), ("live:acct_2", 7), ("test:", 4), ("live:", 5)],
)
def test_payments_of_other_accounts_are_counted_by_account_and_mode(shop: Shop, ours: str, foreign: int) -> None:
    recorded = ["test:acct_1"] * 2 + ["test:acct_2", "live:acct_1", "live:acct_1", "test:", "live:", "", "unknown"]
    order = shop.order()
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(account=""))
        rows = [{"order_id": order.id, "live": False, "amount_minor": 1, "account": account} for account in recorded]
        session.execute(insert(Payment), rows)

    with shop.services.database.reading() as session:
        counted = accounts.count_foreign(session, ours)
        one_by_one = [payment for payment in session.scalars(select(Payment)) if accounts.is_foreign(payment, ours)]
        in_sql = session.scalars(select(Payment.id).where(accounts.foreign(ours))).all()

    assert (counted, len(one_by_one), len(in_sql)) == (foreign, foreign, foreign)
