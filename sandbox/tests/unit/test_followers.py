"""What owns an intent is told how it ends, in the same transaction."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from till_sandbox.errors import ApiError
from till_sandbox.model import authentications, confirmation, followers, payment_intents, setup_intents
from till_sandbox.state import Resource, State, Transaction
from till_sandbox.testing import ManualClock

PAYMENT = {"amount": 500, "currency": "usd"}


class Baskets:
    """A follower: a basket keeps what it was told."""

    def succeeded(self, tx: Transaction, owner: Resource, intent: Resource) -> None:
        self._keep(tx, owner, f"{intent.kind} succeeded as {intent['status']}")

    def held(self, tx: Transaction, owner: Resource, intent: Resource) -> None:
        self._keep(tx, owner, f"{intent.kind} held as {intent['status']}")

    def failed(self, tx: Transaction, owner: Resource, intent: Resource) -> None:
        self._keep(tx, owner, f"{intent.kind} failed")

    def canceled(self, tx: Transaction, owner: Resource, intent: Resource) -> None:
        self._keep(tx, owner, f"{intent.kind} canceled: {intent['cancellation_reason']}")

    def _keep(self, tx: Transaction, owner: Resource, words: str) -> None:
        owner["told"].append(words)
        tx.save(owner)


class Broken(Baskets):
    def succeeded(self, _tx: Transaction, _owner: Resource, _intent: Resource) -> None:
        raise ApiError("the basket is gone")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / "sandbox.sqlite3", ManualClock(), followers={"basket": Baskets()})) as state:
        yield state


def open_basket(tx: Transaction) -> Resource:
    return tx.insert(Resource({"id": "bsk_1", "object": "basket", "told": []}))


def told(state: State) -> list[str]:
    with state.read("acct_1") as tx:
        words: list[str] = tx.get("basket", "bsk_1")["told"]
        return words


def test_an_owner_hears_of_each_failure_and_of_the_success(state: State) -> None:
    with state.write("acct_1") as tx:
        intent = payment_intents.create(tx, PAYMENT, owner=open_basket(tx))
        with pytest.raises(ApiError):
            confirmation.confirm(tx, intent, {"payment_method": "pm_card_chargeDeclined"})
        confirmation.confirm(tx, intent, {"payment_method": "pm_card_visa"})

    assert told(state) == ["payment_intent failed", "payment_intent succeeded as succeeded"]


def test_an_owner_hears_of_a_hold_and_of_its_capture(state: State) -> None:
    with state.write("acct_1") as tx:
        intent = payment_intents.create(tx, {**PAYMENT, "capture_method": "manual"}, owner=open_basket(tx))
        confirmation.confirm(tx, intent, {"payment_method": "pm_card_visa"})
    held = told(state)
    with state.write("acct_1") as tx:
        payment_intents.capture(tx, tx.get("payment_intent", intent.id), {})

    assert held == ["payment_intent held as requires_capture"]
    assert told(state) == [*held, "payment_intent succeeded as succeeded"]


def test_an_owner_hears_what_the_cardholder_answered_later(state: State) -> None:
    with state.write("acct_1") as tx:
        intent = payment_intents.create(tx, PAYMENT, owner=open_basket(tx))
        confirmation.confirm(tx, intent, {"payment_method": "pm_card_threeDSecure2Required"})
        challenge = tx.get("authentication", intent.private["challenge"])
    waiting = told(state)

    authentications.decide(state, challenge.id, challenge.private["client_secret"], "complete")

    assert waiting == []
    assert told(state) == ["payment_intent succeeded as succeeded"]


def test_an_owner_hears_of_a_cancellation_and_of_a_set_up(state: State) -> None:
    with state.write("acct_1") as tx:
        owner = open_basket(tx)
        payment_intents.cancel(tx, payment_intents.create(tx, PAYMENT, owner=owner), "abandoned")
        setup_intents.confirm(tx, setup_intents.create(tx, {}, owner=owner), {"payment_method": "pm_card_visa"})

    assert told(state) == ["payment_intent canceled: abandoned", "setup_intent succeeded as succeeded"]


def test_who_owns_nothing_hears_nothing(state: State) -> None:
    with state.write("acct_1") as tx:
        open_basket(tx)
        intent = payment_intents.create(tx, PAYMENT)
        confirmation.confirm(tx, intent, {"payment_method": "pm_card_visa"})
        owner = followers.owner_of(tx, intent)

    assert (owner, told(state)) == (None, [])


def test_a_payment_and_what_its_owner_does_happen_both_or_neither(tmp_path: Path) -> None:
    with closing(State(tmp_path / "other.sqlite3", ManualClock(), followers={"basket": Broken()})) as state:
        with state.write("acct_1") as tx:
            intent = payment_intents.create(tx, PAYMENT, owner=open_basket(tx))
        with pytest.raises(ApiError, match="the basket is gone"), state.write("acct_1") as tx:
            confirmation.confirm(tx, tx.get("payment_intent", intent.id), {"payment_method": "pm_card_visa"})

        with state.read("acct_1") as tx:
            assert tx.get("payment_intent", intent.id)["status"] == "requires_payment_method"
            assert tx.all("charge") == []
