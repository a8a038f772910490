"""A server as a process of its own, what a stranger sends to it, and how long others wait meanwhile."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from tests.support.api import ADMIN
from tests.support.paths import ROOT
from tests.support.shell import is_ready
from tests.support.waiting import wait_until

HANG_WAIT_SECONDS = 10.0
"""Seconds that another caller waits beside an attack, at most, on any machine; `make attack` says what it was."""

H11 = "import api.http.server as s; s.ServedProtocol = s.BoundedH11; "
"""Has a server speak through h11 instead of httptools."""

SHORT = (
    "import api.http.server as s; s.HEAD_SECONDS = 0.6; s.BODY_SECONDS = 0.6; s.IDLE_SECONDS = 1; s.REST_SECONDS = 1; "
)
"""Gives a server patience that a test can wait for."""


STALL_SECONDS = 0.25
"""Seconds of the server's processor time that pass beside an attack until another caller is answered, at most."""


class Cost(NamedTuple):
    """What an attack is answered, the bytes of memory that it took, how long another caller waited at most, how much
    of a wait the server computed at most, and how long the attack took itself."""

    answer: bytes
    grown: int
    wait_seconds: float
    stall_seconds: float
    seconds: float


@dataclass
class Waits:
    """Of each of another caller's requests the seconds that it took, and the processor time that the server used
    meanwhile, all its threads together: how long it could have waited for the server itself, however busy the machine.
    """

    seconds: list[float] = field(default_factory=list)
    busy_seconds: list[float] = field(default_factory=list)


class Served:
    """The address of a server, and its process."""

    def __init__(self, address: str, pid: int) -> None:
        self.address = address
        self.pid = pid
        host, port = address.removeprefix("http://").split(":")
        self.place = (host, int(port))

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(self.place, timeout=30)

    def answer(self, *sent: bytes) -> bytes:
        """All that it says to some bytes until it closes; it may refuse to read them all."""
        with self.connect() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in sent:
                    connection.sendall(piece)
            return received(connection)

    def peak_bytes(self) -> int:
        """The most memory that the process has had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

    def forget_peak(self) -> int:
        """Begin a new peak, and return what it begins with in bytes."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self.peak_bytes()

    def attacked(self, attack: Callable[[], bytes]) -> Cost:
        """What an attack is answered and costs. Others wait no longer than a server that hangs would have them wait."""
        before = self.forget_peak()
        began = time.perf_counter()
        with self.others() as waits:
            answer = attack()
        took = time.perf_counter() - began
        cost = Cost(answer, self.peak_bytes() - before, max(waits.seconds), max(waits.busy_seconds), took)
        print(
            f"waited {cost.wait_seconds * 1000:.0f} ms, of them {cost.stall_seconds * 1000:.0f} for the server,"
            f" took {cost.grown / 2**20:.1f} MiB, {cost.seconds:.1f} s"
        )
        assert cost.wait_seconds <= HANG_WAIT_SECONDS
        return cost

    @contextmanager
    def others(self) -> Iterator[Waits]:
        """How long another caller waits meanwhile."""
        waits = Waits()
        command = [sys.executable, "-m", "tests.support.asking", self.address, str(self.pid)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as asking:
            assert asking.stdout is not None
            told = [asking.stdout.readline()]
            assert told[0], "the other caller had no answer"
            reader = Thread(target=lambda: told.extend(asking.stdout or ()))
            reader.start()
            try:
                yield waits
            finally:
                assert asking.stdin is not None
                asking.stdin.close()
                reader.join()
                for line in told:
                    took, busy = map(float, line.split())
                    waits.seconds.append(took)
                    waits.busy_seconds.append(busy)
        assert asking.returncode == 0, "another caller was refused"


def received(connection: socket.socket, seconds: float = 30.0) -> bytes:
    """What comes until the other end closes."""
    found, deadline = bytearray(), time.monotonic() + seconds
    with suppress(ConnectionResetError):
        while select.select([connection], [], [], max(0.0, deadline - time.monotonic()))[0]:
            piece = connection.recv(65536)
            if not piece:
                return bytes(found)
            found += piece
        raise AssertionError(f"it was not closed within {seconds} s; it said {bytes(found[:200])!r}")
    return bytes(found)


def status(answer: bytes) -> int:
    """The status of an answer, which must be a problem with the security headers."""
    head, _, body = answer.partition(b"\r\n\r\n")
    for wanted in (b"nosniff", b"referrer-policy", b"problem+json", b"x-frame-options"):
        assert wanted in head.lower(), answer
    assert b'"code"' in body, answer
    return int(head.split()[1])


@contextmanager
def serving(directory: Path, *, prelude: str = "", **settings: str) -> Iterator[Served]:
    """`tracker serve` on a fresh SQLite file in a process of its own; `prelude` is Python that it runs before."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    env |= {
        "TRACKER_DATABASE_URL": f"sqlite:///{directory}/tracker.db",
        "TRACKER_ADMIN_KEY": ADMIN,
        "TRACKER_RATE_LIMIT": "0",
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    log = directory / "serve.log"
    command = [sys.executable, "-c", f"{prelude}from api.cli.main import main; main()", "serve", "--port", "0"]
    with (
        log.open("w+b") as out,
        subprocess.Popen(command, env=env, cwd=directory, stdout=out, stderr=out, start_new_session=True) as process,
    ):
        try:
            wait_until(lambda: re.search(r"http://\S+", log.read_text()) is not None)
            address = re.search(r"http://\S+", log.read_text())
            assert address is not None
            wait_until(lambda: is_ready(address[0]))
            yield Served(address[0], process.pid)
            assert "Traceback" not in log.read_text(), log.read_text()
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its projector too, which writes to the directory
