"""`tracker project`: the projector alone, which needs nothing of what a server loads."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import FrameType

import click

from api.cli.group import fail
from api.cli.stores import opened_stores
from api.cli.terminal import say
from api.http import allocator
from api.http.collector import collect_seldom
from api.http.json_logging import log_as_json
from api.http.system_clock import now
from api.http.tracing import begin_traces
from projections.lease import BEAT_SECONDS
from projections.liveness import ProjectorLiveness
from projections.process import project_for
from projections.timeline import Timeline

CHECK_SECONDS = 2 * BEAT_SECONDS
"""Seconds that a check waits for a new heartbeat if the last one is old by the clock of this machine."""

CHECK_LOOK_SECONDS = 0.5
"""Seconds between two looks at the heartbeat."""

ALIVE_SECONDS = 1.0
"""Seconds between two looks at whether the thread that projects runs."""


@click.command()
@click.option("--check", is_flag=True, help="Only say whether a projector is at work: exit code 0, or 1 if none is.")
@click.option(
    "--alive",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A file that is touched every second while this projector runs, at work or standing by.",
)
@click.option("--keeper", type=int, hidden=True)
def project(check: bool, alive: Path | None, keeper: int | None) -> None:
    """Keep the read models up to date until stopped, beside `tracker serve --no-projector`.

    One projector works at a time; others stand by. Whether one is at work is what --check says; what is to restart
    this one, whatever the others do, looks at how old the file of --alive is.

    \b
    Examples:
      tracker project
      tracker project --check
    """
    if check:
        _must_be_at_work()
        return
    allocator.keep_small()
    if keeper is not None:
        _project_for(keeper)
        return
    stopping = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log_as_json()
    with opened_stores() as stores:
        traces = begin_traces(on=stores.settings.traces)
        runner = stores.runner(stores.signer(replaces_lost_keys=True))
        runner.start()
        say("Projecting (Ctrl-C stops it)")
        while runner.watcher.is_alive:
            if alive is not None:
                with suppress(OSError):  # a file that grows old tells as much
                    alive.touch()
            if stopping.wait(ALIVE_SECONDS):
                break
        runner.stop()
        if traces is not None:
            traces.shut_down()
    if not stopping.is_set():
        fail("the thread that projects has died")


def _project_for(keeper: int) -> None:
    """Project for the `tracker serve` at the other end of this socket, for as long as it lives."""
    log_as_json()
    with opened_stores() as stores:
        traces = begin_traces(on=stores.settings.traces)
        collect_seldom()
        project_for(stores.runner(stores.signer(replaces_lost_keys=True)), keeper)
        if traces is not None:
            traces.shut_down()


def _must_be_at_work() -> None:
    """Check that a projector is at work, by its heartbeat in the database.

    Raises: CommandFailed if none is.
    """
    with opened_stores(must_exist=True) as stores:
        timeline, liveness = Timeline(stores.engine, stores.log), ProjectorLiveness(now)
        deadline = time.monotonic() + CHECK_SECONDS
        while True:
            head = timeline.head()
            liveness.note(head.heartbeat, head.position, head.position)
            if liveness.is_alive:
                say(f"A projector is at work; its last heartbeat is of {head.heartbeat}.")
                return
            if time.monotonic() > deadline:
                fail(f"no projector is at work; the last heartbeat is of {head.heartbeat or 'no time at all'}")
            time.sleep(CHECK_LOOK_SECONDS)
