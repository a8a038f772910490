"""`tracker serve` and `tracker project` as processes: how they begin, work side by side, and end."""

import re
import signal
import socket
from pathlib import Path

import pytest

from projections.tables import open_engine
from projections.timeline import Timeline
from tests.support.shell import PROGRAM, Shell, ask, behind, ended, gone, is_ready, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until


def test_a_server_answers_and_ends_when_told(shell: Shell) -> None:
    with shell.serving() as (address, process):
        answer = ask(f"{address}/v1/pledges/nato-ukraine-2024", as_of="2025-02-12").content
        asked = shell.run("status", "nato-ukraine-2024", "--as-of", "2025-02-12", "--json").stdout
        assert asked.encode() == answer + b"\n"
        exported = shell.run("export").stdout
        assert exported.encode() == ask(f"{address}/v1/export").content
        assert ended(process) == 0


def test_a_server_warns_when_nobody_could_write(lite: Shell) -> None:
    lite.run("init")
    process = lite.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        assert "Nobody can write yet" in process.stderr.readline()
        assert "http://127.0.0.1:" in process.stderr.readline()
        assert ended(process, signal.SIGINT) == 0
    finally:
        gone(process)


def test_a_port_that_is_taken_is_a_sentence(lite: Shell) -> None:
    lite.run("init")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = lite.run("serve", "--port", str(taken.getsockname()[1]), code=1)
    assert "cannot be listened on" in result.stderr


@pytest.mark.slow
def test_several_workers_serve_one_record(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    shell.run("seed")
    with shell.serving("--workers", "2") as (address, process):
        assert ask(f"{address}/v1/pledges").json()["total"] == 12
        assert ended(process) == 0


def test_the_projector_alone_projects_and_ends_when_told(shell: Shell) -> None:
    engine = open_engine(shell.url)
    with shell.log() as log:
        timeline = Timeline(engine, log)
        process = shell.start("project")
        try:
            wait_until(lambda: timeline.position() == 68, process)
            assert ended(process) == 0
        finally:
            gone(process)
    engine.dispose()


def test_a_projector_says_that_it_runs_at_work_or_not(shell: Shell, tmp_path: Path) -> None:
    files = [tmp_path / f"alive-{number}" for number in (1, 2)]
    processes = [shell.start("project", "--alive", file) for file in files]
    try:
        wait_until(lambda: all(file.exists() for file in files))
        since = [file.stat().st_mtime_ns for file in files]
        wait_until(lambda: all(file.stat().st_mtime_ns > then for file, then in zip(files, since, strict=True)))
        assert [ended(process) for process in processes] == [0, 0]
    finally:
        for process in processes:
            gone(process)


def test_a_projector_whose_thread_has_died_ends(shell: Shell) -> None:
    dying = f"import tracker.log.watcher as watcher; watcher.LogWatcher._watch = lambda self: None; {PROGRAM}"
    process = shell.start("project", program=dying)
    try:
        said = process.communicate(timeout=HANG_SECONDS)[1]
        assert (process.returncode, "the thread that projects has died" in said) == (1, True), said
    finally:
        gone(process)


def test_a_server_can_leave_projecting_to_the_projector(shell: Shell) -> None:
    server = shell.start("serve", "--port", "0", "--no-projector", TRACKER_ADMIN_KEY="k" * 32)
    projector = None
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+", server.stderr.readline())  # nothing is said before it where a key can write
        assert found is not None
        wait_until(lambda: behind(found[0]) == 68, server)
        assert not is_ready(found[0])
        projector = shell.start("project")
        wait_until(lambda: is_ready(found[0]), server)
        assert ended(server) == ended(projector) == 0
    finally:
        for process in (server, projector):
            if process is not None:
                gone(process)


def test_a_command_waits_for_the_projector_that_is_at_work(shell: Shell) -> None:
    with shell.serving():
        assert len(shell.run("status").stdout.splitlines()) == 13
