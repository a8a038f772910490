"""`tracker serve`: the processes that answer, and the projector beside them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any

import click
import uvicorn

from api.app import create_app
from api.cli.group import fail
from api.cli.stores import opened_stores, read_settings
from api.cli.terminal import say
from api.http import allocator
from api.http.access_keys import list_keys
from api.http.collector import collect_seldom
from api.http.json_logging import log_as_json
from api.http.server import ServedProtocol
from api.http.system_clock import now
from api.http.tracing import must_be_there
from projections.process import ProjectorProcess

SHUTDOWN_GRACE_SECONDS = 10
"""Seconds that open requests have to end when the server is told to stop."""

WORKER_ANSWER_SECONDS = 30
"""Seconds in which a worker must answer its supervisor, its start included; on a busy machine a start takes many."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes; PostgreSQL only.")
@click.option("--no-projector", is_flag=True, help="Leave the read models to `tracker project`.")
def serve(host: str, port: int, workers: int, no_projector: bool) -> None:
    """Serve the API and the dashboard, and keep the read models up to date.

    \b
    Examples:
      tracker serve
      tracker serve --host 0.0.0.0 --port 8000 --workers 4
    """
    settings = read_settings()
    if workers > 1 and settings.sqlite:
        raise click.UsageError("several workers need PostgreSQL: a SQLite record is served by one process")
    if no_projector:
        os.environ["TRACKER_PROJECTOR"] = "false"
    log_as_json()
    _must_be_ready()
    listening = _listen(host, port)
    alone = partial(_alone, ProjectorProcess([*again(), "project", "--keeper"]))
    config: dict[str, Any] = {
        "app": "api.cli.serve:application" if workers > 1 else alone,
        "factory": True,
        "host": host,
        "port": listening.getsockname()[1],
        "log_level": "warning",
        "log_config": None,  # its lines are JSON, like all others
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # uvicorn's own way to believe X-Forwarded-For; ours is TRACKER_TRUSTED_PROXIES
        "timeout_graceful_shutdown": SHUTDOWN_GRACE_SECONDS,
        "timeout_worker_healthcheck": WORKER_ANSWER_SECONDS,
        "http": ServedProtocol,
        "ws": "none",  # no route is a WebSocket
    }
    server = uvicorn.Server(uvicorn.Config(**config, workers=workers))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # A signal comes before uvicorn listens for them, or again after it: uvicorn raises them anew when it is done.
        server.should_exit = True
        if workers > 1:
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    address = f"[{host}]" if ":" in host else host
    say(f"Commitments Tracker is on http://{address}:{config['port']} (Ctrl-C stops it)")
    with listening:
        if workers > 1:
            _supervise(server.config, listening, has_projector=not no_projector and settings.runs_projector)
            return
        server.run(sockets=[listening])
    if not server.started:
        fail("the server did not start")


def _supervise(config: uvicorn.Config, listening: socket.socket, *, has_projector: bool) -> None:
    from api.cli.workers import Workers, counted_together  # it loads what one process alone does without

    listening.set_inheritable(True)
    os.environ["TRACKER_PROJECTOR"] = "false"  # the workers read the settings themselves
    projector = ProjectorProcess([*again(), "project", "--keeper"]) if has_projector else None
    with counted_together():
        workers = Workers(config, [listening], projector)
        workers.run()
    if workers.failed:
        fail("the server did not start")


def application() -> Any:
    """The ASGI application, for a process that has the environment alone."""
    return _alone(None)


def _alone(projector: ProjectorProcess | None) -> Any:
    # uvicorn asks inside its event loop, and the application is put together outside of one.
    with ThreadPoolExecutor(1) as outside:
        made = outside.submit(create_app, read_settings(), projector).result()
    collect_seldom()
    allocator.keep_small()
    return made


def again() -> list[str]:
    """The command that runs `tracker` as this process was run: the same interpreter, options and program."""
    if "serve" not in sys.argv[1:]:
        return [sys.executable, "-m", "tracker"]
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as taken:
        listening.close()
        fail(f"{host} port {port} cannot be listened on: {taken.strerror or taken}")
    return listening


def _must_be_ready() -> None:
    """Warn if nobody could write to the store.

    Raises: the error of a store that does not answer or has no tables; NoTracing.
    """
    with opened_stores() as stores:
        must_be_there(on=stores.settings.traces)
        stores.log.ping()
        in_force = [key for key in list_keys(stores.engine) if key.is_in_force(now())]
        if not in_force and stores.settings.admin_key is None:
            say("Nobody can write yet. Make a key with `tracker keys create`, or set TRACKER_ADMIN_KEY.")
