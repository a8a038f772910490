"""`pg_restore --clean` under a running server: its tables are dropped and made anew, with an older log or another."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.api import problem, statement
from tests.support.servers import Server, serving
from tests.support.shell import Shell, with_tables
from tests.support.stores import postgres_database, postgres_tool

PLEDGE = "/v1/pledges/aid-2024"


@pytest.fixture
def shell(postgres_url: str, tmp_path: Path) -> Shell:
    return with_tables(postgres_url, tmp_path)


@pytest.fixture
def server(shell: Shell) -> Iterator[Server]:
    with serving(shell) as server:
        assert server.add().status_code == 201
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2 and not server.failing())
        yield server


def dumped(url: str, directory: Path) -> Path:
    """A dump of the tables of the record, without the read models."""
    file = directory / "record.dump"
    subprocess.run([postgres_tool("pg_dump"), "-Fc", "-t", "tracker_events*", "-f", file, url], check=True)
    return file


def restored(url: str, file: Path) -> None:
    subprocess.run([postgres_tool("pg_restore"), "--clean", "--if-exists", "-d", url, file], check=True)


def talks(server: Server, summary: str) -> int:
    answer = server.client.post(f"{PLEDGE}/events", json=statement(summary=summary))
    return answer.json()["position"] if answer.status_code == 201 else -answer.status_code


def goes_on(server: Server, holds: Callable[[], bool]) -> None:
    server.comes(lambda: holds() and not server.failing() and not server.failing("/health/reads"))


def test_the_same_log_is_gone_on_with(server: Server, shell: Shell) -> None:
    restored(shell.url, dumped(shell.url, shell.directory))
    goes_on(server, lambda: server.total() == 2)
    assert talks(server, "After the restore.") == 3
    server.comes(lambda: server.get(PLEDGE).json()["version"] == 2)


def test_an_older_copy_is_noticed_and_gone_on_with_once_it_is_forked(server: Server, shell: Shell) -> None:
    file = dumped(shell.url, shell.directory)
    assert talks(server, "Lost.") == 3
    server.comes(lambda: server.get(PLEDGE).json()["version"] == 2)
    restored(shell.url, file)
    server.comes(lambda: "log" in server.failing())
    refused = server.client.post(f"{PLEDGE}/events", json=statement(summary="After."))
    problem(refused, 503, "log_went_back")
    assert shell.head() == 2
    server.comes(lambda: server.failing("/health/reads") == {} and server.get(PLEDGE).json()["version"] == 1)
    shell.run("log", "fork", "--reason", "the dump of yesterday")
    goes_on(server, lambda: server.get(PLEDGE).json()["version"] == 1)
    assert talks(server, "After the fork.") == 3
    server.comes(lambda: server.get(PLEDGE).json()["version"] == 2)


def test_another_log_is_told_and_gone_on_with(server: Server, shell: Shell, postgres_server_url: str) -> None:
    before = server.get("/v1/log").json()["log"]
    with postgres_database(postgres_server_url) as url:
        other = Shell(url, shell.directory)
        other.run("init")
        other.run("seed")
        head = other.head()
        file = dumped(url, shell.directory)
    restored(shell.url, file)
    server.comes(lambda: server.get("/v1/log").headers.get("tracker-log") not in (None, before))
    goes_on(server, lambda: (server.total() or 0) > 2)
    assert server.get("/v1/log").json()["head"] == head
    assert server.get(PLEDGE).status_code == 404
    assert server.add().json()["position"] == head + 1
    shell.run("replay", "--compare")
