"""The store's commands, as a merchant at a terminal meets them: a sentence for what went wrong, and no money twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.exc import OperationalError

from models import Base, Order, Refund
from store.domain.errors import PaymentMisconfigured, RefundRefusal, RefundRefused, StoreBusy
from store.domain.money import Money
from store.domain.states import RefundState
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import refunds
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop

COMMANDS = ("seed", "worker", "reconcile", "audit", "refund AAAA")
REQUESTED = "The refund is requested, and the worker submits it until it is made: do not request it again."

BUSY = "The database did not do what it was asked, or not in time."


def run(shop: Shop, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=list(arguments), catch_exceptions=False)


def paid(shop: Shop) -> Order:
    order = shop.order(5)  # $20.00
    shop.pay(order)
    shop.deliver()
    return order


def rows(shop: Shop) -> list[Refund]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Refund).order_by(Refund.id)))


def returned(shop: Shop) -> int:
    return sum(refund["amount"] for refund in shop.stripe("GET", "/v1/refunds")["data"])


def refuse_the_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PaymentMisconfigured

    monkeypatch.setattr(type(shop.services.gateway), "refund_payment", refuse)


def do_not_answer(shop: Shop, _monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = away


def recover(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shop.transport.before = lambda _method, _path: None
    shop.clock.forward(minutes=2)
    worker.run(shop.services, shop.clock())


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (refuse_the_key, "Stripe refuses what the store asks: `flask doctor` says whether the keys are right."),
        (do_not_answer, "Stripe does not answer right now."),
    ],
)
def test_a_refund_requested_twice_is_made_once_although_stripe_failed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Shop, pytest.MonkeyPatch], None], why: str
) -> None:
    reference = paid(shop).reference
    trouble(shop, monkeypatch)

    first = run(shop, "refund", reference, "--amount", "500")
    second = run(shop, "refund", reference, "--amount", "500")
    recover(shop, monkeypatch)

    assert (first.exit_code, first.stdout.splitlines()) == (0, [why, REQUESTED])
    assert second.exit_code == 1
    assert second.stderr.startswith("Error: A refund of $5.00 of this order, requested at 20")
    assert "`flask refund --another` requests one besides." in second.stderr
    assert returned(shop) == 500


def test_a_refund_whose_response_was_not_saved_is_not_requested_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = paid(shop).reference

    def busy(*_: object) -> None:
        raise StoreBusy

    with monkeypatch.context() as broken:
        broken.setattr(refunds.requests, "record", busy)
        first = run(shop, "refund", reference, "--amount", "500")
    second = run(shop, "refund", reference, "--amount", "500")
    recover(shop, monkeypatch)

    assert (first.exit_code, first.stdout.splitlines()) == (0, [BUSY, REQUESTED])
    assert second.exit_code == 1
    assert returned(shop) == 500
    assert [row.state for row in rows(shop)] == [RefundState.SUCCEEDED]


def test_an_option_requests_another_refund(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = paid(shop).reference
    do_not_answer(shop, monkeypatch)

    run(shop, "refund", reference, "--amount", "500")
    second = run(shop, "refund", reference, "--amount", "300", "--another")
    recover(shop, monkeypatch)

    assert second.exit_code == 0
    assert returned(shop) == 800


def test_after_a_refund_was_made_the_next_needs_no_option(shop: Shop) -> None:
    reference = paid(shop).reference

    outcomes = [run(shop, "refund", reference, "--amount", "500").stdout for _ in range(2)]

    assert outcomes == ["The refund is succeeded.\n"] * 2
    assert returned(shop) == 1000


def test_an_open_refund_of_one_order_does_not_affect_another(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = paid(shop), paid(shop)
    do_not_answer(shop, monkeypatch)
    run(shop, "refund", one.reference, "--amount", "500")
    shop.transport.before = lambda _method, _path: None

    assert run(shop, "refund", other.reference, "--amount", "300").exit_code == 0
    assert returned(shop) == 300


@pytest.mark.on_both_databases
def test_two_refunds_requested_at_once_are_both_made(shop: Shop) -> None:
    reference, origin = paid(shop).reference, Origin(Source.STAFF, shop.clock())

    def ask(number: int) -> RefundState:
        amount = Money(500 - 200 * number, "usd")
        key = refunds.request(shop.services, reference, amount, origin, another=True)
        return refunds.submit(shop.services, reference, amount, key, origin)

    assert at_once(2, ask) == [RefundState.SUCCEEDED] * 2
    assert sorted(row.amount_minor for row in rows(shop)) == [300, 500]
    assert returned(shop) == 800


def test_a_known_key_stands_for_one_amount_of_one_order(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)
    origin = Origin(Source.STAFF, shop.clock())
    refunds.submit(shop.services, order.reference, Money(500, "usd"), "key", origin)

    with pytest.raises(RefundRefused) as other_amount:
        refunds.submit(shop.services, order.reference, Money(300, "usd"), "key", origin)
    with pytest.raises(RefundRefused) as other_order:
        refunds.submit(shop.services, other.reference, Money(500, "usd"), "key", origin)

    assert other_amount.value.reason is RefundRefusal.KEY_OF_ANOTHER_AMOUNT
    assert other_order.value.reason is RefundRefusal.KEY_OF_ANOTHER_ORDER
    assert refunds.submit(shop.services, order.reference, Money(500, "usd"), "key", origin) is RefundState.SUCCEEDED
    assert refunds.submit(shop.services, order.reference, None, "key", origin) is RefundState.SUCCEEDED
    assert returned(shop) == 500


def test_money_goes_back_in_the_orders_currency(shop: Shop, shop_with: Callable[..., Shop]) -> None:
    """The store was set to another one since."""
    order = paid(shop)
    other = shop_with(store_currency="eur")
    other.app.extensions["services"] = replace(other.services, gateway=shop.services.gateway)

    answer = run(other, "refund", order.reference, "--amount", "500")

    assert (answer.stdout, returned(shop)) == ("The refund is succeeded.\n", 500)


def test_a_refund_of_a_disputed_payment_says_the_dispute_and_writes_nothing(shop: Shop) -> None:
    order = disputed(shop)

    outcome = run(shop, "refund", order.reference, "--amount", "500")

    after = shop.read(order.reference)
    assert outcome.exit_code == 1
    assert re.fullmatch(
        r"Error: The cardholder disputes \$20\.00 of this payment since 20\d\d-\d\d-\d\d \d\d:\d\d UTC: "
        r"the bank has that money, so Stripe refunds nothing of it\.\n",
        outcome.stderr,
    )
    assert (rows(shop), after.needs_review, len(after.history)) == ([], False, len(order.history))


def test_a_dispute_that_only_stripe_knows_yet_is_said_as_well(shop: Shop) -> None:
    order = disputed(shop, told=False)

    outcome = run(shop, "refund", order.reference)

    assert (outcome.exit_code, shop.read(order.reference).needs_review) == (1, True)
    assert outcome.stderr == (
        "Error: The cardholder disputes this payment: the bank has that money, so Stripe refunds nothing of it.\n"
    )


def test_what_a_bank_merely_asks_about_can_be_refunded(shop: Shop) -> None:
    order = disputed(shop, "4000000000001976")

    assert run(shop, "refund", order.reference).stdout == "The refund is succeeded.\n"


def disputed(shop: Shop, number: str = "4000000000000259", *, told: bool = True) -> Order:
    order = shop.order(5)
    shop.pay(order, number)
    shop.deliver()
    shop.clock.forward(seconds=5)
    if told:
        shop.deliver()
    else:
        shop.lose()
    return shop.read(order.reference)


@pytest.mark.parametrize(
    ("currency", "amount", "sentence"),
    [
        ("isk", "150", "An amount in this currency is a multiple of 100 minor units (ISK1)."),
        ("kwd", "105", "An amount in this currency is a multiple of 10 minor units (KWD0.010)."),
    ],
)
def test_a_refund_that_the_currency_has_no_coins_for_is_refused(
    shop_with: Callable[..., Shop], currency: str, amount: str, sentence: str
) -> None:
    shop = shop_with(store_currency=currency)
    order = paid(shop)

    refused = run(shop, "refund", order.reference, "--amount", amount)
    made = run(shop, "refund", order.reference, "--amount", "200")

    assert (refused.exit_code, refused.stderr.replace("\xa0", " ")) == (1, f"Error: {sentence}\n")
    assert made.stdout == "The refund is succeeded.\n"
    assert [refund.amount_minor for refund in rows(shop)] == [200]


@pytest.mark.parametrize("reference", ["NO-SUCH-ORDER", "\udcff", "Bücher", ""])
def test_an_order_that_is_not_there(shop: Shop, reference: str) -> None:
    outcome = run(shop, "refund", reference)

    assert (outcome.exit_code, outcome.stderr) == (1, "Error: There is no order with this reference.\n")


@pytest.mark.on_both_databases
@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_without_its_tables_is_to_be_migrated(shop: Shop, command: str) -> None:
    with shop.services.database.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))

    outcome = run(shop, *command.split())

    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: The database is at revision None, ")
    assert outcome.stderr.endswith(": run `flask db upgrade`.\n")


@pytest.mark.on_both_databases
@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreachable_database_is_named(shop: Shop, command: str) -> None:
    engine = shop.services.database.engine
    engine.dispose()

    def refuse(*_: object) -> None:
        raise engine.dialect.loaded_dbapi.OperationalError("no connection")

    event.listen(engine, "do_connect", refuse)
    outcome = run(shop, *command.split())
    event.remove(engine, "do_connect", refuse)

    assert (outcome.exit_code, outcome.stderr) == (1, "Error: The database does not answer.\n")


@pytest.mark.parametrize("command", [*COMMANDS, "doctor"])
def test_a_file_that_is_no_database_is_named(shop: Shop, command: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("This is not a database at all. " * 100)
    database = type(shop.services.database)(create_engine(f"sqlite:///{file}"))
    shop.app.extensions["services"] = replace(shop.services, database=database)

    outcome = run(shop, *command.split())

    assert outcome.exit_code == 1
    assert "DATABASE_URL names a file that is not a database, or a damaged one" in outcome.output + outcome.stderr
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)


@pytest.mark.on_both_databases
def test_a_busy_database_asks_to_try_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        with shop.services.database.transaction():
            raise OperationalError("SELECT 1", None, Exception("locked"))

    monkeypatch.setattr(worker, "run", locked)
    outcome = run(shop, "worker")

    assert outcome.exit_code == 1
    assert outcome.stderr == f"Error: {BUSY}\n"


def test_the_commands_say_that_stripe_does_not_answer(shop: Shop) -> None:
    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away

    for arguments in (["reconcile"], ["audit", "--stripe"]):
        outcome = run(shop, *arguments)
        assert (outcome.exit_code, outcome.stderr) == (1, "Error: Stripe does not answer right now.\n")
