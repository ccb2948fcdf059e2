"""What a customer may change about an order while its session is open, within a transaction of the caller's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model.catalog import promotion_codes
from till_sandbox.model.checkout import discounts, lines, sessions, shipping
from till_sandbox.model.money import check_total
from till_sandbox.state import Resource, Transaction

#: Makes one change, without bringing the totals up to date.
Change = Callable[[Transaction, Resource], None]


@dataclass(frozen=True)
class Shown:
    """What the page shows: the session, its lines, the names of what was taken off and of the ways to deliver."""

    session: Resource
    lines: list[Resource]
    products: list[Resource]
    rates: list[Resource]
    taxes: list[tuple[Resource, int]]
    code: str | None
    coupon: Resource | None


def make(tx: Transaction, session: Resource, change: Change) -> Shown:
    """Change what is bought and bring the totals up to date, unless nobody could pay that. Raises ApiError."""
    sessions.check_open(tx, session, "changed")
    if session["mode"] != "payment":
        raise ApiError("There is nothing to change about a set-up.")
    change(tx, session)
    sessions.compute(tx, session)
    if session["amount_total"]:
        check_total(session["amount_total"], session["currency"])
    tx.save(session)
    return shown(tx, session)


def use_code(code: str) -> Change:
    """Take off what a code is for. Refuses one that this order cannot have."""

    def use(tx: Transaction, session: Resource) -> None:
        found = promotion_codes.find_active(tx, code)
        if not session["allow_promotion_codes"] or found is None:
            raise ApiError("This code is invalid.", param="promotionCode")
        discounts.apply_code(tx, session, found, "promotionCode")

    return use


def remove_code() -> Change:
    """Take a code back."""

    def remove(_tx: Transaction, session: Resource) -> None:
        if session["allow_promotion_codes"]:
            discounts.remove(session)

    return remove


def choose_shipping(rate_id: str) -> Change:
    """Have it delivered that way."""
    return lambda _tx, session: shipping.choose(session, rate_id)


def set_quantity(line_id: str, quantity: int) -> Change:
    """Buy more or less of something whose quantity may be adjusted."""

    def adjust(tx: Transaction, session: Resource) -> None:
        line = next((line for line in sessions.line_items(tx, session) if line.id == line_id), None)
        limits = line["adjustable_quantity"] if line is not None else None
        if line is None or limits is None or not max(limits["minimum"], 1) <= quantity <= limits["maximum"]:
            raise ApiError("This quantity cannot be chosen.", param="quantity")
        lines.set_quantity(line, quantity, "quantity")
        tx.save(line)

    return adjust


def set_amount(amount: int) -> Change:
    """Pay so much for what customers choose the price of."""

    def choose(tx: Transaction, session: Resource) -> None:
        for line in sessions.line_items(tx, session):
            lines.choose_amount(line, amount)
            tx.save(line)

    return choose


def shown(tx: Transaction, session: Resource) -> Shown:
    bought = sessions.line_items(tx, session)
    kept: dict[str, Any] = session.private.get(discounts.KEPT, {})
    sums: dict[str, int] = {}
    for line in bought:
        for rate, amount, _on in line.private["taxes"]:
            sums[rate] = sums.get(rate, 0) + amount
    code = kept.get("promotion_code")
    return Shown(
        session=session,
        lines=bought,
        products=[tx.get("product", line["price"]["product"]) for line in bought],
        rates=[tx.get("shipping_rate", option["shipping_rate"]) for option in session["shipping_options"]],
        taxes=[(tx.get("tax_rate", rate), amount) for rate, amount in sums.items()],
        code=tx.get("promotion_code", code)["code"] if code else None,
        coupon=tx.find("coupon", kept["coupon"]) if kept else None,
    )
