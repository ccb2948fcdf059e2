"""A Checkout Session as the page that takes its payment uses it: every step in a transaction of its own.

Who knows the id of a session may pay it: the page asks for no key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model.catalog import promotion_codes
from till_sandbox.model.checkout import discounts, lines, paying, sessions, shipping
from till_sandbox.model.checkout.paying import Said
from till_sandbox.model.money import check_total
from till_sandbox.state import Resource, State, Transaction


class SessionNotFound(LookupError):
    """There is no such session."""


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


@dataclass(frozen=True)
class Attempt:
    """What came of pressing the button: the session, the intent that waits for the bank, or why it was refused."""

    session: Resource
    intent: Resource | None = None
    refusal: ApiError | None = None


def find(state: State, session_id: str) -> Shown:
    """The session as it is. Raises SessionNotFound."""
    with state.read(_account(state, session_id)) as tx:
        return _shown(tx, tx.get(sessions.KIND, session_id))


def pay(state: State, session_id: str, said: Said) -> Attempt:
    """Press the button. Raises SessionNotFound."""
    with state.write(_account(state, session_id)) as tx:
        session = tx.get(sessions.KIND, session_id)
        tx.begin_operation()
        try:
            return Attempt(session, paying.pay(tx, session, said))
        except ApiError as refusal:
            if refusal.keeps_changes:
                return Attempt(session, refusal=refusal)
            tx.undo_operation()
            return Attempt(tx.get(sessions.KIND, session_id), refusal=refusal)


def intent_of(state: State, session_id: str) -> Attempt:
    """The session, and its intent if there is one, after the bank was asked. Raises SessionNotFound."""
    with state.read(_account(state, session_id)) as tx:
        session = tx.get(sessions.KIND, session_id)
        return Attempt(session, paying.intent_of(tx, session))


def use_code(state: State, session_id: str, code: str) -> Shown:
    """Take off what a code is for. Raises SessionNotFound, and ApiError for a code that this order cannot have."""

    def use(tx: Transaction, session: Resource) -> None:
        found = promotion_codes.find_active(tx, code)
        if not session["allow_promotion_codes"] or found is None:
            raise ApiError("This code is invalid.", param="promotionCode")
        discounts.apply_code(tx, session, found, "promotionCode")

    return _change(state, session_id, use)


def remove_code(state: State, session_id: str) -> Shown:
    """Take a code back. Raises SessionNotFound."""

    def remove(_tx: Transaction, session: Resource) -> None:
        if session["allow_promotion_codes"]:
            discounts.remove(session)

    return _change(state, session_id, remove)


def choose_shipping(state: State, session_id: str, rate_id: str) -> Shown:
    """Have it delivered that way. Raises SessionNotFound and ApiError."""
    return _change(state, session_id, lambda _tx, session: shipping.choose(session, rate_id))


def set_quantity(state: State, session_id: str, line_id: str, quantity: int) -> Shown:
    """Buy more or less of something whose quantity may be adjusted. Raises SessionNotFound and ApiError."""

    def adjust(tx: Transaction, session: Resource) -> None:
        line = next((line for line in sessions.line_items(tx, session) if line.id == line_id), None)
        limits = line["adjustable_quantity"] if line is not None else None
        if line is None or limits is None or not max(limits["minimum"], 1) <= quantity <= limits["maximum"]:
            raise ApiError("This quantity cannot be chosen.", param="quantity")
        lines.set_quantity(line, quantity, "quantity")
        tx.save(line)

    return _change(state, session_id, adjust)


def set_amount(state: State, session_id: str, amount: int) -> Shown:
    """Pay so much for what customers choose the price of. Raises SessionNotFound and ApiError."""

    def choose(tx: Transaction, session: Resource) -> None:
        for line in sessions.line_items(tx, session):
            lines.choose_amount(line, amount)
            tx.save(line)

    return _change(state, session_id, choose)


def _change(state: State, session_id: str, change: Callable[[Transaction, Resource], None]) -> Shown:
    """Change what is bought and bring the totals up to date, unless nobody could pay that."""
    with state.write(_account(state, session_id)) as tx:
        session = tx.get(sessions.KIND, session_id)
        sessions.check_open(tx, session, "changed")
        if session["mode"] != "payment":
            raise ApiError("There is nothing to change about a set-up.")
        change(tx, session)
        sessions.compute(tx, session)
        if session["amount_total"]:
            check_total(session["amount_total"], session["currency"])
        tx.save(session)
        return _shown(tx, session)


def _shown(tx: Transaction, session: Resource) -> Shown:
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


def _account(state: State, session_id: str) -> str:
    with state.read("") as tx:
        row = tx.execute("SELECT account FROM objects WHERE id = ? AND kind = ?", session_id, sessions.KIND).fetchone()
    if row is None:
        raise SessionNotFound(session_id)
    return str(row["account"])
