"""A process that can die: it ends at a boundary between two steps of its work, and another one goes on in its place.

The boundaries are those at which a kill leaves something different behind: before and after each commit, before and
after each call to Stripe. Beside that, the line to Stripe can break, before or after Stripe did what it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.orm import Session

from app import stripe_gateway
from store.services.database import Database
from tests.support.shop import NoAnswer, Shop


class Died(BaseException):
    """The process was killed. Like a kill, and unlike a failure, nothing in the store catches it."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What befalls a piece of work: death at its so-and-so-manieth boundary, or a line that breaks before or after
    Stripe does its so-and-so-manieth piece of work for it. Counted from 1; 0 is never. Or Stripe breaks down over the
    first thing it is asked to do, before or after doing it, and keeps that answer.
    """

    dies_at: int = 0
    breaks_before: int = 0
    breaks_after: int = 0
    stripe_breaks_down: Literal["", "before", "after"] = ""


UNHARMED = FaultPlan()


class Process:
    """The life of a shop's process. From now on it can end, and begin again as a new process would."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._fate = UNHARMED
        self._passed = self._asked = self._answered = 0
        self.deaths = 0
        shop.line.before, shop.line.after = self._asking, self._answering
        self._become(_MortalDatabase(shop.services.database, self._pass))

    @contextmanager
    def under(self, fate: FaultPlan) -> Iterator[None]:
        """Work under this fate. A death leaves the block as Died; whoever works next is a new process."""
        self._fate, self._passed, self._asked, self._answered = fate, 0, 0, 0
        faults = self._shop.sandbox.extensions["sandbox"].faults
        if fate.stripe_breaks_down:
            faults.add("api", "error", 1, {"match": "POST /v1/", "when": fate.stripe_breaks_down})
        try:
            yield
        finally:
            self._fate = UNHARMED
            if fate.stripe_breaks_down:
                faults.clear()
            if fate is not UNHARMED:
                self._become(self._shop.services.database)

    def _become(self, database: Database) -> None:
        """What only the old process remembered, such as that the line was dead, is forgotten."""
        gateway = stripe_gateway(self._shop.services.settings, self._shop.line)
        self._shop.services = replace(self._shop.services, database=database, gateway=gateway)
        self._shop.app.extensions["services"] = self._shop.services

    def _pass(self) -> None:
        self._passed += 1
        if self._passed == self._fate.dies_at:
            self.deaths += 1
            raise Died

    def _asking(self, _method: str, _path: str) -> None:
        self._pass()
        self._asked += 1
        if self._asked == self._fate.breaks_before:
            raise NoAnswer

    def _answering(self, _method: str, _path: str) -> None:
        self._pass()
        self._answered += 1
        if self._answered == self._fate.breaks_after:
            raise NoAnswer


class _MortalDatabase(Database):
    """The same database, with a boundary on either side of each commit."""

    def __init__(self, same: Database, boundary: Callable[[], None]) -> None:
        self.__dict__.update(same.__dict__)
        self._boundary = boundary

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            self._boundary()
        self._boundary()
