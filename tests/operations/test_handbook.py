"""Every command of docs/operations.md is run as it is written, in a shell, by the command `tracker` itself."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx
import psycopg
import pytest

from tests.projections.test_runner import broken
from tests.support.api import ADMIN
from tests.support.outages import can_mount, fill, small_disk
from tests.support.put_back import copied, path_of
from tests.support.servers import Server, serving
from tests.support.shell import Shell, gone
from tests.support.stores import postgres_tool
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.event import Event

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2].joinpath("docs/operations.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^##? (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.S | re.M))
BLOCKS = {title: re.findall(r"^```sh\n(.*?)^```", text, flags=re.S | re.M) for title, text in SECTIONS.items()}


@dataclass(frozen=True)
class Terminal:
    """An operator's shell, with the command `tracker` in its path."""

    shell: Shell

    def block(self, title: str, number: int = 0, *, code: int = 0, **env: str) -> str:
        """Run a block of the handbook; what it says."""
        block = BLOCKS[title][number]
        done = subprocess.run(
            ["bash", "-c", f"set -e\n{block}"],
            cwd=self.shell.directory, env=self.env(**env), capture_output=True, text=True, timeout=HANG_SECONDS,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, (block, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def env(self, **env: str) -> dict[str, str]:
        paths = [str(Path(sys.executable).parent), str(Path(postgres_tool("psql")).parent), os.environ["PATH"]]
        tree = str(Path(__file__).parents[2])
        given = {"TRACKER_DATABASE_URL": self.shell.url, "TRACKER_ADMIN_KEY": ADMIN, "PYTHONPATH": tree}
        return os.environ | given | {"PATH": ":".join(paths)} | env


@pytest.fixture
def at(database_url: str, tmp_path: Path) -> Terminal:
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    shell.run("seed")
    return Terminal(shell)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Terminal:
    shell = Shell(sqlite_url, tmp_path)
    shell.run("seed")
    return Terminal(shell)


@contextmanager
def served(at: Terminal) -> Iterator[Server]:
    with serving(at.shell) as server:
        server.comes(lambda: not server.failing())
        yield server


def test_begin_with_the_doctor_and_with_the_metrics(at: Terminal) -> None:
    with served(at) as server:
        assert "wrong" not in at.block("Operations: the handbook")
        at.block("Metrics and traces")
        key = {"Authorization": f"Bearer {(at.shell.directory / 'metrics_key').read_text().strip()}"}
        wait_until(lambda: httpx.get(f"{server.address}/metrics", headers=key).status_code == 200)
        assert "tracker_log_position 68" in at.block("Metrics and traces", 1, TRACKER_URL=server.address)


def test_several_processes_serve_and_project(postgres_url: str, tmp_path: Path) -> None:
    at = Terminal(Shell(postgres_url, tmp_path))
    at.shell.run("init")
    block = BLOCKS["Processes and pools"][0]  # as .block("Processes and pools"), which would wait for its end
    with (tmp_path / "said").open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            ["bash", "-c", f"{block}\nwait"], cwd=tmp_path, env=at.env(PORT="0"), stdout=said, stderr=said,
            text=True, start_new_session=True,
        )  # fmt: skip
        try:
            told = tmp_path / "said"
            wait_until(lambda: "http://" in told.read_text("utf-8"), process)
            found = re.search(r"http://\S+", told.read_text("utf-8"))
            assert found is not None
            with closing(httpx.Client(base_url=found[0], timeout=HANG_SECONDS)) as client:
                wait_until(lambda: is_well(client), process)
        finally:
            gone(process)


def is_well(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_roles_and_keys(postgres_url: str, tmp_path: Path) -> None:
    at = Terminal(Shell(postgres_url, tmp_path))
    at.shell.run("init")
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        try:
            assert "tracker_app may add to the record" in at.block("Roles")
        finally:
            conn.execute("DROP OWNED BY tracker_app")
            conn.execute("DROP ROLE tracker_app")


def test_keys_are_made_rotated_and_revoked(lite: Terminal) -> None:
    assert lite.block("Roles", 1).splitlines()
    assert "The new key of desk" in lite.block("Key rotation")
    assert "The key of desk is revoked" in lite.block("Key rotation", 1)


def test_backup_and_restore(lite: Terminal) -> None:
    assert "up to position 68" in lite.block("Backup and restore")
    for path in path_of(lite.shell.url).parent.glob("tracker.db*"):
        if path.is_file():
            path.unlink()
    assert "no difference" in lite.block("Backup and restore", 1)


def test_a_log_moves(lite: Terminal) -> None:
    lite.block("Moving")
    there = Terminal(Shell(f"sqlite:///{lite.shell.directory}/new.db", lite.shell.directory))
    assert "no difference" in there.block("Moving", 1, TRACKER_STATE_DIR=f"{path_of(lite.shell.url)}.state")
    assert there.shell.head() == 68


def test_upgrade_with_a_rebuild_beside(lite: Terminal) -> None:
    lite.shell.run("status")
    assert "The tables are there" in lite.block("Upgrade and rollback")
    assert "no difference" in lite.block("Upgrade and rollback", 1)
    assert "kept from an upgrade until the next rebuild" in lite.block("Upgrade and rollback", 2)


def test_takedown(lite: Terminal) -> None:
    lite.shell.run("status")
    with lite.shell.log() as log:
        event = next(row.event_id for row in log.read() if b'"summary"' in row.state)
    with served(lite):
        assert "Ruling 7 O 123/26" in lite.block("Takedown", EVENT=event)


def test_the_projector_stalled(lite: Terminal) -> None:
    with served(lite):
        lite.block("Projector stalled")
        assert "no difference" in lite.block("Projector stalled", 1)


def test_an_event_is_parked(lite: Terminal) -> None:
    with patch.object(Event, "read", broken(2)):
        lite.shell.run("status")
    assert "parked" in lite.block("Event parked", code=1)
    assert '"pledge"' in lite.block("Event parked", 1, code=1)
    assert "No event is parked" in lite.block("Event parked", 2)


def test_the_disk_is_full(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("this process may not mount a small disk")
    with small_disk(tmp_path / "small", megabytes=24) as disk:
        at = Terminal(Shell(f"sqlite:///{disk}/tracker.db", disk))
        at.shell.run("seed")
        with served(at) as server:
            filler = fill(disk)
            assert "make room" in at.block("Disk full", code=1)
            filler.unlink()
            server.comes(lambda: not server.failing())
            at.block("Disk full", 1, TRACKER_URL=server.address)


def test_the_log_went_back(at: Terminal) -> None:
    with served(at) as server:
        put_back = copied(at.shell.url, "restore", server.process)
        assert server.add("lost").status_code == 201
        put_back()
        server.comes(lambda: server.get("/health/ready").json().get("refusal") == "log_went_back")
        assert re.search(r"^[0-9a-f]{20}$", at.block("Log went back"), flags=re.M)
        server.comes(lambda: not server.failing())


def test_a_clock_jumped(lite: Terminal) -> None:
    with served(lite):
        lite.block("A clock jumped")


def test_every_block_is_run_here() -> None:
    there = {(title, number) for title, blocks in BLOCKS.items() for number in range(len(blocks))}
    named = re.findall(r"\.block\(\"([^\"]+)\"(?:, (\d+))?", Path(__file__).read_text("utf-8"))
    assert {(title, int(number or 0)) for title, number in named} == there
    assert len(there) > 15
