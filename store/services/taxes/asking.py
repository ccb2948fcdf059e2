"""Asking what the taxes are: outside of any transaction, and before the price that needs the answer is made again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from store.domain.errors import PaymentMisconfigured, PaymentUnavailable, TaxAddressUnknown, TaxesUnavailable
from store.domain.tax_questions import TaxAnswer, Taxes, TaxesWanted, TaxProblem, TaxQuestion
from store.services.services import Services

T = TypeVar("T")
KEPT, MOST = timedelta(minutes=5), 500


class AnswerCache:
    """What was answered lately, for pages that show a price: a shopper sends the same form several times. It is of one
    process. An order asks anew, for each needs a calculation of its own.
    """

    def __init__(self) -> None:
        self._kept: dict[TaxQuestion, tuple[datetime, TaxAnswer]] = {}

    def find(self, question: TaxQuestion, now: datetime) -> TaxAnswer | None:
        kept = self._kept.get(question)
        return kept[1] if kept is not None and abs(now - kept[0]) < KEPT else None

    def keep(self, question: TaxQuestion, answer: TaxAnswer, now: datetime) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[question] = (now, answer)

    def forget(self) -> None:
        self._kept.clear()


def answered(services: Services, work: Callable[[Taxes | None], T]) -> T:
    """The result of `work` with somebody who answers what the taxes are; None stands for the store's own rates.

    `work` is done again whenever it asks for what is not known yet, so that nobody is asked inside a transaction of its
    own. An address that is not known is an answer, too. Raises TaxesUnavailable.
    """
    if services.settings.taxes == "own":
        return work(None)
    answers: dict[TaxQuestion, TaxAnswer] = {}
    while True:
        try:
            return work(_of(answers))
        except TaxesWanted as wanted:
            answers[wanted.question] = _ask(services, wanted.question)


def shown(services: Services, now: datetime, work: Callable[[Taxes | None], T]) -> T:
    """The same for a price that is only shown: an answer may be some minutes old, and that there is none is one."""
    if services.settings.taxes == "own":
        return work(None)
    answers: dict[TaxQuestion, TaxAnswer] = {}
    while True:
        try:
            return work(_of(answers))
        except TaxesWanted as wanted:
            answers[wanted.question] = _look_up(services, wanted.question, now)


def _of(answers: dict[TaxQuestion, TaxAnswer]) -> Taxes:
    def taxes(question: TaxQuestion) -> TaxAnswer:
        answer = answers.get(question)
        if answer is None:
            raise TaxesWanted(question)
        return answer

    return taxes


def _look_up(services: Services, question: TaxQuestion, now: datetime) -> TaxAnswer:
    answer = services.tax_answers.find(question, now)
    if answer is None:
        try:
            answer = _ask(services, question)
        except TaxesUnavailable:
            return TaxAnswer(problem=TaxProblem.UNAVAILABLE)
        services.tax_answers.keep(question, answer, now)
    return answer


def _ask(services: Services, question: TaxQuestion) -> TaxAnswer:
    try:
        return services.gateway.taxes.calculate(question)
    except TaxAddressUnknown:
        return TaxAnswer(problem=TaxProblem.ADDRESS_UNKNOWN)
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        raise TaxesUnavailable from failure
