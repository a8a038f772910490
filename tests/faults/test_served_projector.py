"""`tracker serve` keeps a projector in a process of its own: one that is killed or frozen is replaced, none stays."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.api import made
from tests.support.servers import Server, serving
from tests.support.shell import PROGRAM, Shell, ended, with_tables
from tests.support.waiting import wait_until

SOON = f"import projections.process as p; p.SILENT_SECONDS, p.DOUBTFUL_SECONDS = 8.0, 1.0; {PROGRAM}"
"""The command with a silence that a test can wait for, and that a process on a busy machine does not reach."""


LOOKS, LOOK_SECONDS = 60, 0.003
"""Looks at whether the frozen process has the file's lock, and the seconds for which it goes on between two of them."""


def children(pid: int) -> list[int]:
    """The processes that a process has started and that run a projector for it."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return [child for child in found if b"--keeper" in command(child)]


def command(pid: int) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def projector_of(server: Server) -> int:
    server.comes(lambda: len(children(server.process.pid)) == 1)
    return children(server.process.pid)[0]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_projector_that_is_killed_is_started_again(shell: Shell) -> None:
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        first = projector_of(server)
        os.kill(first, signal.SIGKILL)
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2 and not server.failing())
        assert projector_of(server) != first


def test_a_projector_that_is_frozen_is_told_and_replaced(shell: Shell) -> None:
    with serving(shell, program=SOON) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        first = projector_of(server)
        with frozen(first):
            assert server.add("shells").status_code == 201
            server.comes(lambda: children(server.process.pid) not in ([], [first]))
            server.comes(lambda: server.total() == 2 and not server.failing())
        assert not command(first)


def test_a_write_does_not_wait_for_a_projector_that_shows_no_life(shell: Shell) -> None:
    never = SOON.replace("8.0, 1.0", "9999.0, 1.0")
    with serving(shell, program=never) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        with frozen(projector_of(server)):
            server.comes(lambda: "shows no life" in server.failing().get("projector", ""))
            assert server.failing("/health/reads") == {}
        server.comes(lambda: not server.failing())


def test_a_projector_that_is_frozen_with_the_files_lock_gives_it_back(sqlite_url: str, tmp_path: Path) -> None:
    with serving(Shell(sqlite_url, tmp_path), program=SOON) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        first = projector_of(server)
        number = 0
        with frozen(first):
            while is_writable(tmp_path / "tracker.db"):
                os.kill(first, signal.SIGCONT)
                number += 1
                items = [{"pledge": f"aid-{number}-{item}", "fact": made()} for item in range(50)]
                answer = server.client.post("/v1/events", json=items, headers={"Prefer": "respond-async"})
                assert answer.status_code == 201, answer.text
                for _ in range(LOOKS):
                    os.kill(first, signal.SIGSTOP)
                    if not is_writable(tmp_path / "tracker.db"):
                        break
                    os.kill(first, signal.SIGCONT)
                    time.sleep(LOOK_SECONDS)
                else:
                    os.kill(first, signal.SIGSTOP)
            assert server.add("shells").status_code == 201
            server.comes(lambda: server.total() == 2 + 50 * number and not server.failing())
        assert not command(first)


def is_writable(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as conn:
        try:
            conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        conn.execute("ROLLBACK")
        return True


def test_a_projector_ends_with_the_server_that_was_killed(shell: Shell) -> None:
    with serving(shell) as server:
        assert server.add().status_code == 201
        projector = projector_of(server)
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: not command(projector))
        with serving(shell) as second:
            assert second.add("shells").status_code == 201
            second.comes(lambda: second.total() == 2 and not second.failing())


def test_a_server_that_is_told_to_stop_takes_its_projector_along(shell: Shell) -> None:
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: not server.failing())
        projector = projector_of(server)
        os.kill(projector, signal.SIGTERM)  # a supervisor may signal both: the server ends first
        os.kill(projector, signal.SIGINT)
        assert server.add("shells").status_code == 201
        assert projector_of(server) == projector
        assert ended(server.process) == 0
        assert not command(projector)


def test_workers_share_one_projector_that_their_supervisor_keeps(postgres_url: str, tmp_path: Path) -> None:
    with serving(with_tables(postgres_url, tmp_path), "--workers", "2") as server:
        first = projector_of(server)
        server.comes(lambda: not server.failing())
        assert server.add().status_code == 201
        os.kill(first, signal.SIGKILL)
        server.comes(lambda: children(server.process.pid) not in ([], [first]))
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2 and not server.failing())
        second = projector_of(server)
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: not command(second))


@pytest.mark.parametrize("arguments", [["--no-projector"], []])
def test_a_server_keeps_a_projector_unless_it_is_told_not_to(
    sqlite_url: str, tmp_path: Path, arguments: list[str]
) -> None:
    with serving(Shell(sqlite_url, tmp_path), *arguments) as server:
        server.comes(lambda: server.get("/health/reads").status_code == 200)
        assert len(children(server.process.pid)) == (0 if arguments else 1)
