"""Faults of a cluster: three PostgreSQL under Patroni on this machine, whose leader is killed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from faults.trial import WRITER_COUNT, Trial
from tests.support.patroni import Cluster, cluster
from tests.support.waiting import wait_until


class ClusterPlace:
    """A database of a cluster, on whichever node leads."""

    name = "PostgreSQL"
    disk_megabytes = 0

    def __init__(self, nodes: Cluster) -> None:
        self._nodes = nodes

    @contextmanager
    def fresh(self, directory: Path, disk: Path | None = None) -> Iterator[str]:
        """The address of an empty database that finds the leader; it goes with the cluster."""
        with psycopg.connect(self._nodes.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE tracker")
        yield self._nodes.url("tracker")


def leader_killed(trial: Trial) -> None:
    """The machine that leads loses its power under 8 writers, two servers and two projectors.

    A standby that is in every commit MUST take over, writes MUST go on by themselves, and the log MUST have its id.
    """
    folder = tempfile.TemporaryDirectory(prefix="faults-cluster-", ignore_cleanup_errors=True)
    with folder, cluster(Path(folder.name)) as nodes:
        trial.place = ClusterPlace(nodes)
        with trial.on_fresh_store():
            replica = {"TRACKER_REPLICA_URL": nodes.url("tracker", "prefer-standby"), "TRACKER_READ_TIMEOUT": "5"}
            for _ in range(2):
                trial.project()
                trial.serve("--no-projector", **replica)
            wait_until(trial.is_ready)
            trial.writers.open()
            log = trial.servers[0].get("/v1/log").headers["tracker-log"]
            with trial.writers.at_work():
                for _ in range(trial.times):
                    trial.writers.more(WRITER_COUNT)
                    killed = nodes.leader()
                    assert killed is not None
                    nodes.nodes[killed].kill()
                    began = time.monotonic()
                    wait_until(lambda: nodes.leader() not in (None, killed))  # noqa: B023
                    trial.recover(began)
                    nodes.nodes[killed].start()
                    wait_until(lambda: nodes.is_whole)
            same = {server.get("/v1/log").headers["tracker-log"] for server in trial.servers} == {log}
            trial.must(same, "the log has another id")
