"""Databases on which the tests of the command run it."""

from pathlib import Path

import pytest

from tests.support.shell import Shell, with_tables


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    return with_tables(database_url, tmp_path)


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """A database with the seed."""
    empty.run("seed")
    return empty


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Shell:
    """A SQLite file without tables, for what does not depend on the store."""
    return Shell(sqlite_url, tmp_path)
