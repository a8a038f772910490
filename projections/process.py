"""A projector in a process of its own, and the process that keeps it: both ends of the socket between them.

Down go bytes: each says that the log has grown. Up go lines: a `Projected` after each commit, and a beat every second,
which says whether the projector is at work or stands by. Nothing that is sent is relied on: both look at the store as
well. The end of either process closes the socket. A projector whose keeper has ended MUST end; a keeper whose
projector has ended, or shows no life, MUST end it and start another one.
"""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from select import select

from projections.projected import Projected
from projections.runner import ProjectionRunner

BEAT_SECONDS = 1.0
"""Seconds between two beats of the projector's process."""

SILENT_SECONDS = 10.0
"""Seconds without a beat after which the process counts as frozen, and is ended."""

DOUBTFUL_SECONDS = 3.0
"""Seconds without a beat after which nobody waits for the projector any more."""

START_SECONDS = 300.0
"""Seconds that a process has to its first beat; on a busy machine a start takes many."""

RESTART_SECONDS = (0.0, 1.0, 2.0, 5.0)
"""Seconds before the first, second and each further start after an end; a process that was well begins them anew."""

WELL_SECONDS = 60.0
"""Seconds that a process runs to count as well."""

EXIT_SECONDS = 0.1
"""Seconds between the end of a process's socket and its own."""

END_SECONDS = 30.0
"""Seconds that a process has to finish its batch at the end."""

READ_BYTES = 65_536
"""Bytes read of the socket at a time."""

_log = logging.getLogger(__name__)


class ProjectorProcess:
    """Keeps one projector's process alive; MUST be stopped. For one thread, save `wake`.

    `command` starts it, with the number of its end of the socket as the last argument. Whoever keeps it calls `look`
    about every second, the first time to start it, and `receive` when `fileno` can be read.
    """

    def __init__(self, command: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._command, self._monotonic = command, monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._received = b""
        self._started_at = self._beaten_at = 0.0
        self._has_beaten = False
        self._ends = 0
        self._start_at = 0.0
        self.is_active = False
        """Whether the process said last that it projects, and does not stand by."""
        self.committed: Callable[[Projected], None] = lambda projected: None
        """Called with what the projector says after each commit."""
        self.moved: Callable[[], None] = lambda: None
        """Called when `fileno` is another one than before."""

    @property
    def pid(self) -> int | None:
        """The process id; None while there is none."""
        return None if self._process is None else self._process.pid

    def fileno(self) -> int:
        """The socket's number; -1 while there is none."""
        return -1 if self._socket is None else self._socket.fileno()

    @property
    def is_silent(self) -> bool:
        """Whether there is no process, or one that has spoken and shows no life now: it is not worth to wait for it."""
        return self._process is None or (self._has_beaten and self._monotonic() - self._beaten_at >= DOUBTFUL_SECONDS)

    @property
    def trouble(self) -> str:
        """Why the process does not project, in a sentence; empty if it does, or stands by."""
        if self._process is None:
            return "the projector's process has ended, and is started again"
        if not self._has_beaten:
            return "the projector's process is being started" if self._socket else "the projector's process is ending"
        return "the projector's process shows no life" if self.is_silent else ""

    def start(self) -> None:
        """Start the process."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the keeper's own
                [*self._command, str(theirs.fileno())], pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL
            )
        ours.setblocking(False)
        self._socket, self._received = ours, b""
        self._started_at = self._beaten_at = self._monotonic()
        self._has_beaten = self.is_active = False
        self.moved()

    def wake(self) -> None:
        """The log has grown. From any thread."""
        channel = self._socket
        if channel is not None:
            with suppress(OSError):  # it is full, so there is a hint already; or it is closed, which `look` finds
                channel.send(b".")

    def receive(self) -> None:
        """Take in what the process has said."""
        if self._socket is None:
            return
        try:
            said = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._close()
            with suppress(subprocess.TimeoutExpired):
                if self._process is not None:
                    self._process.wait(EXIT_SECONDS)
            self.look()
            return
        self._has_beaten, self._beaten_at = True, self._monotonic()
        *lines, self._received = (self._received + said).split(b"\n")
        last: Projected | None = None
        for line in lines:
            if line in (b"active", b"standby"):
                self.is_active = line == b"active"
            else:
                last = Projected.read(line) or last
        if last is not None:
            self.is_active = True
            self.committed(last)

    def look(self) -> None:
        """Start the process again if it has ended, and end it if it shows no life."""
        now = self._monotonic()
        if self._process is None:
            if now >= self._start_at:
                self.start()
            return
        patience = START_SECONDS if self._socket is not None and not self._has_beaten else SILENT_SECONDS
        if self._process.poll() is not None:
            why = _why(self._process.returncode)
        elif now - self._beaten_at > patience:
            why = f"it showed no life for {patience:.0f} s, and was killed"
        else:
            return
        pid, ran = self._process.pid, now - self._started_at
        self._end()
        self._ends = 0 if ran >= WELL_SECONDS else self._ends
        pause = RESTART_SECONDS[min(self._ends, len(RESTART_SECONDS) - 1)]
        self._ends += 1
        self._start_at = now + pause
        _log.error("the projector's process is started again", extra={"pid": pid, "reason": why, "seconds": pause})
        if not pause:
            self.start()

    def stop(self) -> None:
        """Let the process finish its batch, and end it."""
        if self._process is None:
            return
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._close()

    def _close(self) -> None:
        channel, self._socket = self._socket, None
        self._has_beaten = self.is_active = False
        self.moved()
        if channel is not None:
            channel.close()


def project_for(runner: ProjectionRunner, number: int) -> None:
    """Project for the process at the other end of the socket with this number, until that process ends.

    A terminal and a supervisor signal both; the keeper ends first, when its requests have ended.

    Raises: RuntimeError if the thread that projects has died.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    with socket.socket(fileno=number) as keeper:
        keeper.setblocking(False)
        told: Projected | None = None

        def say(line: str) -> None:
            with suppress(OSError):  # it is full or closed; the next line tells as much
                keeper.send(f"{line}\n".encode())

        def committed(projected: Projected) -> None:
            nonlocal told
            if projected != told:
                told = projected
                say(projected.told)

        runner.committed = committed
        runner.start()
        try:
            beat_at = 0.0
            while runner.watcher.is_alive:
                if (now := time.monotonic()) >= beat_at:
                    say("active" if runner.is_active else "standby")
                    beat_at = now + BEAT_SECONDS
                if select([keeper], [], [], max(0.0, beat_at - now))[0]:
                    try:
                        if not keeper.recv(READ_BYTES):
                            return
                    except OSError:
                        return
                    runner.wake()
            raise RuntimeError("the thread that projects has died")
        finally:
            runner.stop()


def _why(code: int) -> str:
    return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"
