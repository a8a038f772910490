"""The drill: a log is backed up under load, lost, restored, verified, compared and gone on with. Real servers, on both
stores, with PostgreSQL's own commands as `tracker backup` and `tracker restore` print them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.api import problem, statement
from tests.support.put_back import path_of
from tests.support.servers import Server, serving
from tests.support.shell import Shell, ended, with_tables
from tests.support.stores import postgres_database, postgres_tool
from tests.support.waiting import wait_until
from tests.support.writers import Writers

COPY = "record.copy"


def printed(shell: Shell, *arguments: str) -> str:
    """The commands that the tracker prints for PostgreSQL."""
    said = shell.run(*arguments, code=2).stderr
    return "\n".join(line.strip() for line in said.splitlines() if line.startswith("  "))


def run_printed(shell: Shell, commands: str) -> None:
    """Run printed commands as a shell does."""
    tools = str(Path(postgres_tool("pg_dump")).parent)
    env = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "TRACKER_DATABASE_URL": shell.url}
    done = subprocess.run(
        ["sh", "-euc", commands], env=env, cwd=shell.directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def back_up(shell: Shell) -> None:
    if shell.url.startswith("sqlite"):
        shell.run("backup", COPY)
    else:
        run_printed(shell, printed(shell, "backup", COPY))


@contextmanager
def restored(shell: Shell, server_url: str | None) -> Iterator[Shell]:
    """The copy where there was nothing; the log before it is gone."""
    if server_url is None:
        for path in path_of(shell.url).parent.glob("tracker.db*"):
            if path.is_file():
                path.unlink()
        said = shell.run("restore", COPY).stderr
        assert "log_went_back" in said
        yield shell
        return
    with postgres_database(server_url) as url:
        other = Shell(url, shell.directory)
        run_printed(other, printed(other, "restore", COPY).partition("\n")[0])
        other.run("init")
        yield other


@pytest.mark.slow
def test_a_log_is_backed_up_under_load_lost_restored_compared_and_gone_on_with(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> None:
    server_url = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres_server_url")
    shell = with_tables(database_url, tmp_path)
    servers: list[Server] = []
    writers = Writers(lambda _: servers[-1].address, count=4)
    request.addfinalizer(writers.close)
    with serving(shell) as server:
        servers.append(server)
        writers.open()
        with writers.at_work():
            writers.more(20)
            back_up(shell)
            assert (tmp_path / COPY).stat().st_mode & 0o777 == 0o600
            writers.more(20)
        log, head = server.get("/v1/log").json()["log"], server.get("/v1/log").json()["head"]
        server.comes(lambda: server.get("/v1/pledges?limit=1").json().get("next_cursor") is not None)
        cursor = server.get("/v1/pledges?limit=1").json()["next_cursor"]
        assert ended(server.process) == 0
    before = dict(writers.acknowledged)

    with restored(shell, server_url) as shell, serving(shell) as server:
        servers.append(server)
        which = server.get("/v1/log")
        copied = which.json()["head"]
        assert (which.json()["log"], which.headers["tracker-log"]) == (log, log)
        assert 20 <= copied < head

        # What a reader sees until the operator has decided: the same log, which answers and takes nothing.
        assert server.get("/v1/pledges").status_code == 200
        ready = server.get("/health/ready")
        assert (ready.status_code, ready.json()["refusal"]) == (503, "log_went_back")
        refused = server.client.post("/v1/pledges/shared/events", json=statement())
        problem(refused, 503, "log_went_back")
        assert shell.head() == copied

        forked = shell.run("log", "fork", "--reason", "restored from the backup").stdout.splitlines()[-1]
        server.comes(lambda: server.get("/v1/log").headers["tracker-log"] == forked)
        server.comes(lambda: not server.failing())
        for path in (f"/v1/events?after={head}", f"/v1/pledges?limit=1&cursor={cursor}", f"/v1/pledges?log={log}"):
            assert problem(server.get(path), 409, "other_log")["log"] == forked
        fork = server.get("/v1/log").json()["forks"][-1]
        assert (fork["from"], fork["position"], fork["reason"]) == (log, copied, "restored from the backup")

        assert "no difference" in shell.run("replay", "--compare").stderr
        with writers.at_work():
            writers.more(20)
        wait_until(lambda: not server.failing(), server.process)
        assert "no difference" in shell.run("replay", "--compare").stderr
        with shell.log() as recorder:
            audit = writers.audit(recorder)
        assert audit.doubled == []
        gone = [key for key, told in before.items() if told.position > copied]
        assert sorted(audit.lost) == sorted(gone)
