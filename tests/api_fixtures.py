"""Fixtures of the API tests; a plugin, because `conftest.py` is everybody's."""

from collections.abc import Iterator

import pytest

from tests.api_support import Api, prepare, progress, running


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API on a fresh store of each kind."""
    prepare(database_url)
    with running(database_url) as api:
        yield api


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Api]:
    """The API on a fresh SQLite file, for what does not depend on the store."""
    with running(sqlite_url) as api:
        yield api


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API on SQLite for all tests of a module that change nothing: `aid-2024` is open and has one figure."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('kept')}/tracker.db") as api:
        api.open()
        api.add(progress("21bn EUR"))
        yield api
