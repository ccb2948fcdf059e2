"""What every test can ask for: databases of its own."""

import gc

import pytest

pytest_plugins = ["tests.support.databases", "tests.support.open_shops"]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """No ambient request: pytest-flask's own would share one database session across requests and hide a forgotten
    commit."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on PostgreSQL, what is marked `on_sqlite`."""
    needless = [item for item in items if item.get_closest_marker("on_sqlite") and "[postgresql" in item.name]
    config.hook.pytest_deselected(items=needless)
    items[:] = [item for item in items if item not in set(needless)]


def pytest_configure() -> None:
    """Search for garbage seldom, and only in what is new: any other search goes through what all the modules made."""
    gc.set_threshold(100_000, 1_000, 1_000)


def pytest_collection_finish() -> None:
    """Have no search go through what stays to the end: the modules and thousands of tests."""
    gc.collect()
    gc.freeze()
