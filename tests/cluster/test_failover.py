"""Three PostgreSQL under Patroni: the leader is killed under load, again and again, and nothing is lost."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.support.patroni import Cluster, cluster
from tests.support.servers import Server, serving
from tests.support.shell import gone, with_tables
from tests.support.waiting import wait_until
from tests.support.writers import Writers

KILLS = int(os.environ.get("TRACKER_TEST_KILLS", "3"))
"""How often the leader is killed."""

_BY_REPLICA = re.compile(r'^tracker_store_reads_total\{store="replica"\} (\S+)$', re.MULTILINE)


@pytest.fixture
def nodes() -> Iterator[Cluster]:
    folder = TemporaryDirectory(prefix="tracker-cluster-", ignore_cleanup_errors=True)
    with folder, cluster(Path(folder.name)) as nodes:
        yield nodes


def test_a_leader_that_is_killed_under_load_takes_nothing_with_it(
    nodes: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(nodes.url(), autocommit=True) as conn:
        conn.execute("CREATE DATABASE tracker")
    shell = with_tables(nodes.url("tracker"), tmp_path)
    replica = {"TRACKER_REPLICA_URL": nodes.url("tracker", "prefer-standby"), "TRACKER_READ_TIMEOUT": "5"}
    took: list[float] = []
    with ExitStack() as ending:
        for number in (1, 2):
            with (tmp_path / f"project-{number}.log").open("w") as errors:
                ending.callback(gone, shell.start("project", errors=errors))
        servers = [ending.enter_context(serving(shell, "--no-projector", **replica)) for _ in range(2)]
        writers = ending.enter_context(closing(Writers(lambda number: servers[number % 2].address, 4)))
        wait_until(lambda: all(server.get("/health/ready").status_code == 200 for server in servers))
        writers.open()
        log = servers[0].get("/v1/log").headers["tracker-log"]
        kept: list[bytes] = []
        with writers.at_work():
            for number in range(KILLS):
                writers.more(40)
                kept.append(_signed(servers[0]))
                leader = nodes.leader()
                assert leader is not None
                nodes.nodes[leader].kill()
                began = time.monotonic()
                wait_until(lambda: nodes.leader() not in (None, leader))  # noqa: B023
                writers.more(1)
                took.append(time.monotonic() - began)
                writers.more(40)
                nodes.nodes[leader].start()
                wait_until(lambda: nodes.is_whole)
                if number == 0:  # one server less, too
                    gone(servers[0].process)
                    servers[0] = ending.enter_context(serving(shell, "--no-projector", **replica))
        wait_until(lambda: all(server.get("/health/ready").status_code == 200 for server in servers))
        assert {server.get("/v1/log").headers["tracker-log"] for server in servers} == {log}
        _must_be_read_from_a_replica(servers[1])
        wait_until(lambda: _covers(servers[1]))
        with shell.log() as recorder:
            audit = writers.audit(recorder)
        shell.run("replay", "--compare")
        shell.run("log", "export", "public")
        for number, checkpoint in enumerate(kept):
            older = tmp_path / f"checkpoint-{number}"
            older.write_bytes(checkpoint)
            key = servers[1].client.get("/ledger/key").text.split()[0]
            shell.run("log", "verify", "public", "--checkpoint", str(older), "--key", key)
    with capsys.disabled():
        worst = max(took)
        print(f"\n{len(writers.acknowledged)} acknowledged, writes resumed after {min(took):.0f} to {worst:.0f} s")
    assert (audit.lost, audit.doubled, writers.unexpected) == ([], [], [])


def _signed(server: Server) -> bytes:
    """The last checkpoint, once there is one."""
    wait_until(lambda: server.get("/ledger/checkpoint").status_code == 200)
    return server.get("/ledger/checkpoint").content


def _covers(server: Server) -> bool:
    """Whether the last checkpoint covers the whole log."""
    size = int(server.get("/ledger/checkpoint").text.splitlines()[1])
    return size == server.get("/v1/log").json()["head"]


def _must_be_read_from_a_replica(server: Server) -> None:
    """Reads MUST come to be answered by a standby."""

    def is_read() -> bool:
        server.get(f"/v1/events?limit=1&recorded_by=nobody-{time.time_ns()}")
        found = _BY_REPLICA.search(server.get("/metrics").text)
        return found is not None and float(found[1]) > 0

    wait_until(is_read)
