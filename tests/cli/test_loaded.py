"""What the processes of a SQLite server load: nothing that is for PostgreSQL, for WebSockets or for reloading code."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.shell import PROGRAM, Shell, ask, ended, gone
from tests.support.waiting import wait_until

NOT_INSTALLED = ("watchfiles", "websockets")
"""What uvicorn would use if it were there."""

TELLING = (
    "import atexit, pathlib, sys; sys.modules['watchfiles'] = None;"
    " told = lambda: [name for name, module in sys.modules.items() if module is not None];"
    " atexit.register(lambda: pathlib.Path(sys.argv[1] + '.loaded').write_text('\\n'.join(told())));"
    f" {PROGRAM}"
)
"""The command, whose process leaves a file with the names of all that it loaded.

`import uvicorn` loads watchfiles in an environment that has it, so it is taken away first.
"""

FOR_POSTGRES = ("psycopg", "psycopg_binary", "psycopg_pool", "sqlalchemy.dialects.postgresql", "eventsourcing.postgres")
FOR_SIGNATURES = ("cryptography",)


@pytest.fixture
def telling(lite: Shell, tmp_path: Path) -> Shell:
    """A SQLite file with the seed, and processes that tell what they load."""
    lite.run("init")
    lite.run("seed")
    return Shell(lite.url, tmp_path, TELLING)


def loaded(shell: Shell, command: str, packages: tuple[str, ...]) -> set[str]:
    """The modules of some packages that the process of a command loaded."""
    names = (shell.directory / f"{command}.loaded").read_text().splitlines()
    assert "projections.runner" in names
    return {name for name in names if name.startswith(tuple(f"{package}." for package in packages)) or name in packages}


def test_a_sqlite_server_and_its_projector_load_nothing_of_postgresql(telling: Shell) -> None:
    with telling.serving() as (address, process):
        assert ask(f"{address}/v1/pledges").json()["total"] == 12
        assert ask(f"{address}/").status_code == 200
        assert ended(process) == 0
    assert loaded(telling, "serve", (*FOR_POSTGRES, *FOR_SIGNATURES, *NOT_INSTALLED)) == set()
    assert loaded(telling, "project", (*FOR_POSTGRES, *NOT_INSTALLED)) == set()


def test_the_projector_alone_loads_nothing_of_postgresql(telling: Shell) -> None:
    process = telling.start("project", "--alive", telling.directory / "alive")
    try:
        wait_until((telling.directory / "alive").exists, process)
        assert ended(process) == 0
    finally:
        gone(process)
    assert loaded(telling, "project", FOR_POSTGRES) == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-image.lock"])
def test_no_lock_of_what_runs_has_what_uvicorn_would_load_in_vain(lock: str) -> None:
    names = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(encoding="utf-8"), flags=re.M))
    assert {"uvicorn", "uvloop", "httptools"} <= names
    assert names.isdisjoint(NOT_INSTALLED)
