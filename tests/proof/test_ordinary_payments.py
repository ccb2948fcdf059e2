"""The way of ordinary payments and the readable path come to the same, whatever happens before and between webhooks."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from store.domain.errors import StoreError
from store.gateway.port import CancelReason
from store.services import carts, transitions
from store.services.history import Origin, Source
from store.services.payments import recording
from store.webhooks.handlers import HANDLERS
from tests.proof.simulation import StandingClock
from tests.support import tables
from tests.support.databases import Databases, System
from tests.support.shop import Shop, event_of, open_shop, signed

T = TypeVar("T")
Event = dict[str, Any]
Step = Callable[[Shop], int]

EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "8"))
ON_POSTGRESQL = 4  # of so many examples there is one, for it takes as much longer

CARDS = st.sampled_from(["4242424242424242", "4000000000000002", "4000002500003155"])
# What is wrong with an event or unusual in it; mostly nothing.
ODDITIES: dict[str, Mapping[str, object]] = {
    "none": {},
    "received less": {"amount_received": 1},
    "another amount": {"amount": 1, "amount_received": 1},
    "another currency": {"currency": "eur"},
    "real money": {"livemode": True},
    "a huge amount": {"amount": 2**70, "amount_received": 2**70},
    "an expanded charge": {
        "latest_charge": {"payment_method_details": {"card": {"brand": "visa", "last4": "4242"}}},
    },
    "an unknown payment": {"id": "pi_of_another_program", "metadata": {}},
    "another way round": {"metadata": {}},
}


@dataclass(frozen=True)
class Purchase:
    """An order, the cards that are tried on it, and what happens to it before its webhooks arrive."""

    pieces: tuple[int, ...]
    cards: tuple[str, ...]
    refunded: bool
    second_payment: bool


PURCHASES = st.builds(
    Purchase,
    st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
    st.lists(CARDS, max_size=2).map(lambda cards: (*cards, "4242424242424242")),
    st.booleans(),
    st.sampled_from([False, False, True]),
)


@dataclass
class Twins:
    """Two shops with one Stripe: `quick` takes the way of ordinary payments, `plain` does not."""

    quick: Shop
    plain: Shop

    def both(self, do: Callable[[Shop], T]) -> T:
        first, second = do(self.quick), do(self.plain)
        assert first == second
        return first


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def twins(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Twins]:
    clock, system = StandingClock(), request.param
    shops = [_shop(databases, system, tmp_path_factory.mktemp(name), clock) for name in ("quick", "plain")]
    quick, plain = shops
    plain.services = replace(plain.services, gateway=quick.services.gateway, shortcut=False)
    plain.app.extensions["services"] = plain.services
    yield Twins(quick, plain)
    for shop in shops:
        shop.close()


def _shop(databases: Databases, system: System, folder: Path, clock: StandingClock) -> Shop:
    shop = open_shop(databases.create(system), folder, clock=clock, max_declines=1000)
    for slug in ("cedar-pencil", "brass-pen"):
        shop.set_stock(slug, 100_000)
    return shop


@pytest.mark.timeout(120 + EXAMPLES * 5)
def test_both_ways_leave_the_same_database(twins: Twins) -> None:
    examples = EXAMPLES if twins.quick.services.database.engine.dialect.name == "sqlite" else EXAMPLES // ON_POSTGRESQL

    @settings(
        max_examples=max(examples, 1), derandomize=True, database=None, deadline=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(PURCHASES, min_size=3, max_size=5), st.integers(0, 2**32))
    def play(purchases: list[Purchase], seed: int) -> None:
        references = [buy(twins.quick, purchase) for purchase in purchases]
        sent = [event_of(delivery) for delivery in twins.quick.lose()]
        tables.copy(twins.quick.services.database.engine, twins.plain.services.database.engine)
        for step in history(sent, references, Random(seed)):
            twins.quick.clock.forward(seconds=1)
            twins.both(step)
        mine, other = (tables.contents(shop.services.database.engine) for shop in (twins.quick, twins.plain))
        for name, rows in mine.items():
            assert rows == other[name], name

    play()


def buy(shop: Shop, purchase: Purchase) -> str:
    """Place an order and pay it; its webhooks wait."""
    shop.clock.forward(seconds=1)
    cart = shop.cart(purchase.pieces[0])
    if len(purchase.pieces) > 1:
        with shop.services.database.transaction() as session:
            carts.add(session, cart, "brass-pen", purchase.pieces[1], shop.clock())
    order = shop.place(cart)
    page = shop.open(order)
    for card in purchase.cards:
        outcome = shop.confirm(page, card)
        if outcome.get("status") == "requires_action":
            shop.challenge(outcome, "fail")
    if purchase.refunded:
        shop.stripe("POST", "/v1/refunds", {"payment_intent": page.snapshot.provider_payment_id, "amount": "100"})
    if purchase.second_payment:
        form = {"amount": str(order.total_minor), "currency": order.currency, "payment_method": "pm_card_visa"}
        form |= {"metadata[order_reference]": order.reference, "confirm": "true", "return_url": "http://store.test/"}
        shop.stripe("POST", "/v1/payment_intents", form)
    return order.reference


def history(sent: list[Event], references: list[str], random: Random) -> Iterator[Step]:
    """Every event in any order, odd ones and repeated ones among them, and what else happens to an order meanwhile."""
    waiting = [event for event in sent if event["type"] in HANDLERS]
    random.shuffle(waiting)
    arrived: list[Event] = []
    while waiting:
        chance = random.random()
        if chance < 0.1:
            yield deliver(changed(random.choice(waiting), random.choice(sorted(ODDITIES)), random))
        elif chance < 0.2 and arrived:
            yield deliver(random.choice(arrived))
        elif chance < 0.25:
            yield partial(expire, reference=random.choice(references))
        elif chance < 0.3:
            yield partial(change_cart, reference=random.choice(references))
        else:
            arrived.append(waiting.pop())
            yield deliver(arrived[-1])


def deliver(event: Event) -> Step:
    return lambda shop: shop.receive(signed(event))


def changed(event: Event, oddity: str, random: Random) -> Event:
    """The event with something odd about it: in its object, its id or its account."""
    event = copy.deepcopy(event)
    event["data"]["object"].update(ODDITIES[oddity])
    if random.random() < 0.5:
        event["id"] += "_again"
    return {**event, "account": "acct_other"} if random.random() < 0.2 else event


def expire(shop: Shop, reference: str) -> int:
    with shop.services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        recording.close_order(session, order, CancelReason.EXPIRED, Origin(Source.WORKER, shop.clock()))
    return 0


def change_cart(shop: Shop, reference: str) -> int:
    with suppress(StoreError), shop.services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        carts.add(session, order.cart_id, "brass-pen", 1, shop.clock())
    return 0
