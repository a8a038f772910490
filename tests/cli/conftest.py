"""Databases on which the tests of the command run it."""

from pathlib import Path

import pytest

from tests.support.shell import Shell


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    return shell


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """A database with the seed."""
    empty.run("seed")
    return empty


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Shell:
    """A SQLite file without tables, for what does not depend on the store."""
    return Shell(sqlite_url, tmp_path)
