"""One holder at a time."""

import pytest

from till_sandbox.api.locks import Locks


class Busy(Exception):
    """What the tests want to hear when a name is held."""


def test_a_name_is_held_by_one_at_a_time() -> None:
    locks = Locks()

    with locks.hold("a", wait=0, busy=Busy), pytest.raises(Busy), locks.hold("a", wait=0, busy=Busy):
        pytest.fail("held twice")


def test_a_name_is_free_again_afterwards_even_after_an_error() -> None:
    locks = Locks()

    with pytest.raises(KeyError), locks.hold("a", wait=0, busy=Busy):
        raise KeyError

    with locks.hold("a", wait=0, busy=Busy), locks.hold("b", wait=0, busy=Busy):
        """Neither is busy."""
