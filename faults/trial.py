"""A trial: one fault on one store, tried again and again, with what was lost, doubled, unnoticed, and for how long."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from faults.places import Place
from tests.support.outages import small_disk
from tests.support.servers import SETTINGS, Server, is_up
from tests.support.shell import PROGRAM, Shell, gone
from tests.support.waiting import wait_until
from tests.support.writers import Writers

NOTICE_SECONDS = 30.0
"""Seconds after which readiness must have said 503 (the contract of `/health/ready`)."""

STAYS_SECONDS = 2.0
"""Seconds for which readiness is asked again once it said 503: while the fault stands it must not say 200."""

LOOK_SECONDS = 0.05
"""Seconds between two questions to a server's health."""

WRITER_COUNT = 8
"""Writers that record while a fault is tried."""


@dataclass
class Row:
    """What came of one fault on one store. Seconds are those of every try."""

    fault: str
    store: str
    tried: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    unnoticed: int | None = None
    """Tries in which readiness said 200 although the service was not; None where nothing is to be noticed."""
    noticed: list[float] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What had to hold and did not, in sentences."""
    remarks: list[str] = field(default_factory=list)
    run: str = ""
    """The cells of the table that say when and of what this was run."""

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled, unnoticed or broken."""
        return not (self.lost or self.doubled or self.unnoticed or self.broken)


class Trial:
    """The processes of one fault on one store. All that is started here is ended in the end."""

    def __init__(self, fault: str, place: Place, directory: Path, times: int, *, short: bool = False) -> None:
        self.place, self.directory, self.times, self.short = place, directory, times, short
        self.row = Row(fault, place.name)
        self.servers: list[Server] = []
        self.writers = Writers(self._address, WRITER_COUNT)
        self._ending = ExitStack()
        self._ending.callback(self.writers.close)
        self._logs = itertools.count(1)
        self.disk: Path | None = None
        self.shell = Shell("", directory)

    @contextmanager
    def on_fresh_store(self, *, own_disk: bool = False) -> Iterator[None]:
        """An empty store with its tables; the log is audited in the end, once all processes are gone."""
        with ExitStack() as stack:
            if own_disk:
                size = self.place.disk_megabytes
                self.disk = stack.enter_context(small_disk(self.directory / "disk", megabytes=size))
            self.shell = Shell(stack.enter_context(self.place.fresh(self.directory, self.disk)), self.directory)
            self.shell.run("init")
            with self._ending:
                yield
            self._audit()

    def _audit(self) -> None:
        with self.shell.log() as log:
            audit = self.writers.audit(log)
        self.row.acknowledged += len(self.writers.acknowledged)
        self.row.lost, self.row.doubled = len(audit.lost), len(audit.doubled)
        self.row.broken += [f"a writer was answered {answer}" for answer in self.writers.unexpected[:3]]
        try:
            self.shell.run("replay", "--compare")
        except AssertionError as differs:
            self.row.broken.append(f"`tracker replay --compare` found a difference: {str(differs)[-300:]}")

    def must(self, holds: bool, sentence: str) -> None:
        """Note what did not hold."""
        if not holds:
            self.row.broken.append(sentence)

    # Processes

    def serve(self, *arguments: str, program: str = PROGRAM, **env: str) -> Server:
        """A server that answers, beside those that there are."""
        process, log = self._start("serve", "--port", "0", *arguments, program=program, **{**SETTINGS, **env})
        wait_until(lambda: "http://" in log.read_text(), process)
        found = re.search(r"http://\S+", log.read_text())
        assert found is not None
        server = Server(found[0], process)
        self._ending.callback(server.client.close)
        wait_until(lambda: is_up(server), process)
        self.servers.append(server)
        return server

    def project(self) -> subprocess.Popen[str]:
        """A projector as a process of its own."""
        process, log = self._start("project")
        wait_until(lambda: "Projecting" in log.read_text(), process)
        return process

    def _start(self, *arguments: str, program: str = PROGRAM, **env: str) -> tuple[subprocess.Popen[str], Path]:
        log = self.directory / f"process-{next(self._logs)}.log"
        with log.open("w") as errors:
            process = self.shell.start(*arguments, program=program, errors=errors, **env)
        self._ending.callback(end, process)
        return process, log

    def kill(self, server: Server) -> None:
        """End a server as `kill -9` does."""
        self.servers.remove(server)
        end(server.process)

    def _address(self, number: int) -> str:
        servers = list(self.servers)
        if not servers:
            raise httpx.ConnectError("no server is there now")
        return servers[number % len(servers)].address

    # What health says

    def is_ready(self, server: Server | None = None) -> bool:
        """Whether readiness is answered with 200."""
        server = server or self.servers[0]
        with suppress(httpx.TransportError):
            return server.get("/health/ready").status_code == 200
        return False

    def notice(self, within: float = NOTICE_SECONDS) -> None:
        """Ask readiness until it says 503, which it must within so many seconds, and then for as long as this lasts."""
        self.row.unnoticed = self.row.unnoticed or 0
        began = time.monotonic()
        while self.is_ready():
            if time.monotonic() - began > within:
                self.row.unnoticed += 1
                return
            time.sleep(LOOK_SECONDS)
        self.row.noticed.append(time.monotonic() - began)
        until = time.monotonic() + STAYS_SECONDS
        while time.monotonic() < until:
            if self.is_ready():
                self.row.unnoticed += 1
                return
            time.sleep(LOOK_SECONDS)

    def recover(self, since: float | None = None) -> float:
        """Wait until a new fact is acknowledged and read, and readiness says 200; the seconds since then."""
        began = time.monotonic() if since is None else since
        receipt = self.writers.record()
        assert receipt is not None, self.writers.unexpected
        wait_until(lambda: self._version(receipt.pledge) >= receipt.version)
        wait_until(self.is_ready)
        took = time.monotonic() - began
        self.row.recovery.append(took)
        self.row.tried += 1
        return took

    def _version(self, pledge: str) -> int:
        with suppress(httpx.TransportError):
            answer = self.servers[0].get(f"/v1/pledges/{pledge}")
            return int(answer.json()["version"]) if answer.status_code == 200 else 0
        return 0

    def rounds(self, fault: Callable[[], object], *, notice: bool = True, within: float = NOTICE_SECONDS) -> None:
        """Try a fault, a context, again and again under the writers: it is to be noticed, and gone when it is over."""
        with self.writers.at_work():
            for _ in range(self.times):
                self.writers.more(WRITER_COUNT)
                with fault():  # type: ignore[attr-defined]
                    if notice:
                        self.notice(within)
                self.recover()


def end(process: subprocess.Popen[str]) -> None:
    """End a process as `kill -9` does, even if it is frozen; one that was ended before is left alone."""
    if process.stdout is None or process.stdout.closed:
        return
    process.send_signal(signal.SIGCONT)
    gone(process)
