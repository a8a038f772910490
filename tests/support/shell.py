"""The command `tracker` as a test runs it: in this process, or as a process of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
from click.testing import CliRunner, Result

from api.cli.main import main
from tests.support.paths import ROOT
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder

PROGRAM = "from api.cli.main import main; main()"
"""What the command `tracker` runs."""


BEAT_SECONDS, TAKEOVER_SECONDS, ALIVE_SECONDS = 0.5, 3.0, 4.0
"""Bounds of a projector's silence that a test can wait for, in the order of the real ones."""

IMPATIENT = (
    f"import projections.lease as lease, projections.liveness as liveness; lease.BEAT_SECONDS = {BEAT_SECONDS};"
    f" lease.TAKEOVER_SECONDS = {TAKEOVER_SECONDS}; liveness.ALIVE_SECONDS = {ALIVE_SECONDS}; {PROGRAM}"
)
"""The command with these bounds."""


@dataclass(frozen=True)
class Shell:
    """Runs commands on one database, in one directory."""

    url: str
    directory: Path
    program: str = PROGRAM
    """What a process of `start` runs."""

    def run(self, *arguments: str | Path, code: int = 0, **env: str) -> Result:
        """The result of a command that must end with this exit code."""
        with contextlib.chdir(self.directory):
            runner = CliRunner(env={"TRACKER_DATABASE_URL": self.url, **env})
            result = runner.invoke(main, [str(a) for a in arguments], prog_name="tracker")
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def write(self, name: str, text: str) -> Path:
        """A file in the directory."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def start(
        self, *arguments: str | Path, program: str = "", errors: IO[str] | int = subprocess.PIPE, **env: str
    ) -> subprocess.Popen[str]:
        """A command as a process. Who does not read what it says on stderr gives a file for it, or it would wait."""
        tree = str(ROOT)
        return subprocess.Popen(
            [sys.executable, "-c", program or self.program, *map(str, arguments)],
            cwd=self.directory,
            env={
                **os.environ,
                "TRACKER_DATABASE_URL": self.url,
                "PYTHONPATH": tree,
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def serving(self, *arguments: str, **env: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """A server that is ready, with its address; it is killed in the end if it is still there."""
        process = self.start("serve", "--port", "0", *arguments, **env)
        try:
            assert process.stderr is not None
            address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
            wait_until(lambda: is_ready(address), process)
            yield address, process
        finally:
            gone(process)

    @contextlib.contextmanager
    def log(self) -> Iterator[LogRecorder]:
        """The log, to look at."""
        log = open_recorder(self.url, create_table=False)
        try:
            yield log
        finally:
            log.close()

    def head(self) -> int:
        """The log's last position."""
        with self.log() as log:
            return log.head()


def with_tables(url: str, directory: Path) -> Shell:
    """A shell on a store that has its tables."""
    shell = Shell(url, directory)
    shell.run("init")
    return shell


def ask(url: str, **params: str) -> httpx.Response:
    """A server's answer, however slow the machine is. To load the certificates would take longer than it."""
    return httpx.get(url, params=params, timeout=HANG_SECONDS, verify=False)


def behind(address: str) -> int | None:
    """How many events a server's projection is behind the log; None if it does not answer."""
    try:
        lag: int | None = ask(f"{address}/health/ready").json().get("lag")
    except httpx.TransportError:
        return None
    return lag


def is_ready(address: str) -> bool:
    """Whether a server says so, with nothing left to project."""
    return behind(address) == 0 and ask(f"{address}/health/ready").status_code == 200


def gone(process: subprocess.Popen[str]) -> None:
    """Make sure that a process and its children are no more."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def ended(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """The exit code of a process after a signal."""
    process.send_signal(number)
    return process.wait(timeout=HANG_SECONDS)
