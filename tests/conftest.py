"""What every test can ask for: databases of its own."""

import pytest

pytest_plugins = ["tests.support.databases"]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """No ambient request: pytest-flask's own would share one database session across requests and hide a forgotten
    commit."""
