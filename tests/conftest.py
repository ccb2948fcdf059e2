"""What every test can ask for: databases of its own."""

import gc

import pytest

pytest_plugins = ["tests.support.databases", "tests.support.open_shops"]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """No ambient request: pytest-flask's own would share one database session across requests and hide a forgotten
    commit."""


def pytest_configure() -> None:
    """Search for garbage seldom, and only in what is new: any other search goes through what all the modules made."""
    gc.set_threshold(100_000, 1_000, 1_000)


def pytest_collection_finish() -> None:
    """Have no search go through what stays to the end: the modules and thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Leave what is garbage now to the end of the process: no test is there any more that a search could blame."""
    gc.freeze()
