"""The worker processes of `tracker serve --workers`: one that dies or hangs is replaced, and the log says so."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from api.http.json_logging import LOGGER_NAME
from api.http.metrics import SHARED_VARIABLE, forget_process
from projections.process import ProjectorProcess

_log = logging.getLogger(LOGGER_NAME)


@contextmanager
def counted_together() -> Iterator[None]:
    """Let the processes that are started within count limits and metrics together, in a directory of their own.

    A directory that the operator named is taken as it is.
    """
    if os.environ.get(SHARED_VARIABLE):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tracker-workers-", ignore_cleanup_errors=True) as directory:
        os.environ[SHARED_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[SHARED_VARIABLE]


class Workers(Multiprocess):
    """uvicorn's supervisor of workers, which tells which worker ended, why, and which one is in its place.

    It keeps the projector of all of them as well, if there is one.
    """

    def __init__(self, config: Config, sockets: list[socket.socket], projector: ProjectorProcess | None = None) -> None:
        super().__init__(config, sockets)
        self._projector = projector
        self.failed = False
        """Whether a worker did not come up, so that all of them were stopped."""

    def run(self) -> None:
        """Run until told to stop; the projector ends last."""
        if self._projector is not None:
            self._projector.look()
        try:
            super().run()
        finally:
            if self._projector is not None:
                self._projector.stop()

    def keep_subprocess_alive(self) -> None:
        """Replace the workers and the projector that died or do not answer, and log each."""
        if self._projector is not None:
            self._projector.receive()
            self._projector.look()
        before = list(self.processes)
        ended = [process.exitcode is not None for process in before]
        super().keep_subprocess_alive()
        for index, old in enumerate(before):
            new = self.processes[index]
            if new is not old and old.pid is not None:
                forget_process(old.pid)
            if old.exitcode == STARTUP_FAILURE:
                self.failed = True
                _log.error("a worker did not come up", extra={"pid": old.pid, "reason": "see its own lines above"})
            elif new is not old:
                seconds = self.config.timeout_worker_healthcheck
                why = _why(old.exitcode) if ended[index] else f"it did not answer for {seconds} s, and was killed"
                _log.error("a worker was replaced", extra={"pid": old.pid, "reason": why, "replaced_by": new.pid})


def _why(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"it was ended by {signal.Signals(-exitcode).name}"
    return f"it ended with exit code {exitcode}"
