"""Whole shops in one process, on SQLite and on PostgreSQL, whose process can die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shop import Shop, open_shop


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    opened = open_shop(database_url, tmp_path)
    yield opened
    opened.close()
