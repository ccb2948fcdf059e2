"""Random histories of a shop that charges cards when it ships: authorised, captured, a part of it, released, forgotten.

Everything that may happen in any shop may happen in this one as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from models import Order
from store.domain.money import Money
from store.services import orders
from store.services.history import Source
from tests.proof.histories import Histories, newest, plans, plans_for_requests, which
from tests.support.crash_points import FaultPlan

parts = st.one_of(st.none(), st.none(), st.sampled_from([100, 400]))


class CaptureHistories(Histories):
    """One history."""

    capture = "on_shipping"
    longest = timedelta(days=8)

    @rule()
    def the_merchant_changes_when_cards_are_charged(self) -> None:
        """What was created before goes on as it began."""
        services = self.shop.services
        other = "on_payment" if services.settings.capture == "on_shipping" else "on_shipping"
        settings = services.settings.model_copy(update={"capture": other})
        self.shop.services = replace(services, settings=settings)
        self.shop.app.extensions["services"] = self.shop.services

    @precondition(lambda self: self._authorised())
    @rule(number=which, part=parts, leave=st.booleans(), plan=plans_for_requests)
    def the_merchant_ships_what_is_authorised(
        self, number: int, part: int | None, leave: bool, plan: FaultPlan
    ) -> None:
        """All of it, or one piece, which leaves the rest where it is not charged."""
        order, origin = newest(self._authorised(), number), self._origin(Source.STAFF)
        amount = Money(part, "usd") if part is not None else None
        pieces = {order.lines[0].product_id: 1} if leave else None
        self._do(
            plan,
            lambda: orders.fulfil(
                self.shop.services, order.reference, None, origin, pieces=pieces, capture=amount, leave_rest=leave
            ),
        )

    @precondition(lambda self: self._held())
    @rule(number=which, part=parts)
    def the_merchant_captures_in_stripes_dashboard(self, number: int, part: int | None) -> None:
        amount = {"amount_to_capture": str(part)} if part is not None else {}
        self.shop.stripe("POST", f"/v1/payment_intents/{newest(self._held(), number)}/capture", amount)

    @precondition(lambda self: self._held())
    @rule(number=which)
    def the_merchant_releases_in_stripes_dashboard(self, number: int) -> None:
        self.shop.stripe("POST", f"/v1/payment_intents/{newest(self._held(), number)}/cancel")

    @precondition(lambda self: self._held())
    @rule(days=st.sampled_from([2, 6, 7]), plan=plans)
    def days_pass_in_which_nothing_is_shipped(self, days: int, plan: FaultPlan) -> None:
        self.shop.clock.forward(days=days)
        self.the_worker_runs(plan)

    def _authorised(self) -> list[Order]:
        return [order for order in self.now.orders if order.is_authorised]

    def _held(self) -> list[str]:
        return [name for name, intent in self.now.intents.items() if intent["status"] == "requires_capture"]
