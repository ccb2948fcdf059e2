"""The payment gateway is made when it is first asked for something, and once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any, cast

from store.gateway.on_demand import GatewayOnDemand
from store.gateway.port import PaymentGateway

THREADS = 4


class Maker:
    """Makes gateways that answer with their number."""

    def __init__(self) -> None:
        self.made: list[PaymentGateway] = []

    def __call__(self) -> PaymentGateway:
        number = len(self.made)
        gateway: Any = SimpleNamespace(cancel_payment=lambda payment: (payment, number), taxes="the taxes")
        self.made.append(gateway)
        return cast(PaymentGateway, gateway)


def test_nothing_is_made_before_it_is_asked_for() -> None:
    make = Maker()

    gateway: Any = GatewayOnDemand(make)

    assert make.made == []
    assert gateway.cancel_payment("pi_1") == ("pi_1", 0)
    assert gateway.cancel_payment("pi_2") == ("pi_2", 0)
    assert gateway.taxes == "the taxes"
    assert gateway.get() is make.made[0]
    assert len(make.made) == 1


def test_threads_that_ask_at_once_share_one() -> None:
    make, together = Maker(), Barrier(THREADS)
    gateway = GatewayOnDemand(make)

    def ask(_thread: int) -> PaymentGateway:
        together.wait(timeout=10)
        return gateway.get()

    with ThreadPoolExecutor(THREADS) as threads:
        got = list(threads.map(ask, range(THREADS)))

    assert len(make.made) == 1
    assert all(each is make.made[0] for each in got)
