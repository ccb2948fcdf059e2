"""A Checkout Session as the page that takes its payment uses it: every step in a transaction of its own.

Who knows the id of a session may pay it: the page asks for no key.
"""

from dataclasses import dataclass

from till_sandbox.errors import ApiError
from till_sandbox.model.checkout import changes, paying, sessions
from till_sandbox.model.checkout.changes import Shown
from till_sandbox.model.checkout.paying import Said
from till_sandbox.state import Resource, State


class SessionNotFound(LookupError):
    """There is no such session."""


@dataclass(frozen=True)
class Attempt:
    """What came of pressing the button: the session, the intent that waits for the bank, or why it was refused."""

    session: Resource
    intent: Resource | None = None
    refusal: ApiError | None = None


def find(state: State, session_id: str) -> Shown:
    """The session as it is. Raises SessionNotFound."""
    with state.read(_account(state, session_id)) as tx:
        return changes.shown(tx, tx.get(sessions.KIND, session_id))


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
    return _change(state, session_id, changes.use_code(code))


def remove_code(state: State, session_id: str) -> Shown:
    """Take a code back. Raises SessionNotFound."""
    return _change(state, session_id, changes.remove_code())


def choose_shipping(state: State, session_id: str, rate_id: str) -> Shown:
    """Have it delivered that way. Raises SessionNotFound and ApiError."""
    return _change(state, session_id, changes.choose_shipping(rate_id))


def set_quantity(state: State, session_id: str, line_id: str, quantity: int) -> Shown:
    """Buy more or less of something whose quantity may be adjusted. Raises SessionNotFound and ApiError."""
    return _change(state, session_id, changes.set_quantity(line_id, quantity))


def set_amount(state: State, session_id: str, amount: int) -> Shown:
    """Pay so much for what customers choose the price of. Raises SessionNotFound and ApiError."""
    return _change(state, session_id, changes.set_amount(amount))


def _change(state: State, session_id: str, change: changes.Change) -> Shown:
    with state.write(_account(state, session_id)) as tx:
        return changes.make(tx, tx.get(sessions.KIND, session_id), change)


def _account(state: State, session_id: str) -> str:
    with state.read("") as tx:
        row = tx.execute("SELECT account FROM objects WHERE id = ? AND kind = ?", session_id, sessions.KIND).fetchone()
    if row is None:
        raise SessionNotFound(session_id)
    return str(row["account"])
