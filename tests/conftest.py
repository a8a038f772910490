"""One suite, every store: a test that takes `database_url` runs on SQLite and on PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support.api import Api, prepare, progress, running
from tests.support.profiles import A_FEW
from tests.support.stores import postgres_database, postgres_server

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "mutate",
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    max_examples=A_FEW,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile(os.environ.get("TRACKER_TEST_PROFILE", "any machine"))


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A real PostgreSQL server, in a folder that no other run of pytest clears away."""
    folder = TemporaryDirectory(prefix="tracker-postgres-", ignore_cleanup_errors=True)
    with folder, postgres_server(Path(folder.name)) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh PostgreSQL database, and a state directory of its own."""
    monkeypatch.setenv("TRACKER_STATE_DIR", str(tmp_path / "state"))
    with postgres_database(postgres_server_url) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite file."""
    return f"sqlite:///{tmp_path}/tracker.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


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


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on a store of each kind, for tests of one module that read what was recorded once."""
    folder = tmp_path_factory.mktemp("module")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/tracker.db"
        if request.param == "postgres":
            url = stack.enter_context(postgres_database(request.getfixturevalue("postgres_server_url")))
        prepare(url)
        yield stack.enter_context(running(url, state_dir=folder / "state"))
