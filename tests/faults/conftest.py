"""Stores whose servers and projectors are put to faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine

from faults.places import PostgresPlace
from projections.tables import open_engine
from tests.support.shell import Shell, with_tables


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A store with its tables."""
    return with_tables(database_url, tmp_path)


@pytest.fixture
def engine(shell: Shell) -> Iterator[Engine]:
    """Connections to the store."""
    engine = open_engine(shell.url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresPlace]:
    """A PostgreSQL server that may be stopped, and whose disks may be full."""
    folder = TemporaryDirectory(prefix="tracker-postgres-", ignore_cleanup_errors=True)
    with folder, closing(PostgresPlace(Path(folder.name))) as place:
        yield place
