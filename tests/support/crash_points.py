"""A process that can crash: it ends at a boundary between two steps of its work, and another one continues.

The boundaries are those at which a kill leaves something different behind: before the first step, and after each commit
and each call to Stripe. Before the next one it leaves the same as after the last. The connection to Stripe can also
break, before or after Stripe carries out a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy.orm import Session

from app import stripe_gateway
from store.services.database import Database
from store.services.scripts import Script
from tests.support.shop import NoAnswer, Shop


class Crashed(BaseException):
    """The process was killed. Like a kill, and unlike a failure, nothing in the store catches it."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults of a piece of work: a crash at its nth boundary, or a connection that breaks before or after Stripe
    carries out its nth request. Counted from 1; 0 is never. Or Stripe answers the first POST with a server error,
    before or after carrying it out, and gives the same response to a retry.
    """

    crashes_at: int = 0
    breaks_before: int = 0
    breaks_after: int = 0
    stripe_fails: Literal["", "before", "after"] = ""


NO_FAULTS = FaultPlan()


class Process:
    """A shop's process. From now on it can crash, and start again as a new process would."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._plan = NO_FAULTS
        self._passed = self._asked = self._answered = 0
        self.crashes = 0
        shop.transport.before, shop.transport.after = self._asking, self._answering
        self._restart(_CrashingDatabase(shop.services.database, self._begin, self._pass))

    @contextmanager
    def under(self, plan: FaultPlan) -> Iterator[None]:
        """Run the block with these faults. A crash leaves it as Crashed; what runs next is a new process."""
        self._plan, self._passed, self._asked, self._answered = plan, 0, 0, 0
        faults = self._shop.sandbox.extensions["sandbox"].faults
        if plan.stripe_fails:
            faults.add("api", "error", 1, {"match": "POST /v1/", "when": plan.stripe_fails})
        try:
            yield
        finally:
            self._plan = NO_FAULTS
            if plan.stripe_fails:
                faults.clear()
            if plan is not NO_FAULTS:
                self._restart(self._shop.services.database)

    def _restart(self, database: Database) -> None:
        """Forget what only the old process remembered, such as the state of the circuit breaker."""
        gateway = stripe_gateway(self._shop.services.settings, self._shop.transport)
        self._shop.services = replace(self._shop.services, database=database, gateway=gateway)
        self._shop.app.extensions["services"] = self._shop.services

    def _begin(self) -> None:
        """A step begins: a boundary, if it is the first one."""
        if self._passed == 0:
            self._pass()

    def _pass(self) -> None:
        self._passed += 1
        if self._passed == self._plan.crashes_at:
            self.crashes += 1
            raise Crashed

    def _asking(self, _method: str, _path: str) -> None:
        self._begin()
        self._asked += 1
        if self._asked == self._plan.breaks_before:
            raise NoAnswer

    def _answering(self, _method: str, _path: str) -> None:
        self._pass()
        self._answered += 1
        if self._answered == self._plan.breaks_after:
            raise NoAnswer


class _CrashingDatabase(Database):
    """The same database, which tells before and after each commit."""

    def __init__(self, same: Database, before: Callable[[], None], after: Callable[[], None]) -> None:
        self.__dict__.update(same.__dict__)
        self._before, self._after = before, after

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            self._before()
        self._after()

    def run(self, script: Script, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        self._before()
        rows = super().run(script, values)
        self._after()
        return rows
