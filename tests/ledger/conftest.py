"""What the tests of a log that moves are given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ADMIN
from tests.support.shell import Shell
from tests.support.stores import postgres_database


@pytest.fixture(params=["sqlite-postgres", "postgres-sqlite"])
def houses(
    request: pytest.FixtureRequest, postgres_server_url: str, tmp_path: Path, state: None
) -> Iterator[tuple[Shell, Shell]]:
    """The old store and the new one, of the two kinds; the keys that sign move along in the state directory."""
    with postgres_database(postgres_server_url) as postgres:
        urls = {"sqlite": f"sqlite:///{tmp_path}/lite.db", "postgres": postgres}
        old, _, new = request.param.partition("-")
        yield Shell(urls[old], tmp_path), Shell(urls[new], tmp_path)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One state directory for all stores, and an admin key."""
    monkeypatch.setenv("TRACKER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TRACKER_ADMIN_KEY", ADMIN)
