"""What is asked of a service that computes taxes, word by word, and what is kept of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import HistoryEntry, Order, OrderAdjustment, Payment, Product, Review, TaxTransaction
from store.domain.errors import (
    PaymentMisconfigured,
    PaymentServiceFailed,
    PaymentUnavailable,
    TaxAddressUnknown,
    TaxCalculationGone,
    TaxesUnavailable,
    TaxNotRecorded,
)
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, TaxClass
from store.domain.states import PaymentState
from store.domain.tax_questions import TaxAnswer, TaxedLine, TaxProblem, TaxQuestion
from store.services import taxes
from store.services.payments import accounts
from store.services.taxes.asking import MOST, AnswerCache
from tests.support.shop import ADDRESS, CUSTOMER, Shop

PLACE = replace(ADDRESS, full_name="", phone="")


@dataclass
class TaxDesk:
    """A service that computes taxes: it notes each call, and fails as is planned, one way after the other."""

    failures: list[Exception | None] = field(default_factory=list)
    answer: TaxAnswer = field(default_factory=TaxAnswer)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def taxes(self) -> TaxDesk:
        return self

    def calculate(self, question: TaxQuestion) -> TaxAnswer:
        self._note("calculate", question)
        return self.answer

    def record_sale(self, calculation: str, reference: str, key: str) -> str:
        self._note("sale", calculation, reference, key)
        return f"tax_{len(self.asked)}"

    def record_reversal(self, original: str, reference: str, amount: Money | None, key: str) -> str:
        self._note("reversal", original, reference, amount, key)
        return f"tax_{len(self.asked)}"

    def _note(self, *call: Any) -> None:
        self.asked.append(call)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure


def desk_of(shop: Shop, *failures: Exception | None, answer: TaxAnswer | None = None) -> TaxDesk:
    """What the shop asks about taxes is asked here. Its time stands still."""
    shop.clock.stop()
    desk: Any = TaxDesk(list(failures), answer or TaxAnswer())
    settings = shop.services.settings.model_copy(update={"taxes": "stripe"})
    shop.services = replace(shop.services, gateway=desk, settings=settings)
    made: TaxDesk = desk
    return made


def sold(shop: Shop) -> Order:
    """A paid order for $8.00 whose taxes were calculated, beside another that has nothing to do with it."""
    order, other = shop.order(2), shop.order(2)
    for each in (order, other):
        shop.pay(each)
    shop.deliver()
    with shop.services.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(tax_calculation="taxcalc_1"))
        row = {"key": "other", "amount_minor": 99, "provider_transaction_id": "tax_other", "attempt": 1}
        session.execute(insert(TaxTransaction).values(order_id=other.id, requested_at=shop.clock(), **row))
        session.execute(update(Payment).where(Payment.order_id == other.id).values(refunded_minor=5))
    return order


def returned(shop: Shop, order: Order, minor: int) -> None:
    """So much of the order is refunded by now."""
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.order_id == order.id).values(refunded_minor=minor))
        session.execute(update(Order).where(Order.id == order.id).values(tax_recorded_at=None))


def record(shop: Shop, order: Order) -> None:
    taxes.record(shop.services, order.reference, shop.clock())


def kept(shop: Shop, order: Order) -> list[tuple[Any, ...]]:
    """What was recorded of the order: key, attempt, amount, the service's name, what it reverses, whether refused."""
    with shop.services.database.reading() as session:
        of_order = select(TaxTransaction).where(TaxTransaction.order_id == order.id).order_by(TaxTransaction.id)
        rows = session.scalars(of_order).all()
        assert {row.requested_at for row in rows} == {shop.clock()}
        keys = {row.id: row.key for row in rows}
        return [
            (row.key, row.attempt, row.amount_minor, row.provider_transaction_id, keys.get(row.reverses_id or 0),
             row.refused)
            for row in rows
        ]  # fmt: skip


def told(shop: Shop, order: Order) -> list[tuple[Any, ...]]:
    with shop.services.database.reading() as session:
        of_order = select(HistoryEntry).where(HistoryEntry.order_id == order.id, HistoryEntry.type.startswith("tax."))
        entries = session.scalars(of_order.order_by(HistoryEntry.id)).all()
        assert {(each.at, each.source, each.actor) for each in entries} <= {(shop.clock(), "worker", None)}
        return [(each.type, each.data) for each in entries]


def test_a_sale_is_recorded_and_what_was_refunded_of_it_is_reversed(shop: Shop) -> None:
    order = sold(shop)
    desk, name = desk_of(shop), order.reference
    record(shop, order)
    record(shop, order)
    returned(shop, order, 300)
    record(shop, order)
    returned(shop, order, 800)
    record(shop, order)
    returned(shop, order, 300)  # the second refund has failed
    record(shop, order)

    assert desk.asked == [
        ("sale", "taxcalc_1", name, f"tax-{name}-1"),
        ("reversal", "tax_1", f"{name}-1", Money(300, "usd"), f"tax-{name}-1-1"),
        ("reversal", "tax_1", f"{name}-2", Money(500, "usd"), f"tax-{name}-2-1"),
        ("reversal", "tax_3", f"{name}-3", None, f"tax-{name}-3-1"),
    ]
    assert kept(shop, order) == [
        (name, 1, 800, "tax_1", None, False),
        (f"{name}-1", 1, -300, "tax_2", name, False),
        (f"{name}-2", 1, -500, "tax_3", name, False),
        (f"{name}-3", 1, 500, "tax_4", f"{name}-2", False),
    ]
    assert told(shop, order) == [
        ("tax.recorded", {"amount": 800}), ("tax.reversed", {"amount": 300}), ("tax.reversed", {"amount": 500}),
        ("tax.recorded", {"amount": 500}),
    ]  # fmt: skip
    assert shop.read(name).tax_recorded_at == shop.clock()


def test_the_newest_reversal_is_taken_back_first_and_the_rest_reversed_anew(shop: Shop) -> None:
    order = sold(shop)
    desk, name = desk_of(shop), order.reference
    for minor in (100, 300):
        returned(shop, order, minor)
        record(shop, order)
    returned(shop, order, 50)
    record(shop, order)

    assert [(key, amount, reverses) for key, _attempt, amount, _name, reverses, _refused in kept(shop, order)] == [
        (name, 800, None), (f"{name}-1", -100, name), (f"{name}-2", -200, name), (f"{name}-3", 200, f"{name}-2"),
        (f"{name}-4", 100, f"{name}-1"), (f"{name}-5", -50, name),
    ]  # fmt: skip
    assert [call[3] for call in desk.asked[1:]] == [
        Money(100, "usd"), Money(200, "usd"), None, None, Money(50, "usd"),
    ]  # fmt: skip


def test_a_whole_refund_takes_all_of_a_sale_back(shop: Shop) -> None:
    order = sold(shop)
    desk = desk_of(shop)
    returned(shop, order, 800)
    record(shop, order)

    assert [call[:1] + call[3:4] for call in desk.asked] == [("sale", desk.asked[0][3]), ("reversal", None)]


def test_what_the_service_broke_down_over_is_asked_under_another_key(shop: Shop) -> None:
    order = sold(shop)
    desk, name = desk_of(shop, PaymentUnavailable(), PaymentServiceFailed()), order.reference
    for failure in (PaymentUnavailable, PaymentServiceFailed):
        with pytest.raises(failure):
            record(shop, order)
    waiting, open_still = kept(shop, order), shop.read(name).tax_recorded_at
    record(shop, order)

    assert (waiting, open_still) == ([(name, 2, 800, None, None, False)], None)
    assert [call[3] for call in desk.asked] == [f"tax-{name}-1", f"tax-{name}-1", f"tax-{name}-2"]
    assert kept(shop, order) == [(name, 2, 800, "tax_3", None, False)]


def test_what_the_service_refuses_waits_for_a_person(shop: Shop) -> None:
    order = sold(shop)
    desk, name = desk_of(shop, TaxNotRecorded()), order.reference
    record(shop, order)
    returned(shop, order, 300)
    record(shop, order)

    with shop.services.database.reading() as session:
        (review,) = session.scalars(select(Review)).all()
    assert (review.order_id, review.reason, review.subject, review.data) == (
        order.id, "tax_not_recorded", name, {"amount": 800},
    )  # fmt: skip
    assert kept(shop, order) == [(name, 1, 800, None, None, True)]
    assert len(desk.asked) == 1
    assert (shop.read(name).tax_recorded_at, told(shop, order)) == (shop.clock(), [])


TAX = Adjustment(AdjustmentKind.TAX, "Sales tax", Money(52, "usd"))
WITHIN = Adjustment(AdjustmentKind.TAX, "VAT, included", Money(0, "usd"), contained=Money(7, "usd"))


def with_taxes(shop: Shop, order: Order) -> None:
    """The order was placed with a tax on top, one in the prices, and shipping."""
    rows: list[dict[str, Any]] = [
        {"position": 1, "kind": "shipping", "label": "Post", "amount_minor": 500, "contained_minor": None},
        {"position": 2, "kind": "tax", "label": "Sales tax", "amount_minor": 52, "contained_minor": None},
        {"position": 3, "kind": "tax", "label": "VAT", "amount_minor": 0, "contained_minor": 7},
    ]
    with shop.services.database.transaction() as session:
        session.execute(insert(OrderAdjustment), [{**row, "order_id": order.id, "currency": "usd"} for row in rows])
        values = {"tax_class": TaxClass.REDUCED, "shippable": False}
        session.execute(update(Product).where(Product.slug == "cedar-pencil").values(values))


def test_a_calculation_that_has_expired_is_made_again_and_recorded(shop: Shop) -> None:
    order = sold(shop)
    with_taxes(shop, order)
    desk = desk_of(shop, TaxCalculationGone(), answer=TaxAnswer((TAX, WITHIN), "taxcalc_2"))
    name, pencil = order.reference, shop.product()
    record(shop, order)

    line = TaxedLine(str(pencil.id), Money(800, "usd"), 2, TaxClass.REDUCED, shippable=False)
    question = TaxQuestion((line,), Money(500, "usd"), PLACE, is_shipped=False, tax_id=None)
    assert desk.asked == [
        ("sale", "taxcalc_1", name, f"tax-{name}-1"),
        ("calculate", question),
        ("sale", "taxcalc_2", name, f"tax-{name}-1-taxcalc_2"),
    ]
    assert kept(shop, order) == [(name, 1, 800, "tax_3", None, False)]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (TaxAnswer((TAX, WITHIN)), None),
        (TaxAnswer((TAX,), "taxcalc_2"), None),
        (TaxAnswer((WITHIN,), "taxcalc_2"), None),
        (TaxAnswer(), TaxAddressUnknown()),
    ],
    ids=["no calculation", "less in the prices", "less on top", "address unknown"],
)
def test_a_calculation_that_comes_to_something_else_is_not_recorded(
    shop: Shop, answer: TaxAnswer, failure: Exception | None
) -> None:
    order = sold(shop)
    with_taxes(shop, order)
    desk = desk_of(shop, TaxCalculationGone(), failure, answer=answer)
    record(shop, order)

    assert [call[0] for call in desk.asked] == ["sale", "calculate"]
    assert kept(shop, order) == [(order.reference, 1, 800, None, None, True)]


def test_an_order_is_due_once_it_is_paid_until_its_taxes_are_recorded(shop: Shop) -> None:
    names = ("due", "not calculated", "not paid", "recorded", "of another account", "paid there, begun here")
    orders = {name: shop.order() for name in names}
    now, ours, theirs = shop.clock(), "test:acct_ours", "test:acct_others"
    values: dict[str, dict[str, Any]] = {
        "not calculated": {"tax_calculation": None},
        "not paid": {"paid_at": None},
        "recorded": {"tax_recorded_at": now},
    }
    with shop.services.database.transaction() as session:
        session.execute(update(Order).values(tax_calculation="taxcalc_1", paid_at=now))
        for name, changed in values.items():
            session.execute(update(Order).where(Order.id == orders[name].id).values(changed))
        for name, order in orders.items():
            account = theirs if name in names[4:] else ours
            session.execute(update(Payment).where(Payment.order_id == order.id).values(account=account))
        earlier = {"order_id": orders[names[5]].id, "live": False, "account": ours, "amount_minor": 400}
        session.execute(insert(Payment).values(state=PaymentState.DECLINED, **earlier))
        found = session.scalars(select(Order.id).where(taxes.due(accounts.foreign(ours)))).all()

    assert found == [orders["due"].id]


# --- asking -------------------------------------------------------------------------------------------------------


def question(number: int = 1) -> TaxQuestion:
    return TaxQuestion((), Money(number, "usd"), CUSTOMER.shipping, is_shipped=True, tax_id=None)


def test_an_answer_is_kept_for_five_minutes(shop: Shop) -> None:
    cache, now, answer = AnswerCache(), shop.clock(), TaxAnswer(calculation="taxcalc_1")
    cache.keep(question(), answer, now)

    times = [timedelta(minutes=5, seconds=-1), timedelta(minutes=5), timedelta(minutes=-5, seconds=1)]
    assert [cache.find(question(), now + after) for after in times] == [answer, None, answer]
    assert cache.find(question(2), now) is None
    cache.forget()
    assert cache.find(question(), now) is None


def test_of_many_answers_the_last_ones_are_kept(shop: Shop) -> None:
    cache, now = AnswerCache(), shop.clock()
    for number in range(MOST):
        cache.keep(question(number), TaxAnswer(), now)
    full = cache.find(question(0), now)
    cache.keep(question(MOST), TaxAnswer(), now)

    assert full == TaxAnswer()
    assert [cache.find(question(number), now) for number in (0, MOST)] == [None, TaxAnswer()]


def two_questions(answers: Any) -> tuple[TaxAnswer, TaxAnswer]:
    return answers(question(1)), answers(question(2))


def test_work_is_done_again_until_all_its_questions_are_answered(shop: Shop) -> None:
    answer = TaxAnswer(calculation="taxcalc_1")
    desk = desk_of(shop, answer=answer)
    shop.services.tax_answers.forget()

    found = [taxes.answered(shop.services, two_questions) for _ in range(2)]
    asked = len(desk.asked)
    shown = [taxes.shown(shop.services, shop.clock(), two_questions) for _ in range(2)]

    assert found == shown == [(answer, answer)] * 2
    assert (asked, len(desk.asked)) == (4, 6)  # what is shown is asked once


def test_a_store_with_rates_of_its_own_asks_nobody(shop: Shop) -> None:
    desk = desk_of(shop)
    shop.services = replace(shop.services, settings=shop.services.settings.model_copy(update={"taxes": "own"}))

    assert taxes.answered(shop.services, lambda answers: answers) is None
    assert taxes.shown(shop.services, shop.clock(), lambda answers: answers) is None
    assert desk.asked == []


@pytest.mark.parametrize("failure", [PaymentUnavailable(), PaymentMisconfigured()], ids=str)
def test_without_an_answer_a_price_shows_a_problem_and_nothing_is_placed(shop: Shop, failure: Exception) -> None:
    desk_of(shop, failure, failure, TaxAddressUnknown(), TaxAddressUnknown())
    shop.services.tax_answers.forget()

    def ask(answers: Any) -> TaxAnswer:
        found: TaxAnswer = answers(question())
        return found

    with pytest.raises(TaxesUnavailable):
        taxes.answered(shop.services, ask)
    shown = taxes.shown(shop.services, shop.clock(), ask)
    unknown = [taxes.answered(shop.services, ask), taxes.shown(shop.services, shop.clock(), ask)]

    assert shown == TaxAnswer(problem=TaxProblem.UNAVAILABLE)
    assert unknown == [TaxAnswer(problem=TaxProblem.ADDRESS_UNKNOWN)] * 2
    assert shop.services.tax_answers.find(question(), shop.clock()) == unknown[0]
