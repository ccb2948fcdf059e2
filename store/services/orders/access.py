"""Who may see an order: the browser that placed it, whoever holds its signed link, its customer, the staff."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, or_, true

from models import Order


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody who asks for an order has shown: any one of these is enough.

    `browser_id` is the browser's name from its signed cookie, `references` are the orders whose signed links it has
    followed, `customer_email` is an address that a customer has proven, in the spelling of the order; `staff` may see
    every order.
    """

    browser_id: str | None = None
    references: frozenset[str] = field(default=frozenset())
    customer_email: str | None = None
    staff: bool = False

    @property
    def condition(self) -> ColumnElement[bool]:
        """True for the orders that may be seen. A value that is empty shows nothing."""
        if self.staff:
            return true()
        shown: list[ColumnElement[bool]] = [Order.reference.in_(sorted(self.references))]
        if self.browser_id:
            shown.append(Order.browser_id == self.browser_id)
        if self.customer_email:
            shown.append(Order.email == self.customer_email)
        return or_(*shown)


STAFF = Access(staff=True)
