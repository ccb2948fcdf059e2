"""What is going to happen: every shopper and every fault, drawn from one seed.

The same seed and number of orders give the same plan. Its exact timing depends on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any


class Story(StrEnum):
    """What a shopper does."""

    PAYS = "pays"
    IS_DECLINED_FIRST = "is declined first"
    PASSES_THE_CHALLENGE = "passes the bank's check"
    FAILS_THE_CHALLENGE_FIRST = "fails the bank's check first"
    LEAVES_THE_CHALLENGE = "leaves during the bank's check"
    LEAVES_THE_PAYMENT_PAGE = "leaves the payment page"
    LEAVES_AT_ONCE = "leaves before the payment page"
    CANCELS = "cancels"
    CANCELS_WHILE_PAYING = "cancels in one tab and pays in another"
    PAYS_IN_TWO_TABS = "places and pays in two tabs at once"
    CHANGES_THE_CART = "changes the cart, with the old page still open"
    PAYS_TOO_LATE = "pays while the order expires"
    IS_REFUNDED = "is refunded in the dashboard"
    DISPUTES = "disputes the payment"


_HOW_OFTEN: Mapping[Story, int] = {
    Story.PAYS: 34,
    Story.IS_DECLINED_FIRST: 10,
    Story.PASSES_THE_CHALLENGE: 8,
    Story.FAILS_THE_CHALLENGE_FIRST: 4,
    Story.LEAVES_THE_CHALLENGE: 3,
    Story.LEAVES_THE_PAYMENT_PAGE: 5,
    Story.LEAVES_AT_ONCE: 3,
    Story.CANCELS: 4,
    Story.CANCELS_WHILE_PAYING: 5,
    Story.PAYS_IN_TWO_TABS: 8,
    Story.CHANGES_THE_CART: 5,
    Story.PAYS_TOO_LATE: 6,
    Story.IS_REFUNDED: 4,
    Story.DISPUTES: 1,
}

_DECLINED_CARDS = ("4000000000000002", "4000000000009995", "4000000000000069", "4000000000000127", "4000000000000119")
_SCARCE = ("brass-pen", "wool-throw", "desk-lamp")
_PLENTY = ("stoneware-mug", "cloth-notebook", "cedar-pencil", "linen-tea-towel", "beeswax-candles", "glass-carafe")
_WITH_COUPON = 0.25
PIECES_OF_PLENTY = 1_000_000  # a shop without stock tests nothing


@dataclass(frozen=True, slots=True)
class Shopper:
    """One of the crowd. `basket` is pieces by slug; `declined` the cards tried before the one that works. A third of
    them pay on the hosted page, and some have a coupon.
    """

    number: int
    story: Story
    basket: Mapping[str, int]
    declined: tuple[str, ...]
    part: float  # of the money, where only a part of it is returned
    hosted: bool
    coupon: bool

    @property
    def email(self) -> str:
        return f"shopper-{self.number}@example.com"


class Fault(StrEnum):
    """What happens to a program or the database."""

    WEB_WORKER_KILLED = "web worker killed"
    WEB_KILLED = "web server killed"
    WORKER_KILLED = "worker killed"
    SANDBOX_WORKER_KILLED = "sandbox worker killed"
    SANDBOX_KILLED = "sandbox killed"
    DATABASE_RESTARTED = "database restarted"
    DATABASE_CRASHED = "database crashed"


_FAULTS: Mapping[Fault, int] = {
    Fault.WEB_WORKER_KILLED: 8,
    Fault.WORKER_KILLED: 6,
    Fault.SANDBOX_WORKER_KILLED: 4,
    Fault.DATABASE_CRASHED: 2,
    Fault.WEB_KILLED: 1,
    Fault.SANDBOX_KILLED: 2,
    Fault.DATABASE_RESTARTED: 1,
}
_OF_THE_DATABASE = (Fault.DATABASE_CRASHED, Fault.DATABASE_RESTARTED)
_ORDERS_BETWEEN = 25


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that is injected when so many shoppers are done; what was killed restarts after `seconds`."""

    after: int
    fault: Fault
    which: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    shoppers: tuple[Shopper, ...]
    stock: Mapping[str, int]
    faults: tuple[Mapping[str, Any], ...]
    strikes: tuple[Strike, ...]


def draw(seed: int, orders: int, *, database_restarts: bool) -> Plan:
    """The plan of a seed: `orders` shoppers, of whom a few buy what there is not enough of."""
    shoppers = tuple(_shopper(number, Random(f"{seed} shopper {number}")) for number in range(orders))
    wanted = {slug: sum(shopper.basket.get(slug, 0) for shopper in shoppers) for slug in _SCARCE}
    stock = dict.fromkeys(_PLENTY, PIECES_OF_PLENTY) | {slug: 1 + pieces // 2 for slug, pieces in wanted.items()}
    return Plan(
        seed, shoppers, stock, tuple(_faults(Random(f"{seed} faults"))), _strikes(seed, orders, database_restarts)
    )


def _shopper(number: int, dice: Random) -> Shopper:
    (story,) = dice.choices(list(_HOW_OFTEN), list(_HOW_OFTEN.values()))
    slugs = dice.sample(_PLENTY, dice.choice((1, 1, 2)))
    if dice.random() < 0.15:
        slugs.append(dice.choice(_SCARCE))
    basket = {slug: dice.choice((1, 1, 2)) for slug in slugs}
    declined = tuple(dice.choice(_DECLINED_CARDS) for _ in range(dice.choice((1, 1, 2))))
    part = dice.choice((1.0, 1.0, 0.3))
    return Shopper(
        number, story, basket, declined, part, hosted=dice.random() < 1 / 3, coupon=dice.random() < _WITH_COUPON
    )


def _faults(dice: Random) -> list[Mapping[str, Any]]:
    """Calls go wrong five times in a hundred, webhooks twenty times."""
    forever: dict[str, Any] = {"times": -1}
    calls: list[tuple[dict[str, Any], float]] = [
        ({"kind": "error", "when": "before"}, 0.010),
        ({"kind": "error", "when": "after"}, 0.010),
        ({"kind": "rate_limit", "when": "before"}, 0.010),
        ({"kind": "reset", "when": "before"}, 0.008),
        ({"kind": "reset", "when": "after"}, 0.008),
        ({"kind": "timeout", "when": "before", "seconds": 5}, 0.002),
        ({"kind": "timeout", "when": "after", "seconds": 5}, 0.002),
    ]
    webhooks: list[tuple[dict[str, Any], float]] = [
        ({"kind": "drop"}, 0.05),
        ({"kind": "double"}, 0.05),
        ({"kind": "reorder", "seconds": 1}, 0.05),
        ({"kind": "delay", "seconds": 6}, 0.03),
        ({"kind": "bad_signature"}, 0.02),
    ]
    return [
        {"target": target, **fault, **forever, "probability": probability, "seed": dice.randrange(2**31)}
        for target, faults in (("api", calls), ("webhook", webhooks))
        for fault, probability in faults
    ]


def _strikes(seed: int, orders: int, database_restarts: bool) -> tuple[Strike, ...]:
    """Every fault once, then by how often each is drawn, spread over the run."""
    dice = Random(f"{seed} program faults")
    chances = {each: often for each, often in _FAULTS.items() if database_restarts or each not in _OF_THE_DATABASE}
    faults = list(chances)
    dice.shuffle(faults)
    faults += dice.choices(list(chances), list(chances.values()), k=max(orders // _ORDERS_BETWEEN - len(chances), 0))
    step = orders / (len(faults) + 1)
    return tuple(
        Strike(round((index + 1) * step), fault, dice.randrange(100), dice.choice((0.0, 0.0, 1.0, 2.0)))
        for index, fault in enumerate(faults)
    )
